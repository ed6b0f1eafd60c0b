// SPDX-License-Identifier: Apache-2.0

function amount({ tree }, n) {
  const { unit, scale } = tree.measure;
  return `${value(n, scale)} ${unit}`.trim();
}

// changeWords tells how a node changed.
function changeWords(viewer, change, node) {
  const { tree } = viewer;
  const [from, to] = changed(tree, change, node);
  const words = `${change.fromName} ${value(from, tree.measure.scale)}, ${change.toName} ${amount(viewer, to)}`;
  return from === 0 || to === 0 || from === to ? words : `${words}, ${growth((to - from) / from)}`;
}

// boxKind returns a box's classes.
function boxKind({ tree, view, hits }, box) {
  let kind = 'more';
  if (box.frames === 0) {
    kind = box.node === 0 ? 'root' : classOf(tree, box.node);
    if (box.node !== view.node && within(tree, box.node, view.node)) kind += ' above';
  }
  return hits && isHit(tree, hits, box) ? kind + ' hit' : kind;
}

// look returns a box's classes, its name and a description.
function look(viewer, box) {
  const { tree } = viewer;
  const name = box.frames === 0 ? nameOf(tree, box.node) : `${plural(box.frames, 'frame')} too narrow or deep to draw`;
  let about = `${name}, ${amount(viewer, box.value)}, ${share(box.value, tree.total[0])}`;
  const { change } = tree.measure;
  if (change && box.frames === 0) about += `, ${changeWords(viewer, change, box.node)}`;
  return { kind: boxKind(viewer, box), name, about };
}

// facts returns what the tip says about a box besides its name.
function facts(viewer, box) {
  const { tree, view } = viewer;
  const lines = [`${amount(viewer, box.value)}, ${share(box.value, tree.total[0])} of all`];
  const range = view.hi - view.lo;
  if (!isWhole(tree, view) && box.value < range) {
    lines.push(`${share(box.value, range)} of ${fit(nameOf(tree, view.node), 40)}`);
  }
  if (box.frames > 0) return lines.concat('click to enlarge');
  const own = ownValue(tree, tree, box.node);
  if (own > 0 && own < box.value) lines.push(`${amount(viewer, own)} end here`);
  const { measure, settings } = tree;
  if (measure.change) return lines.concat(changeWords(viewer, measure.change, box.node));
  if (box.node === 0) return lines;
  const name = tree.name[box.node];
  const { kinds, about } = settings;
  const kind = kinds[tree.kinds[name] % kinds.length].name;
  if (kind) lines.push(kind);
  if (about[name] && box.node !== view.node) lines.push('click for an explanation');
  return lines;
}

// verdict returns how much is marked.
function verdict(viewer) {
  const { tree, view, hits, boxes } = viewer;
  if (!hits) return '';
  if (hits.frames === 0) return 'no frame matches';
  const sum = hits.covered(view);
  const drawn = boxes.filter((box) => box.frames === 0 && isHit(tree, hits, box)).length;
  let words = `${share(sum.all, tree.total[0])} matched`;
  if (!isWhole(tree, view)) words += `, ${share(sum.view, view.hi - view.lo)} of this view`;
  words += ` · ${plural(hits.frames, 'frame')}`;
  if (drawn < sum.frames) words += `, ${count(sum.frames - drawn)} too narrow to see`;
  return words;
}
