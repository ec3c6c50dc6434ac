// SPDX-License-Identifier: MIT
// The page: what each panel asks for, when it asks again, and what the controls do.

import * as api from './api.js';
import { Chart } from './charts.js';
import { byId, el } from './dom.js';
import { bitRate, clock, duration, iso, moment, step } from './format.js';
import { install } from './keys.js';
import { finding, prepare, standing, timeline } from './notes.js';
import { Panel } from './panels.js';
import { makeSeries } from './series.js';
import { addFilter, brush, go, link, PRESETS, read, replayAt, replayMove, replayTime, sortBy, sortOf, state, TICK, timeWindow, zoom } from './state.js';
import { asked, table } from './tables.js';

const REFRESH = 5000; // milliseconds: how often "now" is asked again
const SERIES = 5;
const ROWS = 12;
const SOCKETS = 200;
const CHARTS = {
    iface: { title: 'Interfaces', columns: 'iface', name: (row) => row.iface },
    process: { title: 'Processes', columns: 'pid,process', name: (row) => `${row.process || '?'}${row.pid ? ` (${row.pid})` : ''}` },
    peer: { title: 'Peers', columns: 'peer_addr', name: (row) => row.peer_addr || '(others)' },
    port: { title: 'Ports', columns: 'proto,service_port', name: (row) => `${row.proto || ''} ${row.service_port || '*'}`.trim() },
    unit: { title: 'Units', columns: 'unit', name: (row) => row.unit || '(none)' },
    user: { title: 'Users', columns: 'user', name: (row) => row.user || '(none)' },
};
const TOPS = { processes: ['process', 'Processes'], peers: ['peer', 'Peers'], ports: ['port', 'Ports'] };

const panels = Object.fromEntries([['rates', 'Rates'], ['notes', 'Findings'], ['processes', 'Processes'], ['peers', 'Peers'], ['ports', 'Ports'], ['states', 'Connections by state'], ['sockets', 'Sockets']]
    .map(([id, title]) => [id, new Panel(id, title)]));
const charts = {};
let notes = []; // of the window
let now = { findings: [], error: '' };
let live = true;
let loads = 0;
let asking = 0;

// --- what is asked ---

function frame() {
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
    const answer = await panels[id].load(api.rows, 'history', { filter, by, ...span(shown), every: step(every), columns: `time,${columns},${measures}`, limit: id === 'rates' ? SERIES : '' });

    if (!answer)
        return;
    const rows = scale === 1 ? answer.rows : answer.rows.map((row) => ({ ...row, ...Object.fromEntries(measures.split(',').map((key) => [key, row[key] * scale])) }));
    const data = makeSeries(rows, { ...shown, every }, name, measures.split(','), most);
    panels[id].body.classList.toggle('empty', !rows.length);
    charts[id].show(data, { ...shown, ...frame() });
}

function loadRates(shown) {
    const { columns, name } = CHARTS[state.chart] ?? CHARTS.iface;
    const isWhole = state.chart === 'iface';

    byId('chart-hint').textContent = isWhole && state.filter ? 'interfaces, not filtered' : '';
    return loadSeries('rates', shown, { by: state.chart, name, columns, measures: 'rx_rate,tx_rate', filter: isWhole ? '' : state.filter, every: shown.every, most: SERIES, scale: 8 });
}

function loadStates(shown) {
    return loadSeries('states', shown, { by: 'state', name: (row) => `${row.proto} ${row.state}`, columns: 'proto,state', measures: 'mean', filter: '', every: shown.every * 3, most: 6, scale: 1 });
}

function captionOf(title, shown) {
    return `${title}, ${shown.replay === null ? shown.title : `at ${moment(shown.replay)}`}`;
}

function showTable(panel, kind, rows, caption) {
    const sort = sortOf(panel.id);

    if (!rows.length)
        panel.say(caption.startsWith('Sockets') ? 'No socket matches.' : state.filter ? 'Nothing matches in this time.' : 'Nothing was measured in this time.');
    else if (panel.isNew([kind, rows, sort, caption]))
        panel.body.replaceChildren(el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
            table(kind, rows, { caption, sort, onSort: (column) => sortBy(panel.id, column), onFilter: addFilter })));
}

async function loadTop(id, shown) {
    const [by, title] = TOPS[id];
    const panel = panels[id];
    const answer = await panel.load(api.document_, 'history', { filter: state.filter, by, ...timeOfTables(shown), columns: asked[by], sort: sortOf(id), limit: ROWS });

    if (!answer)
        return;
    showTable(panel, by, answer.document.rows, captionOf(title, shown));
    if (id === 'processes')
        describeWindow(shown, answer.document);
}

