// SPDX-License-Identifier: MIT
// Numbers and times as the command line writes them (src/base/units.h).

const BIT_UNITS = ['bit', 'Kbit', 'Mbit', 'Gbit', 'Tbit', 'Pbit'];
const BYTE_UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];
export const UNKNOWN = '-';

// Two or three significant digits: 1.2M, 34G, 999.
function scaled(number, base, units) {
    let unit = 0;
    let digits;

    for (;;) {
        digits = unit && number < 9.95 ? number.toFixed(1) : Math.round(number).toString();
        if (Number(digits) < base || unit === units.length - 1)
            break;
        number /= base;
        unit++;
    }
    return digits + units[unit];
}

// Of bits a second.
export function bitRate(bits) {
    return scaled(Math.abs(bits), 1000, BIT_UNITS);
}

export function bytes(number) {
    return scaled(number, 1024, BYTE_UNITS);
}

export function duration(seconds) {
    const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
    const first = parts.findIndex(([length]) => seconds >= length);

    if (first < 0)
        return seconds > 0 ? `${Math.round(seconds * 1000)}ms` : '0s';
    const [length, name] = parts[first];
    const whole = Math.floor(seconds / length);
    const [next, nextName] = parts[first + 1] ?? [0, ''];
    const rest = next ? Math.floor((seconds - whole * length) / next) : 0;
    return `${whole}${name}${rest ? `${rest}${nextName}` : ''}`;
}

export function microseconds(number) {
    if (number < 1000)
        return `${number}us`;
    if (number < 1e6)
        return `${(number / 1000).toFixed(number < 1e4 ? 1 : 0)}ms`;
    return duration(number / 1e6);
}

function two(number) {
    return String(number).padStart(2, '0');
}

export function day(time) {
    const date = new Date(time * 1000);

    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

// Seconds of the clock, in the zone of who reads it.
export function clock(time, withSeconds = true) {
    const date = new Date(time * 1000);

    return `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ''}`;
}

export function moment(time) {
    return `${day(time)} ${clock(time)}`;
}

// As the command line takes it, in links and commands: without a zone to guess.
export function iso(time) {
    return new Date(time * 1000).toISOString().replace(/\.000Z$/, 'Z');
}

// What a piece of a series is called on the command line: 5m, 1h, 20s.
export function step(seconds) {
    if (seconds % 3600 === 0)
        return `${seconds / 3600}h`;
    return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

// By the kind of a column.
export const kinds = {
    text: (value) => String(value),
    count: (value) => String(value),
    rate: (value) => bitRate(value * 8),
    bytes,
    us: microseconds,
};

export function cell(kind, value) {
    return value === null || value === undefined || value === '' ? UNKNOWN : kinds[kind](value);
}
