import { Command } from 'commander';

/** A commander command that knows its examples, so that help and the reference page show the same ones. */
export class CliCommand extends Command {
  readonly examples: readonly Example[];

  constructor(name: string, description: string, examples: readonly Example[] = []) {
    super(name);
    this.description(description).helpCommand(false);
    this.examples = examples;
    if (examples.length > 0) this.addHelpText('after', () => `\nExamples:\n${exampleLines(examples).join('\n')}`);
  }
}

export type Example = readonly [line: string, meaning: string];

const exampleLines = (examples: readonly Example[]): string[] => {
  const longest = Math.max(...examples.map(([line]) => line.length));
  return examples.map(([line, meaning]) =>
    longest + meaning.length > 96 ? `  # ${meaning}\n  ${line}` : `  ${line.padEnd(longest)}  # ${meaning}`,
  );
};

/** Reads an option that may stand several times. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];
