// SPDX-License-Identifier: Apache-2.0

// found marks the nodes whose names are wanted (an array of 0 and 1 by name).
// before[i] is how many of the nodes ahead of i are.
function found(tree, wanted) {
  const before = new Uint32Array(tree.size + 1);
  for (let i = 1; i < tree.size; i++) before[i + 1] = before[i] + wanted[tree.name[i]];
  return { before, frames: before[tree.size] };
}

// isHit tells whether a box is a marked frame or a run that holds one.
function isHit(tree, hits, box) {
  const last = box.frames > 0 ? box.last : box.node + 1;
  return hits.before[last] > hits.before[box.node];
}

// matched returns what the marked frames cover of all and of a view, and how
// many of them are on view. Frames within marked frames add nothing.
function matched(tree, hits, view) {
  const { start, total, end, size } = tree;
  const sum = { all: 0, view: 0, frames: 0 };
  let until = 0;
  for (let i = 1; i < size; i++) {
    if (hits.before[i + 1] === hits.before[i]) continue;
    const part = Math.min(start[i] + total[i], view.hi) - Math.max(start[i], view.lo);
    if (part > 0) sum.frames++;
    if (i < until) continue;
    sum.all += total[i];
    sum.view += Math.max(0, part);
    until = end[i];
  }
  return sum;
}

// largest returns the marked node with the largest value, or -1.
function largest(tree, hits) {
  let best = -1;
  for (let i = 1; i < tree.size; i++) {
    if (hits.before[i + 1] === hits.before[i]) continue;
    if (best < 0 || tree.total[i] > tree.total[best]) best = i;
  }
  return best;
}
