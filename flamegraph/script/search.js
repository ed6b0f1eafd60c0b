// SPDX-License-Identifier: Apache-2.0

// Marked frames are told by before: before[i] is how many of the nodes ahead of
// i are marked. covered(view) returns what they stand for of all and of a view,
// and how many of them are on view.

// named marks the frames whose names are wanted (an array of 0 and 1 by name)
// and that are there by the measure in use.
function named(tree, wanted) {
  const { name, total, size } = tree;
  const before = new Uint32Array(size + 1);
  let frames = 0;
  for (let i = 1; i < size; i++) {
    if (wanted[name[i]] === 1 && total[i] > 0) frames++;
    before[i + 1] = frames;
  }
  return { before, frames, covered: (view) => coveredBelow(tree, before, view) };
}

// coveredBelow adds up marked frames. Those within marked frames add nothing.
function coveredBelow(tree, before, view) {
  const { start, total, end, size } = tree;
  const sum = { all: 0, view: 0, frames: 0 };
  let until = 0;
  for (let i = 1; i < size; i++) {
    if (before[i + 1] === before[i]) continue;
    const part = Math.min(start[i] + total[i], view.hi) - Math.max(start[i], view.lo);
    if (part > 0) sum.frames++;
    if (i < until) continue;
    sum.all += total[i];
    sum.view += Math.max(0, part);
    until = end[i];
  }
  return sum;
}

// ending marks the frames in which stacks of a kind end, of being what every
// node's stacks belong to.
function ending(tree, of, kind) {
  const before = new Uint32Array(tree.size + 1);
  for (let i = 1; i < tree.size; i++) {
    before[i + 1] = before[i] + (of[i] === kind && ownValue(tree, tree, i) > 0 ? 1 : 0);
  }
  return {
    before,
    frames: before[tree.size],
    covered(view) {
      const { start, total, size } = tree;
      const sum = { all: 0, view: 0, frames: 0 };
      for (let i = 0; i < size; i++) {
        const own = of[i] === kind ? ownValue(tree, tree, i) : 0;
        if (own === 0) continue;
        sum.all += own;
        if (start[i] + total[i] <= view.lo || start[i] >= view.hi) continue;
        sum.frames++;
        if (start[i] >= view.lo) sum.view += own;
      }
      return sum;
    },
  };
}

// isHit tells whether a box is a marked frame or a run that holds one.
function isHit(tree, hits, box) {
  const last = box.frames > 0 ? box.last : box.node + 1;
  return hits.before[last] > hits.before[box.node];
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
