type Edit = readonly [mark: ' ' | '-' | '+', line: string];

const CONTEXT = 3;

// Beyond this many cells the table of common subsequences is not worth its memory: the middle is shown as replaced.
const MOST_CELLS = 16_000_000;

/** Lengths of the longest common subsequences of the rests of both lists. */
const lengthsOf = (a: readonly string[], b: readonly string[]): Uint32Array => {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const below = lengths[(i + 1) * width + j] ?? 0;
      const right = lengths[i * width + j + 1] ?? 0;
      lengths[i * width + j] = a[i] === b[j] ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(below, right);
    }
  }
  return lengths;
};

const editsOf = (a: readonly string[], b: readonly string[]): Edit[] => {
  const edits: Edit[] = [];
  if ((a.length + 1) * (b.length + 1) > MOST_CELLS) {
    return [...a.map((line): Edit => ['-', line]), ...b.map((line): Edit => ['+', line])];
  }
  const lengths = lengthsOf(a, b);
  const width = b.length + 1;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      edits.push([' ', a[i] ?? '']);
      i++;
      j++;
    } else if (
      i < a.length &&
      (j === b.length || (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      edits.push(['-', a[i++] ?? '']);
    } else edits.push(['+', b[j++] ?? '']);
  }
  return edits;
};

const linesOf = (text: string): string[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines.push('\\ no newline at the end');
  return lines;
};

/** Ranges of edits that are shown together: each change with three lines around it. */
const hunksOf = (edits: readonly Edit[]): (readonly [from: number, to: number])[] => {
  const hunks: [number, number][] = [];
  edits.forEach(([mark], at) => {
    if (mark === ' ') return;
    const last = hunks.at(-1);
    const from = Math.max(0, at - CONTEXT);
    const to = Math.min(edits.length, at + CONTEXT + 1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  });
  return hunks;
};

const countOf = (edits: readonly Edit[], without: '+' | '-'): number =>
  edits.filter(([mark]) => mark !== without).length;

/** A unified diff from `before` to `after`, line by line; empty when they are equal. */
export const unifiedDiff = (file: string, before: string, after: string): string[] => {
  if (before === after) return [];
  const edits = editsOf(linesOf(before), linesOf(after));
  const body = hunksOf(edits).flatMap(([from, to]) => {
    const shown = edits.slice(from, to);
    const oldStart = countOf(edits.slice(0, from), '+') + 1;
    const newStart = countOf(edits.slice(0, from), '-') + 1;
    const header = `@@ -${oldStart},${countOf(shown, '+')} +${newStart},${countOf(shown, '-')} @@`;
    return [header, ...shown.map(([mark, line]) => mark + line)];
  });
  return [`--- ${file}`, `+++ ${file} (formatted)`, ...body];
};
