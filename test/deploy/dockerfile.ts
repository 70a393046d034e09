import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../support/server-process.ts';

/** One instruction: its name, its flags (`--from=build`), and the rest of its line. */
export interface Instruction {
  readonly name: string;
  readonly flags: readonly string[];
  readonly text: string;
}

/** The instructions of deploy/Dockerfile, one list a stage; what stands before the first FROM is no stage. */
export const stages = (): readonly (readonly Instruction[])[] => {
  const lines = readFileSync(path.join(root, 'deploy', 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n');
  const found: Instruction[][] = [];
  for (const line of lines) {
    const [name = '', ...words] = line.split(/\s+/);
    const flags = words.slice(
      0,
      words.findIndex((word) => !word.startsWith('--')),
    );
    if (name === 'FROM') found.push([]);
    found.at(-1)?.push({ name, flags, text: words.slice(flags.length).join(' ') });
  }
  return found;
};

/** The last stage, which is the image. */
export const image = (): readonly Instruction[] => stages().at(-1) ?? [];

/** The only instruction of this name in the image. */
export const only = (name: string): Instruction => {
  const [first, ...others] = image().filter((instruction) => instruction.name === name);
  if (first === undefined || others.length > 0) throw new Error(`wanted one ${name}`);
  return first;
};
