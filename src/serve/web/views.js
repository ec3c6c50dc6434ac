// SPDX-License-Identifier: MIT
// What each panel asks for, and how it shows the answer.

import * as api from './api.js';
import { byId, el } from './dom.js';
import { clock, duration, iso, moment, step } from './format.js';
import { finding, leftOut, prepare, replaceFindings, standing, timeline } from './notes.js';
import { Panel } from './panels.js';
import { makeSeries } from './series.js';
import { addFilter, replayAt, replayTime, sortBy, sortOf, state, TICK, timeWindow } from './state.js';
import { asked, table, typed } from './tables.js';

const SERIES = 5;
const ROWS = 12;
const SOCKETS = 60;
export const CHARTS = {
    iface: { title: 'Interfaces', columns: 'iface', name: (row) => row.iface },
    process: { title: 'Processes', columns: 'pid,process', name: (row) => `${row.process || '?'}${row.pid ? ` (${row.pid})` : ''}` },
    peer: { title: 'Peers', columns: 'peer_addr', name: (row) => row.peer_addr || '(others)' },
    port: { title: 'Ports', columns: 'proto,service_port', name: (row) => `${row.proto || ''} ${row.service_port || '*'}`.trim() },
    unit: { title: 'Units', columns: 'unit', name: (row) => row.unit || '(none)' },
    user: { title: 'Users', columns: 'user', name: (row) => row.user || '(none)' },
};
const TOPS = { processes: ['process', 'Processes'], peers: ['peer', 'Peers'], ports: ['port', 'Ports'] };

export const panels = Object.fromEntries([['rates', 'Rates'], ['notes', 'Findings'], ['processes', 'Processes'], ['peers', 'Peers'], ['ports', 'Ports'], ['states', 'Connections by state'], ['sockets', 'Sockets']]
    .map(([id, title]) => [id, new Panel(id, title)]));
export const charts = {};
let notes = []; // of the window
let now = { findings: [], checks: [], error: 'Asking ...' };

// --- what is asked ---

export function frame() {
    const shown = timeWindow();

    return { ...shown, title: `${moment(shown.since)} to ${moment(shown.until)}`, notes, replay: replayTime() };
}

function span({ since, until }) {
    return { since: iso(since), until: iso(until) };
}

// The window, or the moment of replay.
function timeOfTables(shown) {
    return shown.replay === null ? span(shown) : { at: iso(shown.replay) };
}

async function loadSeries(id, shown, { by, name, columns, measures, filter, every, most, scale }) {
    const answer = await panels[id].load(api.csv, 'history', { filter, by, ...span(shown), every: step(every), columns: `time,${columns},${measures}`, limit: id === 'rates' ? SERIES : '' });

    if (!answer)
        return;
    const rows = scale === 1 ? answer.rows : answer.rows.map((row) => ({ ...row, ...Object.fromEntries(measures.split(',').map((key) => [key, row[key] * scale])) }));
    const data = makeSeries(rows, { ...shown, every }, name, measures.split(','), most);
    panels[id].body.classList.toggle('empty', !rows.length);
    charts[id].show(data, { ...shown, ...frame() });
}

// A link may say anything.
export function chartKey() {
    return Object.hasOwn(CHARTS, state.chart) ? state.chart : 'iface';
}

export function loadRates(shown) {
    const by = chartKey();
    const { columns, name } = CHARTS[by];
    const isWhole = by === 'iface';

    byId('chart-hint').textContent = isWhole && state.filter ? 'interfaces, not filtered' : '';
    return loadSeries('rates', shown, { by, name, columns, measures: 'rx_rate,tx_rate', filter: isWhole ? '' : state.filter, every: shown.every, most: SERIES, scale: 8 });
}

export function loadStates(shown) {
    return loadSeries('states', shown, { by: 'state', name: (row) => row.state, columns: 'state', measures: 'mean', filter: 'tcp', every: shown.every * 3, most: 6, scale: 1 });
}

function captionOf(title, shown) {
    return `${title}, ${shown.replay === null ? shown.title : `at ${moment(shown.replay)}`}`;
}

function showTable(panel, kind, rows, caption) {
    const sort = sortOf(panel.id);

    if (!rows.length)
        panel.say(caption.startsWith('Sockets') ? 'No socket matches.' : state.filter ? 'Nothing matches in this time.' : 'Nothing was measured in this time.');
    else if (panel.isNew([kind, rows, sort, caption]))
        panel.showTable(table(kind, rows, { caption, sort, onSort: (column) => sortBy(panel.id, column), onFilter: addFilter }), caption);
}

