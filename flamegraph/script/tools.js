// SPDX-License-Identifier: Apache-2.0

const HTML = 'http://www.w3.org/1999/xhtml';

// html makes an HTML element with attributes as the last child of parent.
function html(parent, name, attributes = {}) {
  const e = document.createElementNS(HTML, name);
  for (const key of Object.keys(attributes)) e.setAttribute(key, attributes[key]);
  parent.append(e);
  return e;
}

// toolbar makes the search field, its result, the switch between measures and
// the button that resets. The width is the least it has beside a title.
function toolbar(root, tree) {
  const frame = element(null, 'foreignObject', { class: 'tools' });
  root.insertBefore(frame, root.querySelector(':scope > .legend'));
  const bar = html(frame, 'div', { class: 'bar' });
  const status = html(bar, 'span', { class: 'status', role: 'status' });
  const { buttons, width } = measureSwitch(bar, tree);
  const input = html(bar, 'input', {
    type: 'search',
    placeholder: 'Search (regular expression)',
    'aria-label': 'search frames by regular expression',
    'aria-keyshortcuts': 'Control+F',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const reset = html(bar, 'button', { type: 'button', 'aria-keyshortcuts': 'Escape' });
  reset.textContent = 'Reset zoom';
  reset.disabled = true;
  const say = (words) => {
    status.textContent = words;
    status.title = words;
  };
  return { frame, bar, input, reset, say, buttons, width: 640 + width, height: 30 };
}

// measureSwitch makes a button for each measure, if there are several.
function measureSwitch(bar, tree) {
  const { measures } = tree.settings;
  if (measures.length < 2) return { buttons: [], width: 0 };
  const group = html(bar, 'span', { class: 'switch', role: 'group', 'aria-label': 'what widths stand for' });
  const buttons = measures.map((measure) => {
    const button = html(group, 'button', { type: 'button', 'aria-pressed': String(measure === tree.measure) });
    button.textContent = measure.name;
    button.disabled = tree.axes[measure.column].total[0] === 0;
    return button;
  });
  return { buttons, width: measures.reduce((sum, { name }) => sum + 8 * letters(name) + 22, 0) };
}
