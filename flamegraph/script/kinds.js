// SPDX-License-Identifier: Apache-2.0

// kindsOf returns the kinds that the legend of a measure lists, if any.
function kindsOf(tree, measure) {
  const { kinds, changes } = tree.settings;
  if (measure.change) return changes;
  return kinds[0].name ? kinds : [];
}

// classOf returns how a node other than the root looks.
function classOf(tree, node) {
  const { kinds, changes } = tree.settings;
  const { change } = tree.measure;
  if (change) return changes[changeKind(change, ...changed(tree, change, node))].class;
  const kind = tree.kinds[tree.name[node]];
  return kinds[kind % kinds.length].class + (kind < kinds.length ? '' : ' muted');
}

// changed returns a node's values in the columns that a change compares.
function changed(tree, { from, to }, node) {
  return [tree.axes[from].total[node], tree.axes[to].total[node]];
}

// changeKind returns the index of a change among the settings' changes.
function changeKind({ least }, from, to) {
  if (from === to) return 3;
  if (from === 0) return 0;
  if (to === 0) return 6;
  const change = (to - from) / Math.max(from, to);
  if (change > 0.5) return 1;
  if (change > least) return 2;
  if (change < -0.5) return 5;
  return change < -least ? 4 : 3;
}

// belonging returns for each node the kind to which the stacks that end there
// belong: that of their own change, or that of the innermost frame with a
// category.
function belonging(tree, measure) {
  const { axes, parent, size } = tree;
  const of = new Uint8Array(size);
  if (measure.change) {
    const { from, to } = measure.change;
    const own = (column, node) => ownValue(tree, axes[column], node);
    for (let i = 0; i < size; i++) of[i] = changeKind(measure.change, own(from, i), own(to, i));
    return of;
  }
  const many = tree.settings.kinds.length;
  const none = many - 1;
  of[0] = none;
  for (let i = 1; i < size; i++) {
    const kind = tree.kinds[tree.name[i]] % many;
    of[i] = kind === none ? of[parent[i]] : kind;
  }
  return of;
}
