// SPDX-License-Identifier: Apache-2.0

// tip makes the note that tells about the frame below the pointer.
function tip(root) {
  const group = element(root, 'g', { class: 'tip', visibility: 'hidden', 'aria-hidden': 'true' });
  const back = element(group, 'rect', { rx: 5 });
  const text = element(group, 'text');
  const pad = 10;
  const line = 17;

  // show writes lines near a point of the root; those of fixed width first.
  function show(name, facts, point, letter) {
    const bounds = root.getBoundingClientRect();
    const most = Math.max(20, Math.min(110, Math.floor((bounds.width - 4 * pad) / letter)));
    const room = Math.max(1, Math.floor((window.innerHeight - 4 * pad) / line) - facts.length);
    let names = chunks(name, most);
    if (names.length > room) names = names.slice(0, room - 1).concat('…');
    text.replaceChildren();
    names.concat(facts).forEach((words, i) => {
      const kind = i < names.length ? 'name' : 'fact';
      element(text, 'tspan', { class: kind, x: pad, y: pad + 12 + i * line }).textContent = words;
    });
    const width = Math.ceil(text.getBBox().width) + 2 * pad;
    const height = (names.length + facts.length) * line + 2 * pad - 4;
    back.setAttribute('width', width);
    back.setAttribute('height', height);
    const x = Math.max(2, Math.min(point.x + 12, bounds.width - width - 2));
    const bottom = window.innerHeight - bounds.top;
    const below = point.y + 20;
    const y = below + height < bottom ? below : Math.max(2 - Math.min(0, bounds.top), point.y - height - 12);
    group.setAttribute('transform', `translate(${x} ${y})`);
    group.setAttribute('visibility', 'visible');
  }
  return { show, hide: () => group.setAttribute('visibility', 'hidden') };
}
