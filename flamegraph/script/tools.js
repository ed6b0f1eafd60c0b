// SPDX-License-Identifier: Apache-2.0

const HTML = 'http://www.w3.org/1999/xhtml';

// toolbar makes the search field, its result and the button that resets. The
// width is the least it has beside a title.
function toolbar(root) {
  const frame = element(null, 'foreignObject', { class: 'tools' });
  root.insertBefore(frame, root.querySelector(':scope > .legend, :scope > .frames'));
  const make = (parent, name, attributes) => {
    const e = document.createElementNS(HTML, name);
    for (const key of Object.keys(attributes)) e.setAttribute(key, attributes[key]);
    parent.append(e);
    return e;
  };
  const bar = make(frame, 'div', { class: 'bar' });
  const status = make(bar, 'span', { class: 'status', role: 'status' });
  const input = make(bar, 'input', {
    type: 'search',
    placeholder: 'Search (regular expression)',
    'aria-label': 'search frames by regular expression',
    'aria-keyshortcuts': 'Control+F',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const reset = make(bar, 'button', { type: 'button', 'aria-keyshortcuts': 'Escape' });
  reset.textContent = 'Reset zoom';
  reset.disabled = true;
  const say = (words) => {
    status.textContent = words;
    status.title = words;
  };
  return { frame, input, reset, say, width: 640, height: 30 };
}
