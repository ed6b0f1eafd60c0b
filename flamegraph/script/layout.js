// SPDX-License-Identifier: Apache-2.0

// isWhole tells whether a view shows everything.
function isWhole(tree, view) {
  return view.node === 0 && view.lo === 0 && view.hi === tree.total[0];
}

// layout returns the boxes that show view at a width in pixels, in preorder,
// by the rules of the first drawing. A view is a range of values, lo to hi,
// below a node. A box is a frame, or a run of siblings (frames > 0) that are
// too narrow to be drawn alone.
function layout(tree, view, width) {
  const { page, minShare } = tree.settings;
  const pixels = Math.max(page.narrowest, minShare * width);
  const least = Math.ceil((pixels / width) * (view.hi - view.lo));
  const boxes = scan(tree, view, width, { least, deepest: Infinity });
  const most = widest(boxes, page.maxBoxes + tree.depth[view.node]);
  return most ? scan(tree, view, width, most) : boxes;
}

// widest returns a limit to the widest frames, if there are more than so many.
// Of equally wide ones it takes those closest to the root.
function widest(boxes, many) {
  const frames = boxes.filter((box) => box.frames === 0);
  if (frames.length <= many) return null;
  frames.sort((a, b) => b.hi - b.lo - (a.hi - a.lo) || a.depth - b.depth);
  const out = frames[many];
  return { least: out.hi - out.lo, deepest: out.depth - 1 };
}

// scan returns boxes for the frames within a limit, which are those of more
// than its least value and those of it that are not too deep, and for runs of
// others that are wide enough together.
function scan(tree, view, width, limit) {
  const { start, total, depth, end, size } = tree;
  const { gap, narrowest, longest } = tree.settings.page;
  const scale = width / (view.hi - view.lo);
  const at = (value) => Math.floor((value - view.lo) * scale * 100 + 0.5); // in hundredths
  const boxes = [];
  const edges = []; // where the boxes that hold the next one end
  let run = null;
  const add = (box) => {
    const left = at(box.lo);
    let right = at(box.hi);
    if (right - left >= 4 * gap * 100) right -= gap * 100;
    if (box.depth > 0) right = Math.min(right, edges[box.depth - 1]);
    edges[box.depth] = right;
    box.x = left / 100;
    box.width = (right - left) / 100;
    boxes.push(box);
  };
  const flush = () => {
    if (run && (run.hi - run.lo) * scale >= narrowest) add(run);
    run = null;
  };
  for (let i = 0; i < size && start[i] < view.hi; ) {
    const lo = Math.max(start[i], view.lo);
    const hi = Math.min(start[i] + total[i], view.hi);
    if (hi <= lo) {
      i = end[i];
      continue;
    }
    const value = hi - lo;
    if (value > limit.least || (value === limit.least && depth[i] <= limit.deepest)) {
      flush();
      add({ node: i, frames: 0, depth: depth[i], lo, hi, value: total[i] });
      i++;
      continue;
    }
    if (!run || run.depth !== depth[i] || (run.hi - run.lo) * scale >= longest) {
      flush();
      run = { node: i, frames: 0, depth: depth[i], lo, value: 0 };
    }
    run.frames++;
    run.value += total[i];
    run.hi = hi;
    run.last = end[i];
    i = end[i];
  }
  flush();
  return boxes;
}
