// Bundles: `archive/` is how they are packed, `content/` what stands in them, `build.ts` makes them, `acceptance.ts`
// decides whether one may be a version, `store.ts` keeps versions and changes what is active, `active.ts` answers
// which rule or data a path means.
export { readDirectory } from './archive/directory.ts';
export type { ArchiveLimits } from './archive/limits.ts';
export { defaultArchiveLimits } from './archive/limits.ts';
export { isBundle, isBundleFile, isMistakenForData } from './archive/names.ts';
export { readArchive } from './archive/read.ts';
export { filesDigest, writeArchive } from './archive/write.ts';
export type { Build, BuildOptions } from './build/build.ts';
export { buildBundle, ignoredNote } from './build/build.ts';
export type { CallEffect, CheckedCall, CheckedEntrypoint } from './build/caching.ts';
export type { JoinedParts, SourcePart } from './build/parts.ts';
export { joinParts, renamedError } from './build/parts.ts';
export type { PreparedBundle } from './build/prepared.ts';
export { prepareBundle } from './build/prepared.ts';
export { checkBundleName } from './bundle-name.ts';
export type { PolicyStoreOptions } from './changes.ts';
export type { CheckOptions, SourcesCheck } from './check.ts';
export { checkParts } from './check.ts';
export { mergeData } from './content/data.ts';
export { readManifest } from './content/manifest.ts';
export { regoSources } from './content/rego-sources.ts';
export type { Explain, ExplainQuestion, Explanation, RecordedCase } from './explain.ts';
export { createExplain } from './explain.ts';
export type { LocalResult } from './intake.ts';
export type { PolicyLog } from './live.ts';
export type {
  ActivationResult,
  BuiltBundle,
  BundleFiles,
  BundleInfo,
  Manifest,
  PolicyErrorCode,
  PolicyStore,
  PushOptions,
  PushResult,
  VersionInfo,
} from './model.ts';
export { PolicyError } from './model.ts';
export type { LocalQuestion } from './question.ts';
export { questionRemarks } from './question.ts';
export type { PolicySettings } from './settings.ts';
export { defaultPolicySettings, policySchema } from './settings.ts';
export type { LocalBundle, LocalPolicyStore } from './store.ts';
export { openPolicyStore } from './store.ts';
