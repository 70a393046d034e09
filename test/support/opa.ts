import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const places = [path.join(os.homedir(), 'go', 'bin'), ...(process.env.PATH ?? '').split(path.delimiter)];

/** OPA's own command, where this machine has it. */
export const opa = places.map((folder) => path.join(folder, 'opa')).find((file) => existsSync(file));
