// SPDX-License-Identifier: Apache-2.0

// finder connects the search field and the legend, which both mark frames.
function finder(viewer) {
  const { tree, tools, root } = viewer;
  const { input } = tools;
  const press = (pressed) => {
    for (const key of root.querySelectorAll(':scope > .legend > .key')) {
      key.setAttribute('aria-pressed', String(key === pressed));
    }
  };

  function search() {
    press(null);
    input.removeAttribute('aria-invalid');
    if (!input.value) return viewer.mark(null);
    try {
      const pattern = new RegExp(input.value, 'i');
      return viewer.mark(named(tree, tree.names.map((name) => (pattern.test(name) ? 1 : 0))));
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
    if (at() >= 0) viewer.focus(at());
  }

  function toggle(key, of, kind) {
    const on = key.getAttribute('aria-pressed') !== 'true';
    if (input.value) clear();
    press(on ? key : null);
    viewer.mark(on ? ending(tree, of, kind) : null);
  }

  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') next();
  });
  legend(root, tree, toggle);
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
    // measure shows the frames by another measure, with what was searched for.
    measure(to) {
      use(tree, to);
      legend(root, tree, toggle);
      viewer.hits = null;
      viewer.zoom(viewer.view.node);
      if (input.value) search();
    },
  };
}
