// SPDX-License-Identifier: Apache-2.0

// legend makes the entries for the measure in use in place of those before.
// Pressing one marks its stacks.
function legend(root, tree, toggle) {
  const group = root.querySelector(':scope > .legend');
  group.replaceChildren();
  const kinds = kindsOf(tree, tree.measure);
  if (kinds.length === 0) return;
  const of = belonging(tree, tree.measure);
  const sums = kinds.map(() => 0);
  for (let i = 0; i < tree.size; i++) sums[of[i]] += ownValue(tree, tree, i);
  kinds.forEach((kind, i) => {
    if (sums[i] === 0) return;
    const part = share(sums[i], tree.total[0]);
    const key = element(group, 'g', {
      class: 'key',
      role: 'button',
      tabindex: '0',
      'aria-pressed': 'false',
      'aria-label': `${kind.name} ${part}`,
    });
    element(key, 'rect', { class: kind.class, y: 4, width: 11, height: 11, rx: 2 });
    const text = element(key, 'text', { x: 17, y: 14 });
    text.textContent = kind.name + ' ';
    element(text, 'tspan').textContent = part;
    key.addEventListener('click', () => toggle(key, of, i));
    key.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      toggle(key, of, i);
    });
  });
}

// placeLegend places the entries from a height on and returns where they end.
function placeLegend(root, width, top, page) {
  const keys = root.querySelectorAll(':scope > .legend > .key');
  if (keys.length === 0) return top;
  let x = page.margin;
  let y = top + page.legendGap;
  for (const key of keys) {
    const length = key.getBBox().width;
    if (x > page.margin && x + length > width - page.margin) {
      x = page.margin;
      y += page.key;
    }
    key.setAttribute('transform', `translate(${x} ${y})`);
    x += length + page.keySpace;
  }
  return y + page.key;
}
