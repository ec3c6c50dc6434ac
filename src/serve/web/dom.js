// SPDX-License-Identifier: MIT
// Elements of the page. What comes from outside becomes text nodes and attributes, never markup.

export function byId(id) {
    return document.getElementById(id);
}

// Attributes that are null or false are left out; "onclick" and the like are functions.
export function el(name, attributes, ...children) {
    const node = document.createElement(name);

    for (const [key, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false)
            continue;
        if (key.startsWith('on'))
            node.addEventListener(key.slice(2), value);
        else
            node.setAttribute(key, value === true ? '' : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
}

// A colour of the style sheet as the canvas wants it: variables of two themes must be resolved first.
export function colour(variable) {
    const probe = el('span', { class: 'unseen' });

    probe.style.color = `var(${variable})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
}
