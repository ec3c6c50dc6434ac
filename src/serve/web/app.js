// SPDX-License-Identifier: MIT
// The page: when it asks, and what the controls do.

import * as api from './api.js';
import { Chart } from './charts.js';
import { byId, el } from './dom.js';
import { bitRate, moment } from './format.js';
import { install } from './keys.js';
import { brush, go, link, PRESETS, read, replayAt, replayMove, state, zoom } from './state.js';
import { chartKey, charts, CHARTS, frame, loadDoctor, loadNotes, loadRates, loadSockets, loadStates, loadTop, panels, showFindings } from './views.js';

const REFRESH = 10000; // milliseconds: how often "now" is asked again, as often as there usually is a tick
const TABLES = {
    processes: (shown) => loadTop('processes', shown), peers: (shown) => loadTop('peers', shown), ports: (shown) => loadTop('ports', shown), sockets: loadSockets,
};
const LOADS = { rates: loadRates, states: loadStates, notes: loadNotes, ...TABLES };
const ALWAYS = ['notes', 'processes']; // whose answers have the name of the host and what was measured

let live = true;
let loads = 0;
let asking = 0;
let last = 0; // when the whole was asked

function showControls() {
    const shown = frame();

    for (const anchor of byId('presets').children) {
        anchor.href = link({ since: anchor.dataset.since, until: '', at: '' });
        anchor.setAttribute('aria-current', String(!state.until && anchor.dataset.since === state.since));
    }
    if (document.activeElement !== byId('filter'))
        byId('filter').value = state.filter;
    byId('chart').value = chartKey();
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

    line.hidden = !state.filter || !wrong.length || results.some(({ status }) => status === 'fulfilled');
    line.textContent = line.hidden ? '' : wrong[wrong.length - 1];
    byId('filter').setAttribute('aria-invalid', String(!line.hidden));
}

// --- asking ---

function needToken(results) {
    const dialog = byId('token');

    if (results.some(({ reason }) => reason?.status === 401) && !dialog.open)
        dialog.showModal();
}

function loadPanels(ids, shown) {
    ids.forEach((id) => { panels[id].isLate = false; });
    return Promise.allSettled(ids.map((id) => LOADS[id](shown)));
}

// Of those that are not wanted what comes is asked when they are seen.
async function load(isWanted = () => true) {
    const shown = frame();
    const turn = ++asking;
    const ids = Object.keys(LOADS).filter((id) => ALWAYS.includes(id) || isWanted(panels[id]));

    showControls();
    Object.values(panels).forEach((panel) => { panel.isLate = true; });
    if (shown.replay === null)
        loadDoctor();
    const ofCharts = loadPanels(ids.filter((id) => !TABLES[id]), shown).then((results) => {
        showFindings();
        return results;
    });
    const ofTables = loadPanels(ids.filter((id) => TABLES[id]), shown).then((results) => {
        if (turn === asking)
            showFilterError(results);
        return results;
    });
    const results = [...await ofCharts, ...await ofTables];

    if (turn !== asking)
        return;
    needToken(results);
    byId('panels').dataset.loads = String(++loads); // tests wait for it
    performance.mark('nwho-loaded');
}

function rests(shown) {
    return !live || document.hidden || shown.replay !== null || document.querySelector('.u-over:active'); // whoever brushes goes on
}

// Only what is seen is asked for; the window as often as it has something new. What is slow to come is not asked for once more.
async function refresh() {
    const shown = frame();

    if (rests(shown) || Object.values(panels).some((panel) => panel.isBusy()))
        return;
    if (shown.isNow && Date.now() - last >= Math.max(shown.every * 1000, REFRESH) - REFRESH / 2) { // timers are not exact
        last = Date.now();
        await load((panel) => panel.isSeen);
        return;
    }
    panels.sockets.isLate = true;
    await Promise.allSettled([loadDoctor(), ...panels.sockets.isSeen ? [loadPanels(['sockets'], shown)] : []]);
}

// It has waited for that since it was asked for last.
function seen(panel) {
    const shown = frame();

    if (panel.isLate && !rests(shown))
        loadPanels([panel.id], shown);
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
    Object.values(panels).forEach((panel) => panel.watch(seen));
    byId('presets').append(...PRESETS.map(([since, text]) => el('a', { 'data-since': since, href: '#' }, text)));
    panels.rates.tools.append(el('span', { id: 'chart-hint', class: 'muted' }),
        el('label', { class: 'unseen', for: 'chart' }, 'Lines of'),
        el('select', { id: 'chart', onchange: (event) => go({ chart: event.target.value }) }, ...Object.entries(CHARTS).map(([key, { title }]) => el('option', { value: key }, title))),
        chartButton('rates'));
    panels.states.tools.append(chartButton('states'));
    panels.sockets.tools.append(el('span', { id: 'sockets-count', class: 'muted' }),
        el('button', { type: 'button', id: 'closed', 'aria-pressed': 'false', title: 'Connections that are over are kept for a minute', onclick: () => go({ closed: state.closed ? '' : 'time-wait' }) }, 'With time-wait'));
    charts.rates = new Chart(panels.rates.body, { directions: [{ name: 'received', sign: '↓' }, { name: 'sent', sign: '↑' }], write: bitRate, minimum: 1000, onBrush: brush, onClick: replayAt });
    charts.states = new Chart(panels.states.body, { directions: [{ name: '', sign: '' }], write: (value) => String(Math.round(value * 10) / 10), minimum: 4, onBrush: brush, onClick: replayAt });
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
    byId('skip').addEventListener('click', (event) => { // the address is taken by what is shown
        event.preventDefault();
        byId('panels').focus();
    });
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
