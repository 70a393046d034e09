import type { CliHost, Output } from '../model.ts';

type Ink = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: { readonly [ink in Ink]: readonly [on: number, off: number] } = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Puts a text into a colour where the reader can see colours; gives it back as it is everywhere else. */
export type Paint = (ink: Ink, text: string) => string;

/** Where a command writes. Results go to stdout, and are all that stands there; everything else goes to stderr. */
export interface Screen {
  /** True with `--output json`: stdout gets exactly one JSON document, and no prose. */
  readonly json: boolean;
  /** For stdout. */
  readonly paint: Paint;
  /** For stderr. */
  readonly paintNote: Paint;
  /** The command's result: a JSON value (or its text, when `exact`), or the text that people read. */
  result(value: unknown, text: () => string): void;
  /** Text for stdout as it is, in both formats: what a shell redirects into a file. */
  raw(text: string): void;
  /** A line on stderr for people: nothing in JSON. */
  note(text: string): void;
  /** A line on stderr in both formats: what must not be overlooked. */
  warn(text: string): void;
  /**
   * Replaces the line that tells what long work is about, and for how many seconds; the empty text clears it. Shown on a
   * terminal only.
   */
  progress(text: string): void;
}

/** A JSON text that is written as it came, so that no number in it changes. */
export class ExactJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const seesColours = (output: Output, env: CliHost['env']): boolean =>
  output.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';

const painter = (active: boolean): Paint =>
  active ? (ink, text) => `\u001b[${codes[ink][0]}m${text}\u001b[${codes[ink][1]}m` : (_, text) => text;

const CLEAR_LINE = '\r\u001b[K';

const endLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

export const openScreen = (host: CliHost, format: 'text' | 'json'): Screen => {
  const json = format === 'json';
  let ticking: NodeJS.Timeout | undefined;
  const clear = (): void => {
    if (ticking !== undefined) host.stderr.write(CLEAR_LINE);
    clearInterval(ticking);
    ticking = undefined;
  };
  const tell = (text: string): void => {
    clear();
    host.stderr.write(endLine(text));
  };
  const put = (text: string): void => {
    clear();
    host.stdout.write(endLine(text));
  };
  return {
    json,
    paint: painter(!json && seesColours(host.stdout, host.env)),
    paintNote: painter(seesColours(host.stderr, host.env)),
    result: (value, text) =>
      put(!json ? text() : value instanceof ExactJson ? value.text : JSON.stringify(value, undefined, 2)),
    raw: put,
    note: (text) => {
      if (!json) tell(text);
    },
    warn: tell,
    progress: (text) => {
      if (host.stderr.isTTY !== true || json) return;
      clear();
      if (text === '') return;
      const fitting = (line: string): string => line.slice(0, (host.stderr.columns ?? 80) - 1);
      host.stderr.write(fitting(text));
      const since = performance.now();
      const tick = (): void => {
        const seconds = Math.round((performance.now() - since) / 1000);
        host.stderr.write(`${CLEAR_LINE}${fitting(`${text} ${seconds} s`)}`);
      };
      // What is waited for keeps the process alive, not this.
      ticking = setInterval(tick, 1000).unref();
    },
  };
};

// Widths count code points: a colour's escape sequence takes no room.
const width = (cell: string): number => [...cell.replace(/\u001b\[\d+m/g, '')].length;

/** Columns under their headings, two spaces apart; the last one is not padded. */
export const table = (paint: Paint, headings: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = headings.map((heading, column) =>
    Math.max(width(heading), ...rows.map((row) => width(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat(column === cells.length - 1 ? 0 : (widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd();
  return [line(headings.map((heading) => paint('dim', heading))), ...rows.map(line)].join('\n');
};

/** `1 test`, `2 tests`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/**
 * A text from outside (a server, a policy, an archive) without what a terminal would obey: escape sequences could hide
 * or forge lines.
 */
export const plain = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');

/** `2026-11-22 21:04:00`, of an ISO time; whatever else comes is shown as it is. */
export const moment = (iso: string): string =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso) ? iso.slice(0, 19).replace('T', ' ') : plain(iso);

/** What the author of a policy should know, and that is no problem. */
export const noteText = (text: string, paint: Paint): string => `${paint('yellow', 'note:')} ${plain(text)}`;

/** What is probably not meant, and stops nothing. */
export const warningText = (text: string, paint: Paint): string => `${paint('yellow', 'warning:')} ${plain(text)}`;
