import { messageOf } from '../../canonical/index.ts';
import type { Engine, LoadedModule, ModuleErrorCode } from '../../engine/index.ts';
import { ModuleError } from '../../engine/index.ts';
import { MODULE } from '../archive/names.ts';
import type { PolicyErrorCode } from '../model.ts';
import { PolicyError } from '../model.ts';
import type { Runnable } from './runnable.ts';

/** A bundle of data alone: nothing resolves to a rule of it. */
const dataModule: LoadedModule = {
  entrypoints: [],
  builtins: [],
  evaluate: () => {
    throw new PolicyError('MODULE_INVALID', 'a bundle of data alone has no rules to evaluate');
  },
  warm: async () => {},
  close: async () => {},
};

const codes: { readonly [code in ModuleErrorCode]: PolicyErrorCode } = {
  MODULE_INVALID: 'MODULE_INVALID',
  MODULE_FOREIGN: 'MODULE_INVALID',
  MODULE_BUILTIN_UNKNOWN: 'BUILTIN_UNKNOWN',
  MODULE_DATA_INVALID: 'DATA_INVALID',
};

/**
 * Loads and warms a module under a name for messages, with what it has in common with another; rejects with the reason,
 * and nothing of it stays.
 */
export const loadModule = async (
  engine: Engine,
  name: string,
  runnable: Pick<Runnable, 'wasm' | 'data' | 'reach' | 'entrypoints'>,
  replaces?: LoadedModule,
): Promise<LoadedModule> => {
  const { wasm, data, reach } = runnable;
  if (wasm === undefined) return dataModule;
  let module: LoadedModule | undefined;
  try {
    module = await engine.load({
      name,
      wasm,
      data,
      ...(reach === undefined ? {} : { reach }),
      ...(replaces === undefined ? {} : { replaces }),
    });
    const { entrypoints } = module;
    const missing = runnable.entrypoints.find((path) => !entrypoints.includes(path));
    if (missing !== undefined) {
      throw new PolicyError('MODULE_INVALID', `${MODULE}: the module has no entrypoint ${missing}`);
    }
    await module.warm();
    return module;
  } catch (error) {
    await module?.close();
    if (!(error instanceof ModuleError)) throw error;
    throw new PolicyError(codes[error.code], `${MODULE}: ${messageOf(error)}`, { cause: error });
  }
};