async function loadSockets(shown) {
    const panel = panels.sockets;
    const isPast = shown.replay !== null;
    const kind = isPast ? 'flows' : 'sockets';
    const answer = await panel.load(api.document_, isPast ? 'history' : 'sockets',
        { filter: state.filter, ...(isPast ? { by: 'process,peer,port', ...timeOfTables(shown) } : {}), columns: asked[kind], sort: sortOf('sockets'), limit: SOCKETS });

    panel.setTitle(isPast ? `Traffic at ${clock(shown.replay)}` : 'Sockets now');
    if (!answer)
        return;
    const { rows, warnings } = answer.document;
    showTable(panel, kind, rows, isPast ? captionOf('Traffic', shown) : 'Sockets now');
    panel.tools.replaceChildren(el('span', { class: 'muted', title: (warnings ?? []).map(({ text }) => text).join('\n') || null },
        `${rows.length === SOCKETS ? `first ${rows.length}` : rows.length}${warnings?.length ? ', with warnings' : ''}`));
}

async function loadNotes(shown) {
    const answer = await panels.notes.load(api.document_, 'history', { ...span(shown), by: 'iface', columns: 'iface', limit: 1 });

    if (!answer)
        return;
    notes = prepare(answer.document.notes);
    byId('host').textContent = answer.document.host ?? '';
    document.title = `${answer.document.host ?? ''} - nwho`;
    Object.values(charts).forEach((chart) => chart.decorate({ notes }));
}

async function loadDoctor() {
    try {
        now = { findings: (await api.document_('doctor', {})).document.rows, error: '' };
    } catch (error) {
        now = { findings: [], error: error.message };
    }
}

function showFindings() {
    const shown = frame();
    const isPast = shown.replay !== null;
    const findings = isPast ? standing(notes, shown.replay + TICK) : now.findings;
    const panel = panels.notes;

    panel.setTitle(isPast ? `Findings at ${clock(shown.replay)}` : 'Findings now');
    if (!panel.isNew([findings, notes, now.error, shown.replay]))
        return;
    const none = now.error && !isPast ? now.error : isPast ? 'Nothing was wrong then.' : 'Nothing is wrong.';
    panel.body.replaceChildren(
        ...(findings.length ? findings.map(finding) : [el('p', { class: 'muted' }, none)]),
        el('h3', null, 'What happened in this time'),
        notes.length ? timeline(notes, shown.replay, replayAt) : el('p', { class: 'muted' }, 'Nothing was noted.'));
}

// --- the line below the header ---

function describeWindow(shown, { measured_s: measured, tier, accounting }) {
    const parts = [shown.title, `pieces of ${step(shown.every)}`];

    if (shown.replay === null && measured !== undefined)
        parts.push(measured > 0 ? `measured ${duration(measured)} of ${duration(shown.until - shown.since)}` : 'nothing measured');
    if (accounting === 'bpf')
        parts.push('exact');
    if (tier && tier !== 'fine')
        parts.push(`kept by the ${tier}`);
    byId('window-text').textContent = parts.join(' · ');
}

function showControls() {
    const shown = frame();

    for (const anchor of byId('presets').children) {
        anchor.href = link({ since: anchor.dataset.since, until: '', at: '' });
        anchor.setAttribute('aria-current', String(!state.until && anchor.dataset.since === state.since));
    }
    if (document.activeElement !== byId('filter'))
        byId('filter').value = state.filter;
    byId('chart').value = CHARTS[state.chart] ? state.chart : 'iface';
    byId('replay').hidden = shown.replay === null;
    byId('window-hint').hidden = shown.replay !== null;
    byId('replay-text').textContent = shown.replay === null ? '' : `Replay of ${moment(shown.replay)}`;
    byId('live').setAttribute('aria-pressed', String(live));
    document.documentElement.classList.toggle('replaying', shown.replay !== null);
}

// Of a filter that no table understands; else each panel says so itself.
function showFilterError(results) {
    const wrong = results.filter(({ reason }) => reason?.status === 400).map(({ reason }) => reason.message);
    const line = byId('filter-error');

    line.hidden = !state.filter || wrong.length < 4;
    line.textContent = line.hidden ? '' : wrong[wrong.length - 1];
    byId('filter').setAttribute('aria-invalid', String(!line.hidden));
}

// --- asking ---

function needToken(results) {
    const dialog = byId('token');

    if (results.some(({ reason }) => reason?.status === 401) && !dialog.open)
        dialog.showModal();
}

async function load() {
    const shown = frame();
    const turn = ++asking;

    showControls();
    const tables = [loadTop('processes', shown), loadTop('peers', shown), loadTop('ports', shown), loadSockets(shown)];
    const others = [loadRates(shown), loadStates(shown), loadDoctor(), loadNotes(shown)];
    const [ofTables, ofOthers] = await Promise.all([Promise.allSettled(tables), Promise.allSettled(others)]);

    if (turn !== asking)
        return;
    showFindings();
    showFilterError(ofTables);
    needToken([...ofTables, ...ofOthers]);
    byId('panels').dataset.loads = String(++loads); // tests wait for it
    performance.mark('nwho-loaded');
}

