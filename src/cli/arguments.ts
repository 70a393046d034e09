import { CliError } from './report.ts';

/** A bundle's name as the server will take it, so that a slip is told before anything is sent. */
export const bundleName = (text: string): string => {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(text)) {
    throw new CliError(
      'USAGE',
      `a bundle's name has small letters, digits and hyphens and starts with a letter; not "${text}"`,
    );
  }
  return text;
};

export const versionNumber = (text: string): number => {
  const version = /^v?([1-9]\d{0,8})$/.exec(text)?.[1];
  if (version === undefined) throw new CliError('USAGE', `a version is a number such as 3; not "${text}"`);
  return Number(version);
};

/** The name that a bundle gets from where it lies: the last part of the path, without the archive's ending. */
export const nameOfPath = (resolved: string): string =>
  (resolved.split(/[/\\]/).findLast((segment) => segment !== '') ?? '').replace(/\.(tar\.gz|tgz)$/, '');
const units: { readonly [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `90d`, `12h`, `30m`, `45s`, `2w` as milliseconds. */
export const durationMs = (text: string): number => {
  const match = /^([1-9]\d{0,6})([smhdw])$/.exec(text);
  const unit = match?.[2] === undefined ? undefined : units[match[2]];
  if (match?.[1] === undefined || unit === undefined) {
    throw new CliError('USAGE', `a time is a number and one of s, m, h, d, w, such as 90d; not "${text}"`);
  }
  return Number(match[1]) * unit;
};
