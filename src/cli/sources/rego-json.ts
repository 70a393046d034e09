import { type RegoValue, regoJson } from '../../rego/index.ts';
import { exactJson } from './exact-json.ts';

/** A Rego value as JSON has it, for JSON.stringify. */
export const regoToExact = (value: RegoValue): unknown => exactJson(regoJson(value));
