import { hint, nearestName } from '../../canonical/index.ts';
import type { RegoProblem } from '../../rego/index.ts';
import { MANIFEST, quoted } from '../archive/names.ts';
import { parseJson } from '../content/json-text.ts';
import { placeIn, problemIn } from '../content/places.ts';

/** What OPA knows of a manifest. */
const known = ['revision', 'roots', 'rego_version', 'file_rego_versions', 'metadata', 'wasm'];

/** Members of the manifest that nobody reads, in the manner of OPA: a root that is misspelt is no root. */
export const unknownMembers = (files: ReadonlyMap<string, Uint8Array>): RegoProblem[] => {
  const bytes = files.get(MANIFEST);
  if (bytes === undefined) return [];
  const text = Buffer.from(bytes).toString('utf8');
  const root = parseJson(text);
  if (root.kind !== 'object') return [];
  return [...root.members.keys()].flatMap((name): RegoProblem[] => {
    if (known.includes(name)) return [];
    const message = `${quoted(name)} in ${MANIFEST} says nothing${hint(nearestName(name, known))}`;
    const place = placeIn(MANIFEST, text, [name]);
    return [problemIn({ file: MANIFEST, text }, { code: 'verdict_manifest_warning', message, place })];
  });
};
