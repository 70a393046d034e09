import { isMap, isScalar, parseDocument } from 'yaml';
import type { RegoAnnotation, RegoFile, RegoProblem } from '../../rego/index.ts';
import { placeAt, problemIn, yamlNode, yamlOffset } from './places.ts';

/** The METADATA of modules as their authors wrote it: OPA tells only what it knows of it. */
export interface MetadataTexts {
  /** The names of the mapping at a path; none where there is no mapping. */
  keysAt(annotation: RegoAnnotation, path: readonly string[]): readonly string[];
  /** A problem with the place of the key or item at a path, or of the last step that there is. */
  problemAt(
    annotation: RegoAnnotation,
    path: readonly string[],
    what: { readonly code: string; readonly message: string },
  ): RegoProblem;
}

interface Block {
  readonly yaml: string;
  readonly root: unknown;
}

/** The comments below the line `# METADATA`, as OPA takes them: from the first column on, without a gap. */
const blockAt = (lines: readonly string[], row: number): Block => {
  const rest = lines.slice(row);
  const end = rest.findIndex((line) => !line.startsWith('#') || /^#\s*METADATA/.test(line));
  const yaml = rest
    .slice(0, end === -1 ? rest.length : end)
    .map((line) => line.slice(1))
    .join('\n');
  return { yaml, root: parseDocument(yaml, { schema: 'failsafe', uniqueKeys: false }).contents };
};

export const metadataTexts = (modules: readonly RegoFile[]): MetadataTexts => {
  const texts = new Map(modules.map(({ path, text }) => [path, text] as const));
  const lines = new Map<string, readonly string[]>();
  const blocks = new Map<string, Block>();
  const linesOf = (file: string): readonly string[] => {
    const known = lines.get(file) ?? (texts.get(file) ?? '').split('\n');
    lines.set(file, known);
    return known;
  };
  const blockOf = ({ file, row }: RegoAnnotation): Block => {
    const key = `${row}:${file}`;
    const known = blocks.get(key) ?? blockAt(linesOf(file), row);
    blocks.set(key, known);
    return known;
  };
  return {
    keysAt: (annotation, path) => {
      const node = yamlNode(blockOf(annotation).root, path);
      return isMap(node) ? node.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : [])) : [];
    },
    problemAt: (annotation, path, what) => {
      const { file, row } = annotation;
      const { yaml, root } = blockOf(annotation);
      const offset = yamlOffset(root, path);
      const inside = offset === undefined ? undefined : placeAt(yaml, offset);
      // The block begins in the next row, and behind the mark of the comment.
      const place = inside === undefined ? { row, col: 1 } : { row: row + inside.row, col: inside.col + 1 };
      return problemIn({ file, text: texts.get(file) ?? '' }, { ...what, place });
    },
  };
};

/** Comments that look like the head of METADATA, and that OPA takes for mere comments. */
export const unreadMetadata = (modules: readonly RegoFile[]): RegoProblem[] =>
  modules.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index): RegoProblem[] => {
      if (!/^#\s*metadata\s*:?\s*$/i.test(line) || /^#\s*METADATA/.test(line)) return [];
      const message = `nobody reads what follows: METADATA begins with "# METADATA", not with "${line.trim()}"`;
      const place = { row: index + 1, col: 1 };
      return [problemIn({ file: path, text }, { code: 'verdict_metadata_warning', message, place })];
    }),
  );
