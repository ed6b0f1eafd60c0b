// SPDX-License-Identifier: Apache-2.0

// count writes a number with a comma between thousands. Numbers beyond the
// exact ones of JavaScript are marked.
function count(n) {
  const digits = BigInt(Math.round(n)).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return n > Number.MAX_SAFE_INTEGER ? '≈' + digits : digits;
}

// value writes a number of units of 1/scale, with three digits at least.
function value(n, scale) {
  if (scale === 1) return count(n);
  const v = n * scale;
  if (v >= 100 || v === 0) return count(v);
  return v.toFixed(Math.min(9, 2 - Math.floor(Math.log10(v))));
}

// growth writes a change relative to what was before.
function growth(change) {
  const percent = change * 100;
  if (percent >= 1000) return `×${(change + 1).toFixed(0)}`;
  if (percent < -99.9) return '<-99.9%';
  return `${percent > 0 ? '+' : ''}${percent.toFixed(1)}%`;
}

// share writes part of total in percent.
function share(part, total) {
  const percent = (part / total) * 100;
  if (part === total) return '100%';
  if (part === 0) return '0%';
  if (percent < 0.01) return '<0.01%';
  if (percent > 99.99) return '>99.99%';
  return percent.toFixed(2) + '%';
}

function plural(n, word) {
  return count(n) + ' ' + word + (n === 1 ? '' : 's');
}

// letterWidth is 2 for scripts and symbols that may be wider than Latin.
function letterWidth(letter) {
  return letter.codePointAt(0) < 0x1100 ? 1 : 2;
}

function letters(s) {
  if (!/[\u1100-\uffff]/.test(s)) return s.length;
  let n = 0;
  for (const letter of s) n += letterWidth(letter);
  return n;
}

// prefix returns the longest start of s that takes at most so many letters.
function prefix(s, most) {
  let n = 0;
  let length = 0;
  for (const letter of s) {
    n += letterWidth(letter);
    if (n > most) break;
    length += letter.length;
  }
  return s.slice(0, length);
}

// fit cuts s to a number of letters, the last of which is then an ellipsis.
function fit(s, most) {
  return letters(s) <= most ? s : prefix(s, most - 1) + '…';
}

// chunks cuts s into lines of at most so many letters, wherever that is.
function chunks(s, most) {
  const lines = [];
  for (let rest = s; rest; rest = rest.slice(lines.at(-1).length)) lines.push(prefix(rest, most));
  return lines;
}

// wrap breaks s into lines that fit, as fits tells, between words where
// possible.
function wrap(s, fits) {
  const lines = [];
  let line = '';
  for (let word of s.split(' ').filter(Boolean)) {
    if (line && fits(line + ' ' + word)) {
      line += ' ' + word;
      continue;
    }
    if (line) lines.push(line);
    while (!fits(word)) {
      const head = longest(word, fits);
      lines.push(head);
      word = word.slice(head.length);
    }
    line = word;
  }
  if (line) lines.push(line);
  return lines;
}

// longest returns the longest start of s that fits, of at least one letter.
function longest(s, fits) {
  const all = Array.from(s);
  let low = 1;
  let high = all.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(all.slice(0, middle).join(''))) low = middle;
    else high = middle - 1;
  }
  return all.slice(0, low).join('');
}
