// SPDX-License-Identifier: Apache-2.0

function amount(viewer, value) {
  return `${count(value)} ${viewer.tree.settings.unit}`.trim();
}

// look returns a box's classes, its name and a description.
function look(viewer, box) {
  const { tree, view, hits } = viewer;
  let name = `${plural(box.frames, 'frame')} too narrow or deep to draw`;
  let kind = 'more';
  if (box.frames === 0) {
    name = nameOf(tree, box.node);
    kind = box.node === 0 ? 'root' : tree.settings.classes[tree.kinds[tree.name[box.node]]];
    if (box.node !== view.node && within(tree, box.node, view.node)) kind += ' above';
  }
  if (hits && isHit(tree, hits, box)) kind += ' hit';
  return { kind, name, about: `${name}, ${amount(viewer, box.value)}, ${share(box.value, tree.total[0])}` };
}

// facts returns what the tip says about a box besides its name.
function facts(viewer, box) {
  const { tree, view, whole } = viewer;
  const lines = [`${amount(viewer, box.value)}, ${share(box.value, tree.total[0])} of all`];
  const range = view.hi - view.lo;
  if (view !== whole && box.value < range) {
    lines.push(`${share(box.value, range)} of ${fit(nameOf(tree, view.node), 40)}`);
  }
  if (box.frames > 0) return lines.concat('click to enlarge');
  const first = box.node + 1;
  const own = first < tree.end[box.node] ? tree.start[first] - tree.start[box.node] : 0;
  if (own > 0) lines.push(`${amount(viewer, own)} end here`);
  const { kinds } = tree.settings;
  if (box.node > 0 && kinds.length > 0) lines.push(kinds[tree.kinds[tree.name[box.node]]]);
  return lines;
}

// verdict returns how much is marked.
function verdict(viewer) {
  const { tree, view, whole, hits, boxes } = viewer;
  if (!hits) return '';
  if (hits.frames === 0) return 'no frame matches';
  const sum = matched(tree, hits, view);
  const drawn = boxes.filter((box) => box.frames === 0 && isHit(tree, hits, box)).length;
  let words = `${share(sum.all, tree.total[0])} matched`;
  if (view !== whole) words += `, ${share(sum.view, view.hi - view.lo)} of this view`;
  words += ` · ${plural(hits.frames, 'frame')}`;
  if (drawn < sum.frames) words += `, ${count(sum.frames - drawn)} too narrow to see`;
  return words;
}
