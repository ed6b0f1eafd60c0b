// SPDX-License-Identifier: Apache-2.0

// neighbour returns the index of the box that a key leads to from box at, or
// -1. Boxes are in preorder.
function neighbour(boxes, at, key, icicle) {
  switch (key) {
    case 'ArrowUp':
      return icicle ? boxBelow(boxes, at) : boxAbove(boxes, at);
    case 'ArrowDown':
      return icicle ? boxAbove(boxes, at) : boxBelow(boxes, at);
    case 'ArrowLeft':
      return sameRow(boxes, at, -1);
    case 'ArrowRight':
      return sameRow(boxes, at, 1);
    case 'Home':
      return 0;
    default:
      return -1;
  }
}

// boxBelow returns the parent.
function boxBelow(boxes, at) {
  let i = at - 1;
  while (i >= 0 && boxes[i].depth >= boxes[at].depth) i--;
  return i;
}

// boxAbove returns the widest child.
function boxAbove(boxes, at) {
  const depth = boxes[at].depth;
  let best = -1;
  for (let i = at + 1; i < boxes.length && boxes[i].depth > depth; i++) {
    if (boxes[i].depth !== depth + 1) continue;
    if (best < 0 || boxes[i].width > boxes[best].width) best = i;
  }
  return best;
}

function sameRow(boxes, at, step) {
  let i = at + step;
  while (i >= 0 && i < boxes.length && boxes[i].depth !== boxes[at].depth) i += step;
  return i < boxes.length ? i : -1;
}
