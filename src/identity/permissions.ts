import type { Caller, Role } from '../decision/model.ts';

/** Who may see a version's sources and data, and traces, which show them. */
export const SOURCE_READERS: readonly Role[] = ['author', 'approver', 'auditor', 'operator'];

/** Whether a caller's token holds for a bundle: one that names none holds for all. */
export const holdsFor = ({ bundles }: Caller, name: string): boolean => bundles === undefined || bundles.includes(name);
