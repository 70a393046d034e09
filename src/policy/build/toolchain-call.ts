import { messageOf } from '../../canonical/index.ts';
import { RegoError, ToolchainError } from '../../rego/index.ts';
import { PolicyError } from '../model.ts';

/** Awaits a call of the toolchain; what it rejects with becomes a refusal of the bundle. */
export const callToolchain = async <T>(call: Promise<T>): Promise<T> => {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RegoError) {
      throw new PolicyError('REGO_INVALID', error.message, { cause: error, problems: error.problems });
    }
    if (error instanceof ToolchainError) {
      throw new PolicyError('TOOLCHAIN_FAILED', `the policy compiler gave up: ${messageOf(error)}`, { cause: error });
    }
    throw error;
  }
};
