// SPDX-License-Identifier: Apache-2.0

// surroundings returns a function that places what is around the frames for a
// width and a number of rows, and gives the picture its height. It returns by
// how much the frames grew.
function surroundings(root, tree, tools, about) {
  const { page, title, subtitle, notes, icicle } = tree.settings;
  const part = (name) => root.querySelector(':scope > .' + name);
  const parts = { title: part('title'), subtitle: part('subtitle'), notes: part('notes'), frames: part('frames') };
  let before = 0;

  return (width, rows) => {
    const inner = width - 2 * page.margin;
    const taken = parts.title ? placeTitle(parts.title, title, inner) : 0;
    const beside = taken + tools.width <= inner;
    let y = parts.title || beside ? page.titleBase + page.titleGap : page.margin;
    if (parts.subtitle) y = placeLines(parts.subtitle, [subtitle], inner, y, page);
    if (beside) {
      placeTools(tools, page.margin + taken, 9, inner - taken);
    } else {
      y += 4 + placeTools(tools, page.margin, y + 4, inner);
    }
    y = placeLegend(root, width, y, page);
    if (!icicle) y = about.place(page, inner, y);
    y += page.framesGap;
    parts.frames.setAttribute('transform', `translate(${page.margin} ${y})`);
    y += rows * page.row + page.notesGap;
    if (icicle) y = about.place(page, inner, y);
    if (parts.notes) y = placeLines(parts.notes, notes, inner, y, page);
    root.setAttribute('height', y + page.margin);
    const grown = before && rows * page.row - before;
    before = rows * page.row;
    return grown;
  };
}

// placeTitle cuts the title to the room there is and returns how much it takes.
function placeTitle(text, title, room) {
  text.textContent = title;
  const all = text.getComputedTextLength();
  if (all <= room) return all;
  let most = Math.floor((letters(title) * room) / all);
  do text.textContent = fit(title, most--);
  while (most > 0 && text.getComputedTextLength() > room);
  element(text, 'title').textContent = title;
  return room;
}

function placeLines(text, paragraphs, width, y, page) {
  const fits = (s) => {
    text.textContent = s;
    return text.getComputedTextLength() <= width;
  };
  const lines = paragraphs.flatMap((p) => wrap(p, fits));
  text.replaceChildren();
  lines.forEach((words, i) => {
    const base = y + (i + 1) * page.line - page.lineBelow;
    element(text, 'tspan', { x: page.margin, y: base }).textContent = words;
  });
  return y + lines.length * page.line;
}

// placeTools returns how high the tools are, which need several rows where they
// have little room.
function placeTools(tools, x, y, width) {
  tools.bar.classList.toggle('narrow', width < tools.width);
  const place = { x, y, width, height: tools.height };
  for (const key of Object.keys(place)) tools.frame.setAttribute(key, place[key]);
  const height = Math.ceil(tools.bar.getBoundingClientRect().height);
  tools.frame.setAttribute('height', height);
  return height;
}
