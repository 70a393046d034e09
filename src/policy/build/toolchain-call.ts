import { messageOf } from '../../canonical/index.ts';
import { RegoError, ToolchainError } from '../../rego/index.ts';
import { PolicyError } from '../model.ts';

/**
 * Awaits a call of the toolchain; what it rejects with becomes a refusal of the bundle. `setting` is the one that the
 * call's deadline came from.
 */
export const callToolchain = async <T>(
  call: Promise<T>,
  setting: 'policy.compileSeconds' | 'policy.testSeconds' = 'policy.compileSeconds',
): Promise<T> => {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RegoError) {
      throw new PolicyError('REGO_INVALID', error.message, { cause: error, problems: error.problems });
    }
    if (error instanceof ToolchainError) {
      const more = error.code === 'TOOLCHAIN_DEADLINE' ? `; a server gives it longer by ${setting}` : '';
      const message = `the policy compiler gave up: ${messageOf(error)}${more}`;
      throw new PolicyError('TOOLCHAIN_FAILED', message, { cause: error });
    }
    throw error;
  }
};
