import type { LogStats } from '../../decision/model.ts';

/** One value of a metric, with its labels in the order in which the metric declares them. */
export interface Sample {
  readonly labels?: { readonly [name: string]: string | number };
  readonly value: number;
  /** A histogram's parts have names of their own. */
  readonly metricName?: string;
}

/** What the parts of the server tell when metrics are read. Each must be cheap: it runs on the deciding thread. */
export interface MetricSources {
  readonly version: string;
  ready(): boolean;
  cache(): { readonly entries: number; readonly bytes: number; readonly evictions: number };
  /** Bytes that the cache may take. */
  readonly cacheMaxBytes: number;
  audit(): LogStats & { readonly writable: boolean };
  /** What is wrong with the log: records that it lacks, and files that are damaged. */
  auditCondition(): { readonly missingRecords: number; readonly damagedSegments: number };
  readonly epoch: () => number;
  /** What is active, and for how long. */
  versions(): readonly { readonly bundle: string; readonly version: number; readonly activeSeconds: number }[];
  workers(): { readonly threads: number; readonly waiting: number; readonly replaced: number };
  /** Evaluations by where they ended, and those that were moved from one place to the other. */
  places(): { readonly deciding: number; readonly worker: number; readonly moved: number };
  /** Points of the instruction budget that evaluations used, by bundle. */
  points(): ReadonlyMap<string, number>;
  /** Requests of http.send by what became of them, those on connections used again, and those that needed none. */
  network(): {
    readonly answered: number;
    readonly failed: number;
    readonly refused: number;
    readonly reused: number;
    readonly cache_hit: number;
  };
  toolchainRestarts(): number;
  /** Spans that the collector took, and those that were given up; absent while tracing is off. */
  spans?(): { readonly exported: number; readonly dropped: number };
}

/** A listener as metrics name it. */
export type ListenerName = 'http' | 'grpc' | 'admin';
