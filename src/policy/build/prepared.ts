import type { RegoSources } from '../../rego/index.ts';
import type { DataDocument } from '../content/data.ts';
import { mergeData } from '../content/data.ts';
import type { ManifestDocument } from '../content/manifest.ts';
import { readManifest } from '../content/manifest.ts';
import { regoSources } from '../content/rego-sources.ts';
import type { BundleFiles } from '../model.ts';
import type { SchemaFile } from '../schema/files.ts';
import { readSchemas } from '../schema/files.ts';

/** A bundle's files, read as far as that needs no compiler. */
export interface PreparedBundle {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly document: ManifestDocument;
  readonly data: DataDocument;
  readonly schemas: ReadonlyMap<string, SchemaFile>;
  readonly sources: { readonly all: RegoSources; readonly served: RegoSources };
}

/** The same without the tree of its data: what one thread can hand to another. */
export type ReadBundle = Omit<PreparedBundle, 'data'> & { readonly data: Omit<DataDocument, 'root'> };

export const prepareBundle = (bundle: BundleFiles): PreparedBundle => {
  const document = readManifest(bundle);
  const data = mergeData(bundle);
  const { all, served } = regoSources(bundle, document.manifest, data.json);
  const schemas = readSchemas(bundle.files);
  const typed = Object.fromEntries([...schemas].map(([name, { schema }]) => [name, schema]));
  const sources = { all: schemas.size === 0 ? all : { ...all, schemas: typed }, served };
  return { files: bundle.files, document, data, schemas, sources };
};
