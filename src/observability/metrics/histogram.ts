import type { Sample } from './model.ts';

/** Seconds: from a remembered answer on an idle machine to one at an evaluation's deadline. */
export const BUCKETS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
] as const;

/** Counts durations. To observe one takes a few comparisons and no allocation. */
export interface Histogram {
  observe(seconds: number): void;
  /** Nothing while nothing was observed. */
  samples(name: string, labels?: { readonly [name: string]: string }): readonly Sample[];
}

export const createHistogram = (): Histogram => {
  const limits = Float64Array.from(BUCKETS);
  /** By bucket, not cumulative; the last is everything above. */
  const counts = new Float64Array(limits.length + 1);
  let sum = 0;
  let count = 0;
  return {
    observe: (seconds) => {
      let at = 0;
      while (at < limits.length && seconds > (limits[at] as number)) at++;
      counts[at] = (counts[at] as number) + 1;
      sum += seconds;
      count += 1;
    },
    samples: (name, labels = {}) => {
      if (count === 0) return [];
      let below = 0;
      const buckets = Array.from(counts, (inBucket, at): Sample => {
        below += inBucket;
        return { metricName: `${name}_bucket`, labels: { ...labels, le: BUCKETS[at] ?? '+Inf' }, value: below };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    },
  };
};
