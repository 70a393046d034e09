import type { RegoFile } from '../../rego/index.ts';

export interface PackageClause {
  readonly file: string;
  readonly row: number;
  /** Segments without `data`. */
  readonly path: readonly string[];
}

// Nothing but comments and blank lines may stand before the clause, so its first line is the first that starts so.
const CLAUSE = /^[ \t]*package\s+((?:[A-Za-z_]\w*|\[[ \t]*"(?:[^"\\\n]|\\.)*"[ \t]*\]|\.)+)/m;
const SEGMENT = /[A-Za-z_]\w*|"(?:[^"\\\n]|\\.)*"/g;

const unquoted = (segment: string): string => {
  if (!segment.startsWith('"')) return segment;
  try {
    return JSON.parse(segment) as string;
  } catch {
    return segment;
  }
};

/** The segments of a reference as OPA writes it, without its beginning: `a.b["c d"]`, `.a.b`. */
export const segmentsOfClause = (text: string): string[] => {
  const segments = text.match(/\[[^\]]*\]|[^.[]+/g) ?? [];
  return segments.flatMap((segment) => segment.match(SEGMENT) ?? []).map(unquoted);
};

/** The package of a file as its text says: for saying where a package stands, and for the packages of tests. */
export const packageClause = ({ path, text }: RegoFile): PackageClause | undefined => {
  const found = CLAUSE.exec(text);
  if (found === null) return undefined;
  return {
    file: path,
    row: text.slice(0, found.index).split('\n').length,
    path: segmentsOfClause(found[1] ?? ''),
  };
};
