// SPDX-License-Identifier: Apache-2.0

// A link to a frame is the path of names to it, root first. A frame without a
// name is %00 there, which no name holds.

function linkTo(tree, node) {
  const path = [];
  for (let i = node; i > 0; i = tree.parent[i]) path.push(encodeURIComponent(tree.names[tree.name[i]] || '\0'));
  return path.length > 0 ? '#' + path.reverse().join(';') : '';
}

// linked returns the node that a link names, or the last node on its way that
// exists, and whether it was found.
function linked(tree, hash) {
  let node = 0;
  if (hash.length < 2) return { node, found: true };
  for (const part of hash.slice(1).split(';')) {
    const child = childNamed(tree, node, decoded(part));
    if (child < 0) return { node, found: false };
    node = child;
  }
  return { node, found: true };
}

function childNamed(tree, node, name) {
  for (let i = node + 1; i < tree.end[node]; i = tree.end[i]) {
    if (tree.names[tree.name[i]] === name) return i;
  }
  return -1;
}

function decoded(part) {
  try {
    return decodeURIComponent(part).replace('\0', '');
  } catch {
    return part;
  }
}
