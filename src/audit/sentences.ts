import type { DamagedPlace, MissingRecords } from './store/chain.ts';

// What was found wrong with a log, as the server's log and the command say it. Nothing of the log itself is loaded here.

const holes: { readonly [why in MissingRecords['why']]: (file: string) => string } = {
  beginning: () => 'nothing before them is there, and the file begin does not say that they were taken away',
  gap: () => 'those before and after them are there',
  end: () => 'they were written',
  gone: (file) => `${file} is gone`,
};

export const holeSentence = ({ from, to, why, file = '' }: MissingRecords): string =>
  `${from === to ? `record ${from} is` : `records ${from} to ${to} are`} missing: ${holes[why](file)}`;

const damages: { readonly [why in DamagedPlace['why']]: (place: DamagedPlace) => string } = {
  bytes: ({ offset, bytes }) => `is damaged: ${bytes} bytes at ${offset} are no whole record`,
  order: ({ offset }) => `is damaged: at ${offset} stands a record of another place`,
  name: () => 'has the name of another segment: its header names another first record; its records are found',
  origin: () => 'belongs to another log: its records are left out',
  twice: () => 'holds records that stand in another segment, too',
  aside: () => 'was set aside at a start: it is damaged or out of place; its sound records are found',
};

export const damageSentence = (place: DamagedPlace): string => `${place.file} ${damages[place.why](place)}`;

export const isHole = (value: { readonly why?: unknown }): value is MissingRecords =>
  Object.hasOwn(holes, String(value.why));
export const isDamage = (value: { readonly why?: unknown }): value is DamagedPlace =>
  Object.hasOwn(damages, String(value.why));
