// SPDX-License-Identifier: MIT
// A panel: a title that is a link, what it shows or why it cannot, the command that tells the same, and downloads.

import { address, ApiError, download, token } from './api.js';
import { el } from './dom.js';
import { link } from './state.js';

const NEARLY = '100px'; // below and above what is in view

async function copy(button, text) {
    try {
        await navigator.clipboard.writeText(text);
        button.textContent = 'Copied';
    } catch {
        button.textContent = 'No clipboard';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
}

export class Panel {
    constructor(id, title) {
        this.id = id;
        this.request = null;
        this.isSeen = false; // it is in view, or nearly
        this.isLate = false; // there is something newer than what it shows
        this.title = el('a', { href: '#', title: 'Link to this view' }, title);
        this.tools = el('div', { class: 'tools' });
        this.body = el('div', { class: 'body' });
        this.message = el('pre', { class: 'message', hidden: true });
        this.command = el('code', { tabindex: '0', 'aria-label': 'Command that tells the same' });
        this.copy = el('button', { type: 'button', onclick: () => copy(this.copy, this.command.textContent) }, 'Copy');
        this.links = ['csv', 'json'].map((format) => this.linkTo(format));
        this.foot = el('footer', { hidden: true }, this.command, this.copy, ...this.links);
        this.element = el('section', { id: `panel-${id}`, class: 'panel', 'aria-labelledby': `title-${id}` },
            el('div', { class: 'head' }, el('h2', { id: `title-${id}` }, this.title), this.tools), this.message, this.body, this.foot);
    }

    linkTo(format) {
        return el('a', { class: 'download', download: `nwho-${this.id}.${format}`, title: `Download as ${format.toUpperCase()}`, onclick: (event) => {
            if (!token())
                return;
            event.preventDefault();
            download(this.path, this.params, format, `nwho-${this.id}.${format}`).catch((error) => this.fail(error));
        } }, format.toUpperCase());
    }

    isBusy() {
        return this.element.hasAttribute('aria-busy');
    }

    // Tells each time that it comes into view.
    watch(onSeen) {
        new IntersectionObserver(([{ isIntersecting }]) => {
            this.isSeen = isIntersecting;
            if (isIntersecting)
                onSeen(this);
        }, { rootMargin: NEARLY }).observe(this.element);
    }

    setTitle(text) {
        this.title.textContent = text;
    }

    // The newest question counts: an older answer that comes late is dropped. True: there is something new.
    async load(ask, path, params) {
        Object.assign(this, { path, params });
        this.title.href = link({ view: this.id });
        this.request?.abort();
        const request = this.request = new AbortController();
        this.element.setAttribute('aria-busy', 'true');
        try {
            const answer = await ask(path, params, request.signal);
            this.succeed(answer);
            return answer;
        } catch (error) {
            if (error.name === 'AbortError')
                return null;
            this.fail(error);
            throw error;
        } finally {
            if (this.request === request)
                this.element.removeAttribute('aria-busy');
        }
    }

    succeed({ command }) {
        this.say('');
        this.command.textContent = command;
        this.links.forEach((anchor, i) => { anchor.href = address(this.path, this.params, ['csv', 'json'][i]); });
        this.foot.hidden = false;
    }

    fail(error) {
        this.say(error instanceof ApiError ? error.message : `The page failed: ${error.message}`);
        this.body.hidden = true;
        this.foot.hidden = true;
    }

    // Instead of the body; nothing: the body.
    say(text, tone = 'muted') {
        this.message.textContent = text;
        this.message.className = `message ${tone}`;
        this.message.hidden = !text;
        this.body.hidden = Boolean(text);
    }

    // In the place of the one before: where it was scrolled to stays, and so does the focus of a head.
    showTable(table, label) {
        const head = this.body.contains(document.activeElement) ? document.activeElement.closest('th')?.cellIndex : undefined;

        this.scroll ??= el('div', { class: 'scroll', tabindex: '0', role: 'region' });
        this.scroll.setAttribute('aria-label', label);
        this.scroll.replaceChildren(table);
        if (this.scroll.parentNode !== this.body)
            this.body.replaceChildren(this.scroll);
        if (head !== undefined)
            table.tHead.rows[0].cells[head]?.firstElementChild.focus({ preventScroll: true });
    }

    // Only what changed is drawn again, so that a selection in a table stays.
    isNew(content) {
        const text = JSON.stringify(content);

        if (text === this.shown)
            return false;
        this.shown = text;
        return true;
    }
}
