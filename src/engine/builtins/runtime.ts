import { regoObject } from '../../rego/index.ts';
import type { Builtin } from './model.ts';

/** `opa.runtime`: empty, as in OPA's own Wasm hosts: a policy reads nothing of the process. */
export const opaRuntime: Builtin = () => regoObject([]);
