import { aside, INLINE_BYTES } from '../aside/aside.ts';
import type { JoinAnswer, JoinRequest } from './joined-data.ts';
import { joinData } from './joined-data.ts';

/** Joins data; much of it on a thread of its own, so that decisions do not wait. */
export const joinDataAside = async (request: JoinRequest): Promise<JoinAnswer> => {
  const bytes = request.reads.reduce((sum, { data }) => sum + data.length, request.own.length);
  return bytes > INLINE_BYTES ? aside('join', request) : joinData(request);
};
