// SPDX-License-Identifier: MIT
// Tables of rows: which columns each has, and how they become elements.

import { el } from './dom.js';
import { cell } from './format.js';

function quoted(text) {
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function endpoint(row, side) {
    const address = row[`${side}_addr`];
    const port = row[`${side}_port`];

    if (address === null || address === undefined)
        return row.path && side === 'local' ? row.path : '*';
    return `${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`;
}

function processOf(row) {
    if (row.process)
        return `${row.process}${row.pid ? ` (${row.pid})` : ''}`;
    return row.pid ? `pid ${row.pid}` : row.owner_note ? `(${row.owner_note})` : '(kernel or unknown)';
}

const PROCESS = { key: 'process', title: 'Process', write: processOf, wide: true, condition: (row) => (row.pid ? `pid ${row.pid}` : row.process ? `process ${quoted(row.process)}` : null) };
const PEER = { key: 'peer_addr', title: 'Peer', kind: 'text', wide: true, condition: (row) => (row.peer_addr ? `host ${row.peer_addr}` : null) };
const PORT = { key: 'service_port', title: 'Port', write: (row) => `${row.proto ?? ''} ${row.service_port ?? '*'}`.trim(), condition: (row) => (row.service_port ? `port ${row.service_port}` : null) };
const USER = { key: 'user', title: 'User', kind: 'text', small: true, condition: (row) => (row.user ? `user ${quoted(row.user)}` : null) };
const RATES = [
    { key: 'rx_rate', title: 'RX/s', kind: 'rate', number: true, help: 'Received a second' },
    { key: 'tx_rate', title: 'TX/s', kind: 'rate', number: true, help: 'Sent a second' },
];
const TOTALS = [
    { key: 'rx_bytes', title: 'RX', kind: 'bytes', number: true, help: 'Received', bar: true },
    { key: 'tx_bytes', title: 'TX', kind: 'bytes', number: true, help: 'Sent', bar: true },
];

export const columns = {
    process: [PROCESS, USER, { key: 'unit', title: 'Unit', kind: 'text', small: true, wide: true, condition: (row) => (row.unit ? `unit ${quoted(row.unit)}` : null) }, ...RATES, ...TOTALS],
    peer: [PEER, ...RATES, ...TOTALS],
    port: [PORT, ...RATES, ...TOTALS],
    sockets: [
        { key: 'proto', title: 'Proto', kind: 'text' }, { key: 'state', title: 'State', kind: 'text', condition: (row) => (row.state ? `state ${row.state}` : null) },
        { key: 'local_port', title: 'Local', write: (row) => endpoint(row, 'local'), wide: true },
        { key: 'peer_addr', title: 'Peer', write: (row) => endpoint(row, 'peer'), wide: true, condition: PEER.condition },
        PROCESS, USER,
        { key: 'recv_q', title: 'Recv-Q', kind: 'count', number: true }, { key: 'send_q', title: 'Send-Q', kind: 'count', number: true },
        { key: 'rtt_us', title: 'RTT', kind: 'us', number: true, small: true }, { key: 'sick', title: 'Sick', kind: 'text', sick: true },
    ],
    flows: [PROCESS, PORT, PEER, USER, ...RATES, ...TOTALS],
};

// What the request has to name.
export const asked = {
    process: 'pid,user,process,unit,rx_rate,tx_rate,rx_bytes,tx_bytes',
    peer: 'peer_addr,rx_rate,tx_rate,rx_bytes,tx_bytes',
    port: 'proto,service_port,rx_rate,tx_rate,rx_bytes,tx_bytes',
    sockets: 'proto,state,local_addr,local_port,peer_addr,peer_port,path,process,pid,user,owner_note,recv_q,send_q,rtt_us,sick',
    flows: 'proto,peer_addr,service_port,pid,user,process,rx_rate,tx_rate,rx_bytes,tx_bytes',
};

// Rows of CSV, which has texts only.
export function typed(kind, rows) {
    const numbers = columns[kind].filter(({ number }) => number).map(({ key }) => key);

    return rows.map((row) => ({ ...row, ...Object.fromEntries(numbers.map((key) => [key, row[key] === '' ? null : Number(row[key])])) }));
}

function headOf(column, sort, onSort) {
    const [key, order] = sort.split(':');
    const is = key !== column.key ? null : order === 'desc' ? 'descending' : 'ascending';

    return el('th', { scope: 'col', class: classOf(column), 'aria-sort': is },
        el('button', { type: 'button', title: column.help ? `${column.help}; sort` : 'Sort', onclick: () => onSort(column.key) }, column.title));
}

function classOf(column) {
    return [column.number && 'number', column.wide && 'wide', column.small && 'small'].filter(Boolean).join(' ') || null;
}

function cellOf(column, row, largest, onFilter) {
    const text = column.write ? column.write(row) : cell(column.kind, row[column.key]);
    const condition = column.condition?.(row);
    const node = el('td', { class: classOf(column) }, condition ?
        el('button', { type: 'button', title: `${text}\nfilter: ${condition}`, onclick: () => onFilter(condition) }, text) : text);

    if (column.wide && !condition)
        node.title = text;
    if (column.sick && row.sick)
        node.classList.add('warn');
    if (column.bar && largest[column.key] > 0) {
        node.classList.add('bar');
        node.style.setProperty('--part', `${Math.round((100 * (row[column.key] ?? 0)) / largest[column.key])}%`);
    }
    return node;
}

export function table(kind, rows, { caption, sort, onSort, onFilter }) {
    const shown = columns[kind];
    const largest = Object.fromEntries(shown.filter((column) => column.bar).map(({ key }) => [key, Math.max(...rows.map((row) => row[key] ?? 0))]));

    return el('table', null, el('caption', { class: 'unseen' }, caption),
        el('thead', null, el('tr', null, ...shown.map((column) => headOf(column, sort, onSort)))),
        el('tbody', null, ...rows.map((row) => el('tr', null, ...shown.map((column) => cellOf(column, row, largest, onFilter))))));
}
