// SPDX-License-Identifier: MIT
// Charts over time: a brush, a legend that tells the values at the cursor, marks of notes, and the same as a table.

import { colour, el } from './dom.js';
import { clock, day, moment, UNKNOWN } from './format.js';
import { gaps, summary } from './series.js';

const COLOURS = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];
const AXIS_FONT = '11px system-ui, sans-serif';
const SYNC = 'nwho';
const CLICK = 5; // pixels; what moves further is a brush

function timeLabel(time, span) {
    const date = new Date(time * 1000);

    if (span > 2 * 86400 || (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0))
        return span > 2 * 86400 && date.getHours() ? clock(time, false) : day(time).slice(5);
    return clock(time, span < 600);
}

// Everything that does not follow from the data: its colours are those of the theme when it is made.
export class Chart {
    // directions: one line above zero for each name, or two of which the second is drawn below.
    constructor(place, { directions, write, minimum, onBrush, onClick }) {
        Object.assign(this, { place, directions, write, minimum, onBrush, onClick });
        this.hidden = new Set();
        this.canvas = el('div', { class: 'chart', role: 'img' });
        this.legend = el('div', { class: 'legend' });
        this.table = el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The chart as a table', hidden: true });
        place.replaceChildren(this.legend, this.canvas, this.table);
        new ResizeObserver(() => this.resize()).observe(this.canvas);
    }

    show(data, frame) {
        Object.assign(this, { data, frame });
        this.draw();
        performance.mark('nwho-chart');
    }

    // Notes and the moment of replay may come later than the lines.
    decorate(changes) {
        if (this.frame)
            Object.assign(this.frame, changes);
        this.plot?.redraw(false);
    }

    showTable(shown) {
        this.table.hidden = !shown;
        this.canvas.hidden = shown;
        this.legend.hidden = shown;
        if (shown)
            this.drawTable();
        else
            this.resize();
    }

    resize() {
        const { width, height } = this.size();

        if (this.plot && width > 0 && (width !== this.plot.width || height !== this.plot.height))
            this.plot.setSize({ width, height });
    }

    size() {
        return { width: Math.floor(this.canvas.clientWidth), height: Math.floor(this.canvas.clientHeight) };
    }

    lines() {
        return this.data.entries.flatMap((entry, i) => this.directions.map((direction, j) => ({
            entry, direction, colour: this.colours[i % COLOURS.length], sign: j ? -1 : 1, values: entry.values[j],
        })));
    }

    draw() {
        this.colours = COLOURS.map(colour);
        this.paint = Object.fromEntries(['muted', 'line', 'gap', 'mark', 'warn', 'crit', 'accent'].map((name) => [name, colour(`--${name}`)]));
        this.plot?.destroy();
        const lines = this.lines();

        this.plot = new uPlot(this.options(lines), [
            this.data.times, ...lines.map(({ values, sign }) => values.map((value) => (value === null ? null : value * sign))),
        ], this.canvas);
        this.plot.over.addEventListener('mousedown', (event) => { this.pressed = event.clientX; });
        this.plot.over.addEventListener('click', (event) => this.clicked(event));
        this.drawLegend();
        this.canvas.setAttribute('aria-label', this.describe());
        if (!this.table.hidden)
            this.drawTable();
    }

    options(lines) {
        const { since, until } = this.frame;
        const axis = { stroke: this.paint.muted, font: AXIS_FONT, grid: { stroke: this.paint.line, width: 1 }, ticks: { show: false } };

        return {
            ...this.size(), legend: { show: false }, padding: [14, 10, 0, 0],
            cursor: {
                sync: { key: SYNC, setSeries: false, scales: ['x', null] }, y: false, points: { size: 6 },
                drag: { x: true, y: false, setScale: false, dist: CLICK }, bind: { dblclick: () => null },
            },
            scales: { x: { time: true, range: () => [since, until] }, y: { range: (_, low, high) => this.range(low, high) } },
            axes: [
                { ...axis, size: 24, space: 64, values: (_, splits) => splits.map((time) => timeLabel(time, until - since)) },
                { ...axis, size: 62, space: 44, values: (_, splits) => splits.map((value) => this.write(value)) },
            ],
            series: [{}, ...lines.map(({ entry, colour: stroke, sign }) => ({
                label: entry.name, stroke, width: 1.5, spanGaps: false, points: { show: false }, show: !this.hidden.has(entry.name),
                fill: this.data.entries.length <= 3 ? this.faint(stroke) : undefined, alpha: sign < 0 ? 0.85 : 1,
            }))],
            hooks: { drawAxes: [(plot) => this.drawGaps(plot)], draw: [(plot) => this.drawMarks(plot)], setCursor: [(plot) => this.drawLegendValues(plot.cursor.idx)], setSelect: [(plot) => this.selected(plot)] },
        };
    }

