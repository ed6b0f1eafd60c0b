// SPDX-License-Identifier: Apache-2.0

// decode reads the tree out of the picture. A node is an index into arrays, in
// preorder: its descendants follow it up to end. A node covers start to
// start + total on an axis of values, its own value first.
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
    start: new Float64Array(size),
    total: new Float64Array(size),
  };
  const kinds = numbers(section('kinds'));
  while (kinds.more()) tree.kinds.push(kinds.next());
  decodeStacks(tree, numbers(section('stacks')));
  return tree;
}

function decodeStacks(tree, stacks) {
  const open = [0];
  let node = 0;
  let offset = 0;
  const close = () => {
    const i = open.pop();
    tree.end[i] = node + 1;
    tree.total[i] = offset - tree.start[i];
  };
  while (stacks.more()) {
    for (let drop = stacks.next(); drop > 0; drop--) close();
    for (let add = stacks.next(); add > 0; add--) {
      node++;
      tree.name[node] = stacks.next();
      tree.parent[node] = open[open.length - 1];
      tree.depth[node] = open.length;
      tree.start[node] = offset;
      open.push(node);
    }
    offset += stacks.next();
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

// within tells whether a node is above another one or that node itself.
function within(tree, above, node) {
  return above <= node && node < tree.end[above];
}
