import { regoInteger } from '../../../rego/index.ts';
import type { Builtin } from '../model.ts';

/** `time.now_ns`: the evaluation's clock. What a policy does with it is unknown here, so the answer has no known end. */
export const timeNowNs: Builtin = (scope) => {
  scope.markVolatile();
  return regoInteger(scope.nowNs);
};
