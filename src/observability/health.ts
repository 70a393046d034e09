export interface HealthReport {
  readonly ok: boolean;
  /** Sentences that say what is missing; empty when `ok`. */
  readonly reasons: readonly string[];
}

export interface Health {
  /** The process answers; a restart would not make it better. */
  live(): HealthReport;
  /** Requests should be sent here: every check passes. Checks run on every call, so they must be cheap. */
  ready(): HealthReport;
}

/** Undefined, or the sentence that says why the process is not ready. A check that throws counts as not passed. */
export type Check = () => string | undefined;

const run = (check: Check): string | undefined => {
  try {
    return check();
  } catch {
    return 'a health check failed';
  }
};

export const createHealth = (checks: readonly Check[]): Health => ({
  live: () => ({ ok: true, reasons: [] }),
  ready: () => {
    const reasons = checks.map(run).filter((reason) => reason !== undefined);
    return { ok: reasons.length === 0, reasons };
  },
});