export async function loadTop(id, shown) {
    const [by, title] = TOPS[id];
    const panel = panels[id];
    const isFirst = id === 'processes'; // tells of the window, too; with the others notes would come again and again
    const answer = await panel.load(isFirst ? api.json : api.csv, 'history', { filter: state.filter, by, ...timeOfTables(shown), columns: asked[by], sort: sortOf(id), limit: ROWS });

    if (!answer)
        return;
    showTable(panel, by, isFirst ? answer.document.rows : typed(by, answer.rows), captionOf(title, shown));
    if (isFirst)
        describeWindow(shown, answer.document);
}

// A server has a minute of them, which may be thousands of times what it has open. Whoever filters by state means it.
function wantsTimeWait() {
    return Boolean(state.closed) || /\bstate\b|time-?wait/i.test(state.filter);
}

export async function loadSockets(shown) {
    const panel = panels.sockets;
    const isPast = shown.replay !== null;
    const kind = isPast ? 'flows' : 'sockets';
    const closed = byId('closed');

    panel.setTitle(isPast ? `Traffic at ${clock(shown.replay)}` : 'Sockets now');
    byId('sockets-count').textContent = '';
    closed.hidden = isPast;
    closed.setAttribute('aria-pressed', String(wantsTimeWait()));
    const answer = await panel.load(api.json, isPast ? 'history' : 'sockets',
        { filter: state.filter, ...(isPast ? { by: 'process,peer,port', ...timeOfTables(shown) } : { time_wait: wantsTimeWait() ? '' : 'no' }), columns: asked[kind], sort: sortOf('sockets'), limit: SOCKETS });

    if (!answer)
        return;
    const { rows, warnings, time } = answer.document;
    const count = rows.length === SOCKETS ? `first ${rows.length}: the filter finds others` : rows.length;
    showTable(panel, kind, rows, isPast ? captionOf('Traffic', shown) : 'Sockets now');
    byId('sockets-count').title = (warnings ?? []).map(({ text }) => text).join('\n');
    byId('sockets-count').textContent = `${count}${isPast ? '' : `, of ${clock(Date.parse(time) / 1000)}`}${warnings?.length ? ', with warnings' : ''}`;
}

export async function loadNotes(shown) {
    const answer = await panels.notes.load(api.json, 'history', { ...span(shown), by: 'iface', columns: 'iface', limit: 1 });

    if (!answer)
        return;
    notes = prepare(answer.document.notes);
    byId('host').textContent = answer.document.host ?? '';
    document.title = `${answer.document.host ?? ''} - nwho`;
    Object.values(charts).forEach((chart) => chart.decorate({ notes }));
}

// Beside the others: where the recorder has no answer of its own yet, it may take seconds.
export async function loadDoctor() {
    try {
        const { rows, checks } = (await api.json('doctor', {})).document;
        now = { findings: rows, checks, error: '' };
    } catch (error) {
        now = { findings: [], checks: [], error: error.message };
    }
    showFindings();
}

export function showFindings() {
    const shown = frame();
    const isPast = shown.replay !== null;
    const findings = isPast ? standing(notes, shown.replay + TICK) : now.findings;
    const panel = panels.notes;

    panel.setTitle(isPast ? `Findings at ${clock(shown.replay)}` : 'Findings now');
    if (!panel.isNew([findings, now.checks, notes, now.error, shown.replay]))
        return;
    const none = now.error && !isPast ? now.error : isPast ? 'Nothing was wrong then.' : 'Nothing is wrong.';
    replaceFindings(panel.body, [
        ...(findings.length ? findings.map(finding) : [el('p', { class: 'muted' }, none)]),
        isPast ? null : leftOut(now.checks),
        el('h3', null, 'What happened in this time'),
        notes.length ? timeline(notes, shown.replay, replayAt) : el('p', { class: 'muted' }, 'Nothing was noted.')]);
}

// The line below the header.
function describeWindow(shown, { measured_s: measured, tier, accounting }) {
    const parts = [shown.title, `pieces of ${step(shown.every)}`];

    if (shown.replay === null && measured !== undefined)
        parts.push(measured > 0 ? `measured ${duration(Math.min(measured, shown.until - shown.since))} of ${duration(shown.until - shown.since)}` : 'nothing measured');
    if (accounting === 'bpf')
        parts.push('exact');
    if (tier && tier !== 'fine')
        parts.push(`from sums of each ${tier}`);
    byId('window-text').textContent = parts.join(' · ');
}
