// SPDX-License-Identifier: MIT
// What the page shows, as it is in the link: #since=-1h&filter=... Everything else follows from it.

import { iso } from './format.js';

export const PRESETS = [['-15m', '15 min', 900], ['-1h', '1 h', 3600], ['-6h', '6 h', 21600], ['-24h', '24 h', 86400], ['-7d', '7 d', 604800]];
const DEFAULTS = { since: '-1h', until: '', at: '', filter: '', chart: 'iface', view: '', sort: '', closed: '' };
const STEPS = [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800];
const POINTS = 300;
export const TICK = 10; // seconds that one moment of replay is long
const SHORTEST = 60;

export const state = { ...DEFAULTS };

export function read(hash) {
    const words = new URLSearchParams(hash.replace(/^#/, ''));

    for (const [key, usual] of Object.entries(DEFAULTS))
        state[key] = words.get(key) ?? usual;
}

export function link(changes = {}) {
    const words = new URLSearchParams();

    for (const [key, value] of Object.entries({ ...state, view: '', ...changes }))
        if (key in DEFAULTS && value !== DEFAULTS[key])
            words.set(key, value);
    return `#${words}`;
}

// A step that the button "back" undoes; nothing happens where nothing changes.
export function go(changes) {
    const target = link(changes);

    if (target !== (location.hash || '#'))
        location.hash = target;
}

function seconds(text) {
    return /^@/.test(text) ? Number(text.slice(1)) : Date.parse(text) / 1000;
}

// The time that is shown. Pieces of a series begin at multiples of their length, so that they stay the
// same when the page asks again.
export function timeWindow(now = Date.now() / 1000) {
    const preset = PRESETS.find(([since]) => since === state.since);
    const isNow = !state.until && Boolean(preset);
    let until = state.until ? seconds(state.until) : Math.floor(now);
    let since = preset ? until - preset[2] : seconds(state.since);

    if (!Number.isFinite(until))
        until = Math.floor(now);
    if (!Number.isFinite(since) || since >= until)
        since = until - 3600;
    const span = until - since;
    const every = STEPS.find((length) => length * POINTS >= span) ?? STEPS[STEPS.length - 1];
    return { since: isNow ? Math.floor(since / every) * every : since, until, every, isNow };
}

export function replayTime() {
    const time = state.at ? seconds(state.at) : NaN;

    return Number.isFinite(time) ? time : null;
}

function atMoment(time) {
    return { at: iso(Math.floor(time / TICK) * TICK) };
}

export function replayAt(time) {
    go(atMoment(time));
}

export function replayMove(pieces) {
    const shown = timeWindow();
    const from = replayTime() ?? shown.until;
    const time = Math.min(Math.max(from + pieces * shown.every, shown.since), shown.until - TICK);

    // A window that goes on would lose the moment: it stays where it is.
    go({ ...atMoment(time), ...(replayTime() === null && shown.isNow ? fixed(shown.since, shown.until) : {}) });
}

function fixed(since, until) {
    return { since: iso(since), until: iso(until) };
}

export function brush(since, until) {
    const middle = (since + until) / 2;
    const half = Math.max(until - since, SHORTEST) / 2;

    go(fixed(Math.floor((middle - half) / TICK) * TICK, Math.ceil((middle + half) / TICK) * TICK));
}

// By a factor of two, about the moment of replay or the middle; out never into the future.
export function zoom(factor) {
    const { since, until } = timeWindow();
    const centre = replayTime() ?? (since + until) / 2;
    const half = ((until - since) * factor) / 2;

    brush(centre - half, Math.min(centre + half, Math.floor(Date.now() / 1000)));
}

export function sortOf(panel) {
    const entry = state.sort.split(',').find((word) => word.startsWith(`${panel}.`));

    return entry ? entry.slice(panel.length + 1) : '';
}

// Each click: largest first, smallest first, as it usually is.
export function sortBy(panel, column) {
    const now = sortOf(panel);
    const next = now === `${column}:desc` ? column : now === column ? '' : `${column}:desc`;
    const others = state.sort.split(',').filter((word) => word && !word.startsWith(`${panel}.`));

    go({ sort: [...others, ...(next ? [`${panel}.${next}`] : [])].join(',') });
}

// One more condition: of a thing that was clicked.
export function addFilter(condition) {
    const filter = state.filter.trim();

    if (!filter.includes(condition))
        go({ filter: !filter ? condition : / or |\|/.test(filter) ? `(${filter}) and ${condition}` : `${filter} and ${condition}` });
}
