// SPDX-License-Identifier: Apache-2.0

// finder connects the search field and the legend, which both mark frames.
function finder(viewer) {
  const { tree, tools, root } = viewer;
  const { input } = tools;
  const keys = [...root.querySelectorAll(':scope > .legend > .key')];
  const press = (pressed) => {
    for (const key of keys) key.setAttribute('aria-pressed', String(key === pressed));
  };

  function search() {
    press(null);
    input.removeAttribute('aria-invalid');
    if (!input.value) return viewer.mark(null);
    try {
      const pattern = new RegExp(input.value, 'i');
      return viewer.mark(found(tree, tree.names.map((name) => (pattern.test(name) ? 1 : 0))));
    } catch {
      input.setAttribute('aria-invalid', 'true');
      return viewer.mark(null, 'not a regular expression');
    }
  }

  function clear() {
    input.value = '';
    search();
  }

  // next leads to the first marked frame, or to the widest if none is drawn.
  function next() {
    if (!viewer.hits || viewer.hits.frames === 0) return;
    const at = () => viewer.boxes.findIndex((b) => b.frames === 0 && isHit(tree, viewer.hits, b));
    if (at() < 0) viewer.zoom(largest(tree, viewer.hits));
    viewer.focus(at());
  }

  function toggle(key) {
    const on = key.getAttribute('aria-pressed') !== 'true';
    if (input.value) clear();
    press(on ? key : null);
    const kind = Number(key.dataset.kind);
    viewer.mark(on ? found(tree, tree.kinds.map((k) => (k === kind ? 1 : 0))) : null);
  }

  for (const key of keys) {
    key.setAttribute('role', 'button');
    key.setAttribute('aria-label', key.querySelector('text').textContent);
    key.setAttribute('tabindex', '0');
    key.addEventListener('click', () => toggle(key));
    key.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      toggle(key);
    });
  }
  press(null);
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') next();
  });
  return {
    open() {
      input.focus();
      input.select();
    },
    isOpen: () => document.activeElement === input,
    clear() {
      clear();
      input.blur();
    },
  };
}