    faint(stroke) {
        return stroke.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');
    }

    range(low, high) {
        const top = Math.max(high ?? 0, this.minimum) * 1.08;

        return [this.directions.length > 1 ? Math.min(low ?? 0, -this.minimum) * 1.08 : 0, top];
    }

    // A brush is a new window; less than a few pixels are a click.
    selected(plot) {
        const { left, width } = plot.select;

        if (width <= CLICK)
            return;
        const from = plot.posToVal(left, 'x');
        const to = plot.posToVal(left + width, 'x');
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        this.onBrush(from, to);
    }

    clicked(event) {
        if (Math.abs(event.clientX - this.pressed) <= CLICK)
            this.onClick(this.plot.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, 'x'));
    }

    drawGaps(plot) {
        const { ctx, bbox } = plot;

        ctx.save();
        ctx.fillStyle = this.paint.gap;
        for (const [from, to] of gaps(this.data, this.frame.since)) {
            const left = plot.valToPos(from, 'x', true);
            ctx.fillRect(left, bbox.top, plot.valToPos(to, 'x', true) - left, bbox.height);
        }
        ctx.restore();
    }

    drawMarks(plot) {
        const { ctx } = plot;

        ctx.save();
        for (const note of this.frame.notes ?? [])
            if (note.at > this.frame.since && note.at < this.frame.until)
                this.drawMark(plot, note.at, this.paint[note.tone] ?? this.paint.mark, [2, 3]);
        if (this.frame.replay)
            this.drawMark(plot, this.frame.replay, this.paint.accent, []);
        ctx.restore();
    }

    drawMark(plot, time, stroke, dashes) {
        const { ctx, bbox } = plot;
        const x = Math.round(plot.valToPos(time, 'x', true)) + 0.5;
        const size = 4 * devicePixelRatio;

        ctx.strokeStyle = ctx.fillStyle = stroke;
        ctx.lineWidth = (dashes.length ? 1 : 2) * devicePixelRatio;
        ctx.setLineDash(dashes.map((length) => length * devicePixelRatio));
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        ctx.beginPath();
        ctx.moveTo(x - size, bbox.top - 2 * size);
        ctx.lineTo(x + size, bbox.top - 2 * size);
        ctx.lineTo(x, bbox.top);
        ctx.fill();
    }

    drawLegend() {
        this.values = [];
        this.legend.replaceChildren(...this.data.entries.map((entry, i) => {
            const swatch = el('span', { class: 'swatch' });
            const values = el('span', { class: 'values' });

            swatch.style.background = this.colours[i % COLOURS.length];
            this.values.push({ entry, values });
            return el('button', {
                type: 'button', 'aria-pressed': String(!this.hidden.has(entry.name)), title: 'Show or hide', onclick: () => this.toggle(entry.name),
            }, swatch, el('span', { class: 'name' }, entry.name), values);
        }));
        if (this.data.left)
            this.legend.append(el('span', { class: 'muted' }, `and ${this.data.left} more`));
        this.drawLegendValues(null);
    }

    // At the cursor; without one the means.
    drawLegendValues(index) {
        for (const { entry, values } of this.values ?? [])
            values.textContent = entry.values.map((list, i) => {
                const value = index === null || index === undefined ? summary(list).mean : list[index];
                return `${this.directions[i].sign}${value === null || value === undefined ? UNKNOWN : this.write(value)}`;
            }).join(' ');
    }

    toggle(name) {
        if (!this.hidden.delete(name))
            this.hidden.add(name);
        this.draw();
    }

    describe() {
        const parts = this.data.entries.map((entry) => `${entry.name}: ${this.directions.map((direction, i) => {
            const { mean, largest } = summary(entry.values[i]);
            return mean === null ? `${direction.name} unknown` : `${direction.name} ${this.write(mean)} in the mean, ${this.write(largest)} at most`;
        }).join(', ')}`);

        return `${moment(this.frame.since)} to ${moment(this.frame.until)}. ${parts.join('; ') || 'Nothing was measured'}.`;
    }

    drawTable() {
        const heads = this.lines().map(({ entry, direction }) => el('th', { scope: 'col', class: 'number' }, `${entry.name}${direction.name ? ` ${direction.name}` : ''}`));
        const rows = this.data.times.map((time, row) => el('tr', null, el('th', { scope: 'row' }, moment(time)), ...this.lines().map(({ values }) => (
            el('td', { class: 'number' }, values[row] === null ? UNKNOWN : el('data', { value: values[row] }, this.write(values[row])))))));

        this.table.replaceChildren(el('table', null, el('caption', { class: 'unseen' }, this.frame.title), el('thead', null, el('tr', null, el('th', { scope: 'col' }, 'Up to'), ...heads)), el('tbody', null, ...rows)));
    }
}
