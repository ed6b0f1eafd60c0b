// SPDX-License-Identifier: Apache-2.0

// explanation makes the panel that tells what is known of the frame on view.
// It lies where the leaves are: above the frames, or below those of an icicle.
function explanation(root, tree) {
  const frame = element(null, 'foreignObject', { class: 'about' });
  root.insertBefore(frame, root.querySelector(':scope > .frames'));
  const panel = html(frame, 'section', { 'aria-live': 'polite' });

  return {
    // show tells about a node, or nothing.
    show(node) {
      const facts = node === 0 ? undefined : tree.settings.about[tree.name[node]];
      frame.style.display = facts ? '' : 'none';
      panel.replaceChildren();
      if (!facts) return;
      const name = nameOf(tree, node);
      panel.setAttribute('aria-label', name);
      html(panel, 'h2').textContent = name;
      const list = html(panel, 'dl');
      for (const [term, text] of facts) {
        const parent = tree.parent[node];
        if (!text && parent === 0) continue;
        html(list, 'dt').textContent = term;
        html(list, 'dd').textContent = text || nameOf(tree, parent);
      }
    },
    // place puts the panel, if it is shown, below a height and returns where it
    // ends.
    place(page, width, above) {
      if (frame.style.display === 'none') return above;
      const y = above + page.legendGap;
      frame.setAttribute('x', page.margin);
      frame.setAttribute('y', y);
      frame.setAttribute('width', width);
      frame.setAttribute('height', 1);
      const height = Math.ceil(panel.getBoundingClientRect().height);
      frame.setAttribute('height', height);
      return y + height + page.notesGap;
    },
  };
}
