// SPDX-License-Identifier: MIT
// Asking the recorder. Each answer is a document of a command, and a header says of which.

const TOKEN = 'nwho-token';

export class ApiError extends Error {
    constructor(message, status) {
        super(message);
        this.status = status;
    }
}

export function token() {
    return sessionStorage.getItem(TOKEN);
}

export function setToken(text) {
    sessionStorage.setItem(TOKEN, text);
}

export function address(path, params, format) {
    const words = new URLSearchParams();

    for (const [key, value] of Object.entries(params))
        if (value !== '' && value !== null && value !== undefined)
            words.set(key, value);
    if (format !== 'json')
        words.set('format', format);
    return `/api/v1/${path}${words.size ? `?${words}` : ''}`;
}

async function problemOf(response) {
    const text = await response.text();

    try {
        const { error, detail } = JSON.parse(text);

        return [error ?? text, ...detail ?? []].join('\n');
    } catch {
        return text || response.statusText;
    }
}

async function ask(path, params, format, signal) {
    const shown = token();
    const response = await fetch(address(path, params, format), {
        signal,
        cache: 'no-store',
        headers: shown ? { Authorization: `Bearer ${shown}` } : {},
    }).catch((error) => {
        if (error.name === 'AbortError')
            throw error;
        throw new ApiError('The recorder does not answer: is nwho serve running?', 0);
    });

    if (!response.ok)
        throw new ApiError((await problemOf(response)).trim(), response.status);
    return { response, command: response.headers.get('Nwho-Command') ?? '' };
}

export async function json(path, params, signal) {
    const { response, command } = await ask(path, params, 'json', signal);

    return { document: await response.json(), command };
}

// A series is many rows with the same keys: CSV is half of the bytes.
export async function csv(path, params, signal) {
    const { response, command } = await ask(path, params, 'csv', signal);

    return { rows: parseCsv(await response.text()), command };
}

// RFC 4180, with a header line; objects of texts.
export function parseCsv(text) {
    const lines = [];
    let line = [];

    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
        line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
        if (end === ',')
            continue;
        if (line.length > 1 || line[0])
            lines.push(line);
        line = [];
    }
    const [keys, ...values] = lines;
    return values.map((fields) => Object.fromEntries(keys.map((key, i) => [key, fields[i]])));
}

// A link cannot carry a token.
export async function download(path, params, format, name) {
    const { response } = await ask(path, params, format);
    const anchor = document.createElement('a');

    anchor.href = URL.createObjectURL(await response.blob());
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
}
