// SPDX-License-Identifier: MIT
// Findings with their texts, and what else happened in the time that is shown.

import { el } from './dom.js';
import { clock, day, moment } from './format.js';

const TONES = { crit: 'crit', warn: 'warn' };
const WORDS = { started: 'recording began', stopped: 'recording ended', gap: 'nothing was recorded', clock: 'the clock was set', lost: 'could not be written', finding: 'finding', mark: 'mark' };

export function prepare(notes) {
    return (notes ?? []).map((note) => ({ ...note, at: Date.parse(note.time) / 1000, tone: note.kind === 'finding' ? TONES[note.severity] ?? 'muted' : 'mark' }));
}

// Findings of a moment in the past: those that came before it and were not over.
export function standing(notes, time) {
    const found = new Map();

    for (const note of notes) {
        if (note.kind !== 'finding' || note.at > time)
            continue;
        if (note.severity === 'over')
            found.delete(`${note.check} ${note.what}`);
        else
            found.set(`${note.check} ${note.what}`, note);
    }
    return [...found.values()];
}

function lines(title, texts) {
    return texts?.length ? [el('dt', null, title), ...texts.map((text) => el('dd', null, text))] : [];
}

function commands(texts) {
    return lines('Shows more', texts?.map((text) => el('code', null, text)));
}

// A number that the finding rests on: what it was and is, in a second, and from which on it is a finding.
function proof({ counter, before, after, rate, threshold, source }) {
    const numbers = [`${counter}: ${[before, after].filter((number) => number !== null).join(' → ')}`, rate === null ? null : `${rate} a second`, threshold === null ? null : `limit ${threshold}`];

    return el('span', null, numbers.filter(Boolean).join(', '), el('span', { class: 'muted' }, ` ${source}`));
}

function nameOf(row) {
    return row.process ? `${row.process}${row.pid ? ` (${row.pid})` : ''}` : row.iface;
}

function placeOf(row) {
    const parts = [['user', row.user], ['unit', row.unit], ['container', row.container], ['at', row.local], ['peer', row.peer], ['interface', row.iface], ['network namespace', row.netns]];

    return parts.filter(([, text]) => text).map(([title, text]) => `${title} ${text}`).join(', ');
}

// The same one when the doctor looks again.
export function identity(row) {
    return JSON.stringify(['check', 'netns', 'pid', 'local', 'peer', 'iface', 'time'].map((key) => row[key] ?? null));
}

// What was noted in the past is what and when: the rest is told by the command.
export function finding(row) {
    const isWhole = row.cause !== undefined;
    const details = el('dl', null, ...lines('Where', [placeOf(row)].filter(Boolean)), ...lines('Evidence', row.evidence?.map(proof)), ...lines('Why', row.cause ? [row.cause] : []),
        ...lines('What to do', row.fix), ...lines('What not', row.avoid), ...commands(isWhole ? row.next : [`nwho doctor ${row.check}`, `nwho doctor --explain ${row.check}`]));
    const name = nameOf(row);
    const head = [el('span', { class: `badge ${TONES[row.severity] ?? 'info'}` }, row.severity ?? 'info'), ' ', el('strong', null, row.check ?? ''), ' ',
        name ? el('span', null, `${name} `) : null, el('span', null, row.what ?? '')];

    return el('details', { class: 'finding', 'data-identity': identity(row) }, el('summary', null, ...head), details);
}

// What the doctor could not look at, or not wholly, and why.
export function leftOut(checks) {
    const skipped = (checks ?? []).filter(({ skipped: why }) => why);

    return skipped.length ? el('details', { class: 'finding', 'data-identity': 'skipped' }, el('summary', null, el('span', { class: 'muted' }, `${skipped.length} of ${checks.length} checks did not see all`)),
        el('dl', null, ...skipped.flatMap(({ check, skipped: why }) => lines(check, [why])))) : null;
}

// Instead of those that are shown: which were open stays open, and the focus where it is.
export function replaceFindings(body, nodes) {
    const opened = new Set([...body.querySelectorAll('details[open]')].map(({ dataset }) => dataset.identity));
    const focus = document.activeElement?.closest('details')?.dataset.identity;

    body.replaceChildren(...nodes.filter(Boolean));
    for (const node of body.querySelectorAll('details')) {
        node.open = opened.has(node.dataset.identity);
        if (focus !== undefined && node.dataset.identity === focus)
            node.firstElementChild.focus({ preventScroll: true });
    }
}

function textOf(note) {
    if (note.kind === 'finding')
        return `${note.severity === 'over' ? 'over: ' : ''}${note.check ?? ''} ${note.what ?? note.text}`.trim();
    return note.text || WORDS[note.kind] || note.kind;
}

// Newest first; each leads to its moment.
export function timeline(notes, replay, onClick) {
    const items = [...notes].reverse().map((note) => el('li', { class: replay && note.at <= replay ? 'past' : null },
        el('button', { type: 'button', title: moment(note.at), onclick: () => onClick(note.at) }, el('time', { datetime: note.time }, `${day(note.at).slice(5)} ${clock(note.at)}`)),
        el('span', { class: `badge ${note.tone === 'mark' ? 'info' : note.tone}` }, note.kind === 'finding' ? note.severity : note.kind), el('span', { class: 'text' }, textOf(note))));

    return el('ol', { class: 'timeline' }, ...items);
}