let last = 0;

// Only what is seen is asked for; the window as often as it has something new.
async function refresh() {
    const shown = frame();

    if (!live || document.hidden || shown.replay !== null)
        return;
    if (shown.isNow && Date.now() - last >= Math.max(shown.every * 1000, 2 * REFRESH)) {
        last = Date.now();
        await load();
        return;
    }
    await Promise.allSettled([loadSockets(shown), loadDoctor()]);
    showFindings();
}

function changed() {
    const view = new URLSearchParams(location.hash.slice(1)).get('view');

    read(location.hash);
    last = Date.now();
    load();
    if (view && panels[view])
        panels[view].element.scrollIntoView({ block: 'center' });
    for (const panel of Object.values(panels))
        panel.element.classList.toggle('chosen', panel.id === view);
}

// --- building ---

function chartButton(id) {
    const button = el('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
        const isTable = button.getAttribute('aria-pressed') !== 'true';
        button.setAttribute('aria-pressed', String(isTable));
        charts[id].showTable(isTable);
    } }, 'As table');

    return button;
}

function build() {
    const replaceTheme = () => Object.values(charts).forEach((chart) => chart.data && chart.draw());

    byId('panels').append(...Object.values(panels).map(({ element }) => element));
    byId('presets').append(...PRESETS.map(([since, text]) => el('a', { 'data-since': since, href: '#' }, text)));
    panels.rates.tools.append(el('span', { id: 'chart-hint', class: 'muted' }),
        el('label', { class: 'unseen', for: 'chart' }, 'Lines of'),
        el('select', { id: 'chart', onchange: (event) => go({ chart: event.target.value }) }, ...Object.entries(CHARTS).map(([key, { title }]) => el('option', { value: key }, title))),
        chartButton('rates'));
    panels.states.tools.append(chartButton('states'));
    charts.rates = new Chart(panels.rates.body, { directions: [{ name: 'received', sign: '↓' }, { name: 'sent', sign: '↑' }], write: bitRate, height: 280, minimum: 1000, onBrush: brush, onClick: replayAt });
    charts.states = new Chart(panels.states.body, { directions: [{ name: '', sign: '' }], write: (value) => String(Math.round(value * 10) / 10), height: 180, minimum: 4, onBrush: brush, onClick: replayAt });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', replaceTheme);
    return replaceTheme;
}

function toggleTheme(replaceTheme) {
    const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;

    document.documentElement.dataset.theme = isDark ? 'light' : 'dark';
    localStorage.setItem('nwho-theme', document.documentElement.dataset.theme);
    replaceTheme();
}

function toggleLive() {
    live = !live;
    showControls();
    refresh();
}

function connect(replaceTheme) {
    const actions = {
        'live': toggleLive, 'theme': () => toggleTheme(replaceTheme), 'help-button': () => byId('help').showModal(), 'zoom-in': () => zoom(0.5), 'zoom-out': () => zoom(2),
        'replay-back': () => replayMove(-1), 'replay-on': () => replayMove(1), 'replay-leave': () => go({ at: '' }),
    };

    for (const [id, action] of Object.entries(actions))
        byId(id).addEventListener('click', action);
    byId('filter-form').addEventListener('submit', (event) => {
        event.preventDefault();
        go({ filter: byId('filter').value.trim() });
    });
    byId('filter').addEventListener('search', () => go({ filter: byId('filter').value.trim() })); // its cross, too
    byId('token').addEventListener('close', () => {
        api.setToken(byId('token-input').value);
        load();
    });
    install([
        { keys: ['/'], help: 'Filter', run: () => byId('filter').select() },
        { keys: ['ArrowLeft', 'ArrowRight'], help: 'Replay: earlier, later (with Shift: ten pieces)', run: ({ key, shiftKey }) => replayMove((key === 'ArrowLeft' ? -1 : 1) * (shiftKey ? 10 : 1)) },
        { keys: ['Escape'], help: 'Leave replay', run: () => go({ at: '' }) },
        { keys: ['+', '-'], help: 'Zoom in, out', run: ({ key }) => zoom(key === '+' ? 0.5 : 2) },
        { keys: PRESETS.map((_, i) => String(i + 1)), help: 'Time range', run: ({ key }) => go({ since: PRESETS[key - 1][0], until: '', at: '' }) },
        { keys: ['l'], help: 'Live or not', run: toggleLive },
        { keys: ['t'], help: 'Dark or light', run: actions.theme },
        { keys: ['?'], help: 'This help', run: actions['help-button'] },
    ]);
    addEventListener('hashchange', changed);
    document.addEventListener('visibilitychange', refresh);
    setInterval(refresh, REFRESH);
}

connect(build());
changed();
