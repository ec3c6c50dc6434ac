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
    return texts?.length ? [el('dt', null, 'Shows more'), ...texts.map((text) => el('dd', null, el('code', null, text)))] : [];
}

export function finding(row) {
    const details = el('dl', null, ...lines('Why', row.cause ? [row.cause] : []), ...lines('What to do', row.fix), ...lines('What not', row.avoid), ...commands(row.cause ? row.next : [`nwho doctor ${row.check}`, `nwho doctor --explain ${row.check}`]));
    const who = [row.process && `${row.process}${row.pid ? ` (${row.pid})` : ''}`, row.iface].filter(Boolean).join(', ');
    const head = [el('span', { class: `badge ${TONES[row.severity] ?? 'info'}` }, row.severity ?? 'info'), ' ', el('strong', null, row.check ?? ''), ' ',
        el('span', null, row.what ?? ''), who ? el('span', { class: 'muted' }, ` ${who}`) : null];

    return el('details', { class: 'finding' }, el('summary', null, ...head), details);
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
