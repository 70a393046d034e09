// Appends records as fast as it can and prints each id that the log answered for. The crash test kills it.
import { writeSync } from 'node:fs';
import { auditDefaults, openSegmentLog } from '../../src/audit/index.ts';
import { systemClock, uuidv7 } from '../../src/canonical/index.ts';
import type { CheckedJson } from '../../src/engine/index.ts';

const settings = { ...auditDefaults, sealBytes: 262_144, syncSeconds: 0.1, erasable: ['/input/user'] };
const log = await openSegmentLog({ dir: process.argv[2] ?? '', settings, clock: systemClock });
const caller = { kind: 'anonymous', name: 'anonymous', roles: [] } as const;

/** Writes to a pipe whose reader may come late: it is full until then. */
const print = (line: string): void => {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
};

const turn = (): void => {
  let left = 20;
  for (let at = 0; at < 20; at++) {
    const input = Buffer.from(JSON.stringify({ user: `u${at}`, at, blob: 'x'.repeat(at * 50) }));
    const content = log.prepare({ input: input as unknown as CheckedJson, result: 'true', nonDeterministic: [] });
    const decisionId = uuidv7(Date.now());
    log.append(
      {
        decisionId,
        caller,
        wire: 'opa.v1',
        requestedBy: 'test',
        timestampMs: Date.now(),
        path: ['a'],
        outcome: 'permit',
        policies: [],
        epoch: 1,
        cache: 'miss',
        ageMs: 0,
        strictErrors: false,
        inputPresent: true,
        tokens: [],
        durationNs: 1,
      },
      content,
      (error) => {
        if (error !== undefined) throw error;
        print(`${decisionId}\n`);
        left -= 1;
        if (left === 0) setImmediate(turn);
      },
    );
  }
};
turn();
