import { ServerError } from '../report.ts';
import { plain } from '../screen/screen.ts';
import type { Session } from '../session.ts';
import { askAdmin } from './admin.ts';
import { part } from './http.ts';

/** Whether a server has no bundle of this name; false too where the token may not look. */
const isUnknown = async (session: Session, name: string): Promise<boolean> => {
  try {
    await askAdmin(session, { method: 'GET', path: `/v1/bundles/${part(name)}/versions` });
    return false;
  } catch (error) {
    return error instanceof ServerError && error.status === 404;
  }
};

/** Warns of bundles that the server does not have: they may come later, or their names are mistyped. */
export const warnOfUnknown = async (session: Session, bundles: readonly string[]): Promise<void> => {
  for (const name of new Set(bundles)) {
    if (await isUnknown(session, name)) session.screen.warn(`verdict: the server has no bundle ${plain(name)}`);
  }
};
