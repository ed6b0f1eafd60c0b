// SPDX-License-Identifier: Apache-2.0

// decode reads the tree out of the picture. A node is an index into arrays, in
// preorder: its descendants follow it up to end. For each column of values
// there is an axis, on which a node covers start to start + total, its own
// value first; tree.start and tree.total are those of the measure in use.
function decode(root) {
  const section = (name) => root.querySelector('metadata.' + name).textContent;
  const settings = JSON.parse(section('settings'));
  const size = settings.nodes;
  const tree = {
    settings,
    size,
    names: section('names').split('\n'),
    kinds: [],
    name: new Int32Array(size).fill(-1),
    parent: new Int32Array(size).fill(-1),
    depth: new Int32Array(size),
    end: new Int32Array(size),
    axes: [],
  };
  for (let i = 0; i < settings.columns; i++) {
    tree.axes.push({ start: new Float64Array(size), total: new Float64Array(size) });
  }
  const kinds = numbers(section('kinds'));
  while (kinds.more()) tree.kinds.push(kinds.next());
  decodeStacks(tree, numbers(section('stacks')));
  use(tree, settings.measures[settings.measure]);
  return tree;
}

// use makes a measure the one that widths stand for.
function use(tree, measure) {
  tree.measure = measure;
  Object.assign(tree, tree.axes[measure.column]);
}

function decodeStacks(tree, stacks) {
  const { axes } = tree;
  const open = [0];
  const offsets = axes.map(() => 0);
  let node = 0;
  const close = () => {
    const i = open.pop();
    tree.end[i] = node + 1;
    axes.forEach(({ start, total }, column) => (total[i] = offsets[column] - start[i]));
  };
  while (stacks.more()) {
    for (let drop = stacks.next(); drop > 0; drop--) close();
    for (let add = stacks.next(); add > 0; add--) {
      node++;
      tree.name[node] = stacks.next();
      tree.parent[node] = open[open.length - 1];
      tree.depth[node] = open.length;
      for (let column = 0; column < axes.length; column++) axes[column].start[node] = offsets[column];
      open.push(node);
    }
    for (let column = 0; column < axes.length; column++) offsets[column] += stacks.next();
  }
  while (open.length > 0) close();
}

// numbers reads numbers to the base of 32, lowest digit first: the last digit
// counts from '?', those before it from '_'.
function numbers(text) {
  let at = 0;
  return {
    more: () => at < text.length,
    next() {
      let n = 0;
      for (let unit = 1; ; unit *= 32) {
        const digit = text.charCodeAt(at++) - 63;
        if (digit < 32) return n + digit * unit;
        n += (digit - 32) * unit;
      }
    },
  };
}

// nameOf returns what a node is called.
function nameOf(tree, node) {
  if (node === 0) return 'all';
  return tree.names[tree.name[node]] || '(no name)';
}

// ownValue returns what ends in a node.
function ownValue(tree, { start, total }, node) {
  return node + 1 < tree.end[node] ? start[node + 1] - start[node] : total[node];
}

// within tells whether a node is above another one or that node itself.
function within(tree, above, node) {
  return above <= node && node < tree.end[above];
}
