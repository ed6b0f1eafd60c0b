// SPDX-License-Identifier: Apache-2.0

// Viewer draws a picture again whenever what is on view or marked changes.
class Viewer {
  constructor(root) {
    this.root = root;
    this.tree = decode(root);
    const page = document.documentElement;
    this.alone = root === page || page.classList.contains('flamegraph-page'); // not part of a web page
    root.classList.toggle('alone', this.alone); // room for the tip
    this.group = root.querySelector(':scope > .frames');
    for (const fixed of ['viewBox', 'preserveAspectRatio']) root.removeAttribute(fixed);
    this.tools = toolbar(root, this.tree);
    this.about = explanation(root, this.tree);
    this.place = surroundings(root, this.tree, this.tools, this.about);
    this.target = canvas(this.tree, this.group);
    this.tip = tip(root);
    this.view = { node: 0, lo: 0, hi: this.tree.total[0] };
    this.hits = null; // the marked frames, if any
    this.problem = ''; // what to say instead of how much is marked
    this.boxes = [];
    this.current = 0; // the box that Tab leads to
    this.rows = 0; // of the whole picture
    this.link = ''; // to what is on view
    this.address = ''; // the part of the page's address that links to a frame
  }

  draw() {
    this.width = this.root.getBoundingClientRect().width || 1200;
    const { page, icicle } = this.tree.settings;
    const held = this.boxes[this.current];
    const focused = this.target.boxes.contains(document.activeElement);
    this.boxes = layout(this.tree, this.view, Math.max(60, this.width - 2 * page.margin));
    const depth = this.boxes.reduce((most, box) => Math.max(most, box.depth), 0) + 1;
    if (isWhole(this.tree, this.view)) this.rows = depth;
    const rows = Math.max(this.rows, depth);
    this.about.show(this.view.node);
    const grown = this.place(this.width, rows);
    if (this.alone && !icicle && grown) window.scrollBy(0, grown);
    paint(this.tree, this.target, this.boxes, rows, (box) => look(this, box));
    this.tools.reset.disabled = isWhole(this.tree, this.view);
    this.tell();
    this.hold(this.boxes.findIndex((b) => held && b.node === held.node && b.frames === held.frames));
    if (focused) this.focus(this.current);
  }

  // hold makes a box the one that Tab leads to; without one, that on view.
  hold(i) {
    const rects = this.target.rects.all;
    rects[this.current].setAttribute('tabindex', '-1');
    this.current = i >= 0 ? i : this.boxes.findIndex((b) => b.node === this.view.node);
    rects[this.current].setAttribute('tabindex', '0');
  }

  // focus leads the keyboard to a box.
  focus(i) {
    this.hold(i);
    const rect = this.target.rects.all[this.current];
    if (rect === document.activeElement) rect.blur(); // it may be another box now
    rect.focus();
  }

  // open shows what a box stands for over the full width.
  open(box) {
    if (box.frames === 0) {
      this.zoom(box.node);
      return;
    }
    this.show({ node: this.tree.parent[box.node], lo: box.lo, hi: box.hi });
  }

  zoom(node, problem = '') {
    const { start, total, parent } = this.tree;
    while (total[node] === 0) node = parent[node]; // not there by this measure
    this.show({ node, lo: start[node], hi: start[node] + total[node] }, problem);
  }

  show(view, problem = '') {
    this.view = view;
    this.problem = problem;
    this.draw();
    if (problem) return;
    const link = linkTo(this.tree, view.node);
    if (link !== this.link) location.hash = link;
    this.link = link;
    this.address = location.hash;
  }

  // follow shows the frame that the address names.
  follow() {
    if (location.hash === this.address) return;
    this.address = location.hash;
    const { node, found } = linked(this.tree, location.hash);
    if (!found && !this.alone) return; // it may name another part of the page
    this.link = found ? linkTo(this.tree, node) : null;
    this.zoom(node, found ? '' : 'the linked frame is not in this picture');
  }

  mark(hits, problem = '') {
    this.hits = hits;
    this.problem = problem;
    restyle(this.target, this.boxes, (box) => boxKind(this, box));
    this.tell();
  }

  // tell says what is marked.
  tell() {
    this.group.classList.toggle('searched', this.hits !== null);
    this.tools.say(this.problem || verdict(this));
    this.tip.hide();
  }
}
