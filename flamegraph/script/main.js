// SPDX-License-Identifier: Apache-2.0

// start brings a picture to life.
function start(root) {
  const viewer = new Viewer(root);
  const find = finder(viewer);
  viewer.draw();
  viewer.follow();
  listenToPointer(viewer);
  listenToKeys(viewer, find);
  viewer.tools.reset.addEventListener('click', () => viewer.zoom(0));
  listenToSwitch(viewer, find);
  window.addEventListener('hashchange', () => viewer.follow());
  new ResizeObserver(() => {
    requestAnimationFrame(() => {
      if (root.getBoundingClientRect().width !== viewer.width) viewer.draw();
    });
  }).observe(root);
}

function listenToSwitch({ tree, tools }, find) {
  tools.buttons.forEach((button, i) => {
    button.addEventListener('click', () => {
      for (const b of tools.buttons) b.setAttribute('aria-pressed', String(b === button));
      find.measure(tree.settings.measures[i]);
    });
  });
}

function listenToPointer(viewer) {
  const { boxes } = viewer.target;
  boxes.addEventListener('click', (event) => {
    const box = viewer.boxes[event.target.index];
    if (!box) return;
    viewer.hold(event.target.index);
    viewer.open(box);
  });
  boxes.addEventListener('pointermove', (event) => {
    const box = viewer.boxes[event.target.index];
    const bounds = viewer.root.getBoundingClientRect();
    if (box) tell(viewer, box, { x: event.clientX - bounds.left, y: event.clientY - bounds.top });
  });
  boxes.addEventListener('pointerleave', () => viewer.tip.hide());
}

// tell shows the tip for a box.
function tell(viewer, box, point) {
  const { name } = look(viewer, box);
  viewer.tip.show(name, facts(viewer, box), point, viewer.target.letter);
}

function listenToKeys(viewer, find) {
  const { target, root } = viewer;
  target.boxes.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = event.target.index;
    if (event.key === 'Enter' || event.key === ' ') {
      viewer.open(viewer.boxes[at]);
    } else {
      const to = neighbour(viewer.boxes, at, event.key, viewer.tree.settings.icicle);
      if (to < 0) return;
      viewer.focus(to);
    }
    event.preventDefault();
  });
  // Listening for focus on a part of the picture would make that part a stop of
  // the Tab key.
  document.addEventListener('focusin', (event) => {
    if (!target.boxes.contains(event.target)) return;
    viewer.hold(event.target.index); // assistive programs lead anywhere
    if (!event.target.matches(':focus-visible')) return;
    const box = viewer.boxes[event.target.index];
    outline(target, box);
    const bounds = target.boxes.getBoundingClientRect();
    const page = root.getBoundingClientRect();
    tell(viewer, box, { x: bounds.left - page.left + box.x, y: bounds.top - page.top + box.y });
  });
  document.addEventListener('focusout', (event) => {
    if (!target.boxes.contains(event.target)) return;
    outline(target, null);
    viewer.tip.hide();
  });
  window.addEventListener('keydown', (event) => {
    if (!viewer.alone && !root.contains(document.activeElement)) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key === 'f' && !find.isOpen()) {
      event.preventDefault(); // a second time it is the browser's own search
      find.open();
    } else if (event.key === 'Escape') {
      if (find.isOpen() || isWhole(viewer.tree, viewer.view)) find.clear();
      else viewer.zoom(0);
    }
  });
}

start(document.currentScript.closest('svg.flamegraph'));
