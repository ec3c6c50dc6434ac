// SPDX-License-Identifier: MIT
// The keyboard: one table of keys, from which the help follows.

import { byId, el } from './dom.js';

const HINTS = [
    ['Charts', 'Drag to zoom, click for the tables of that moment; names in the legend hide lines. Received is above the line, sent below it.'],
    ['Filter', 'The language of the command line: process nginx, host 192.0.2.7, port 443, user www-data, joined by and, or, not. What is clicked in a table is added.'],
    ['Units', 'Rates are bits a second, counted by 1000; bytes are counted by 1024, as nwho prints them.'],
    ['Links', 'The address bar has what is shown; the title of a panel is a link to it. Below each panel stands the command that tells the same.'],
];

export function install(bindings) {
    const dialog = byId('help');

    dialog.replaceChildren(
        el('h2', { id: 'help-title' }, 'Keys'),
        el('dl', { class: 'keys' }, ...bindings.flatMap(({ keys, help }) => [el('dt', null, ...keys.flatMap((key, i) => [i ? ' ' : '', el('kbd', null, NAMES[key] ?? key)])), el('dd', null, help)])),
        el('dl', null, ...HINTS.flatMap(([title, text]) => [el('dt', null, title), el('dd', null, text)])),
        el('form', { method: 'dialog' }, el('button', { type: 'submit' }, 'Close')));
    document.addEventListener('keydown', (event) => pressed(event, bindings));
}

const NAMES = { ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' };

function isTyping(target) {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}

// Arrows scroll a table that has the focus, and whoever types means letters.
function pressed(event, bindings) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
        return;
    if (isTyping(event.target)) {
        if (event.key === 'Escape')
            event.target.blur();
        return;
    }
    if (event.key.startsWith('Arrow') && event.target instanceof Element && event.target.closest('.scroll'))
        return;
    const binding = bindings.find(({ keys }) => keys.includes(event.key));
    if (!binding)
        return;
    event.preventDefault();
    binding.run(event);
}
