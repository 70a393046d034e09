import type { ActivationAnswer } from '../remote/answers.ts';
import { type Paint, plain, warningText } from './screen.ts';

/** What became active, and what that gave up. */
export const activationText = (
  paint: Paint,
  { version, epoch, warnings = [] }: ActivationAnswer,
  what: string,
): string =>
  [
    `${plain(version.name)}@${version.version} ${what} (epoch ${epoch})`,
    ...warnings.map((warning) => `  ${warningText(warning, paint)}`),
  ].join('\n');
