// SPDX-License-Identifier: Apache-2.0

const SVG = 'http://www.w3.org/2000/svg';

// element makes an SVG element with attributes as the last child of parent.
function element(parent, name, attributes = {}) {
  const e = document.createElementNS(SVG, name);
  for (const key of Object.keys(attributes)) e.setAttribute(key, attributes[key]);
  if (parent) parent.append(e);
  return e;
}

// pool keeps elements of one kind for use in the next drawing.
function pool(parent, name, attributes) {
  const all = [];
  return {
    all,
    take(i) {
      if (i === all.length) all.push(element(null, name, attributes));
      if (!all[i].parentNode) parent.append(all[i]);
      return all[i];
    },
    keep(n) {
      for (let i = n; i < all.length && all[i].parentNode; i++) all[i].remove();
    },
  };
}

// canvas makes what boxes are drawn on, in place of the first drawing.
function canvas(tree, group) {
  const { page } = tree.settings;
  group.replaceChildren();
  const boxes = element(group, 'g', { role: 'tree', 'aria-label': 'frames, root first' });
  const labels = element(group, 'g', { class: 'labels', 'aria-hidden': 'true' });
  const ring = element(group, 'rect', { class: 'ring', height: page.row - page.gap, visibility: 'hidden' });
  const probe = element(labels, 'text', { visibility: 'hidden' });
  probe.textContent = 'n'.repeat(100);
  const letter = probe.getComputedTextLength() / 100 || page.letter;
  probe.remove();
  return {
    boxes,
    ring,
    letter,
    rects: pool(boxes, 'rect', { role: 'treeitem', tabindex: '-1', height: page.row - page.gap }),
    texts: pool(labels, 'text', {}),
  };
}

// set changes an attribute, if it is not that already: what stays the same is
// not drawn anew.
function set(e, name, value) {
  if (e.getAttribute(name) !== String(value)) e.setAttribute(name, value);
}

// paint draws boxes. look(box) gives a box's class and its description.
function paint(tree, target, boxes, rows, look) {
  const { page, icicle } = tree.settings;
  let texts = 0;
  boxes.forEach((box, i) => {
    const y = (icicle ? box.depth : rows - 1 - box.depth) * page.row;
    box.y = y;
    const rect = target.rects.take(i);
    const { kind, name, about } = look(box);
    rect.index = i;
    set(rect, 'class', kind);
    set(rect, 'x', box.x);
    set(rect, 'y', y);
    set(rect, 'width', box.width);
    set(rect, 'aria-level', box.depth + 1);
    set(rect, 'aria-label', about);
    const most = Math.floor((box.width - 2 * page.inset) / target.letter);
    if (box.frames > 0 || most < Math.min(page.minLetters, letters(name))) return;
    const text = target.texts.take(texts++);
    text.index = i;
    set(text, 'x', box.x + page.inset);
    set(text, 'y', y + page.base);
    set(text, 'class', kind);
    const words = fit(name, most);
    if (text.textContent !== words) text.textContent = words;
  });
  target.rects.keep(boxes.length);
  target.texts.keep(texts);
}

// restyle gives the boxes that are drawn other classes, as kindOf(box) tells.
function restyle(target, boxes, kindOf) {
  boxes.forEach((box, i) => set(target.rects.all[i], 'class', kindOf(box)));
  for (const text of target.texts.all) {
    if (text.parentNode) set(text, 'class', target.rects.all[text.index].getAttribute('class'));
  }
}

// outline shows where the keyboard is, or nothing without a box.
function outline(target, box) {
  const { ring } = target;
  ring.setAttribute('visibility', box ? 'visible' : 'hidden');
  for (const key of box ? ['x', 'y', 'width'] : []) ring.setAttribute(key, box[key]);
}
