import type { Running } from '../processes.ts';
import type { Scenario } from '../scenario.ts';
import type { Lane } from '../wire/lane.ts';

/** A server that answers a scenario's questions. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly running: Running;
  readonly lanes: readonly Lane[];
}

/** Starts a server on a scenario, with all it writes in `folder`; resolves once it answers. */
export type Start = (scenario: Scenario, folder: string) => Promise<Contender>;
