// SPDX-License-Identifier: MIT
// From rows of pieces of time to the columns of a chart. Pure.

// Rows {time, ...} of pieces that end at `time`; name(row) is whose it is, measures are columns of it. A piece
// without any row was not measured (null); of who is missing in a piece that was, it is nothing (0).
export function makeSeries(rows, { since, until, every }, name, measures, most) {
    const count = Math.max(1, Math.ceil((until - since) / every));
    const times = Array.from({ length: count }, (_, i) => Math.min(since + (i + 1) * every, until));
    const measured = new Array(count).fill(false);
    const found = new Map();

    for (const row of rows) {
        const index = Math.min(count - 1, Math.max(0, Math.ceil((Date.parse(row.time) / 1000 - since) / every - 1e-3) - 1));
        const key = name(row);

        if (!found.has(key))
            found.set(key, { name: key, total: 0, values: measures.map(() => new Array(count).fill(0)) });
        const entry = found.get(key);
        measured[index] = true;
        measures.forEach((measure, i) => {
            entry.values[i][index] += Number(row[measure] || 0);
            entry.total += Number(row[measure] || 0);
        });
    }
    const entries = [...found.values()].sort((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1));
    for (const entry of entries)
        entry.values = entry.values.map((list) => list.map((value, i) => (measured[i] ? value : null)));
    return { times, measured, entries: entries.slice(0, most), left: Math.max(0, entries.length - most) };
}

// Mean and largest of what was measured, null where nothing was.
export function summary(values) {
    let sum = 0;
    let count = 0;
    let largest = null;

    for (const value of values) {
        if (value === null)
            continue;
        sum += value;
        count++;
        largest = Math.max(largest ?? value, value);
    }
    return { mean: count ? sum / count : null, largest };
}

// Spans [from, to] in which nothing was measured.
export function gaps({ times, measured }, since) {
    const found = [];

    measured.forEach((is, i) => {
        const from = i ? times[i - 1] : since;

        if (is)
            return;
        if (found.length && found[found.length - 1][1] === from)
            found[found.length - 1][1] = times[i];
        else
            found.push([from, times[i]]);
    });
    return found;
}
