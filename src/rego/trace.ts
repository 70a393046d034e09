/** How much of a trace is wanted: OPA's own words. */
export const TRACE_LEVELS = ['notes', 'fails', 'full', 'debug'] as const;
export type TraceLevel = (typeof TRACE_LEVELS)[number];

/** `steps` is the tree of rules that were tried; the others are levels of OPA's trace. */
export const EXPLAIN_LEVELS = [...TRACE_LEVELS, 'steps'] as const;
export type ExplainLevel = (typeof EXPLAIN_LEVELS)[number];

interface Event {
  readonly op: string;
  /** How many queries it is in: an Enter stands as deep as the query that it is called from. */
  readonly depth: number;
  text: string;
}

const EVENT = /^\S.*?:\d+ +((?:\| )*)([A-Z][a-z]+)\b/;

const eventsOf = (trace: string): Event[] => {
  const events: Event[] = [];
  for (const line of trace.split('\n')) {
    const found = EVENT.exec(line);
    const last = events.at(-1);
    if (found !== null) events.push({ depth: (found[1] ?? '').length / 2, op: found[2] ?? '', text: line });
    // A message can have several lines.
    else if (last !== undefined && line !== '') last.text += `\n${line}`;
  }
  return events;
};

/** Events of one kind, and before each the queries that led to it, as far as they do not stand there already. */
const withContext = (events: readonly Event[], op: string): Event[] => {
  const kept: Event[] = [];
  let entered = new Map<number, Event>();
  for (const event of events) {
    if (event.op === op) {
      const context: Event[] = [];
      for (let at = event.depth - 1; ; at--) {
        const query = entered.get(at);
        if (query === undefined) break;
        context.unshift(query);
      }
      kept.push(...context, event);
      entered = new Map();
    }
    if (event.op === 'Enter' || event.op === 'Redo') entered.set(event.depth, event);
  }
  return kept;
};

/** The part of a whole trace that OPA's `explain` shows at a level. */
export const traceAt = (trace: string, level: TraceLevel): string => {
  if (level === 'debug') return trace;
  const events = eventsOf(trace);
  const kept =
    level === 'full'
      ? events.filter(({ op }) => op !== 'Unify')
      : withContext(events, level === 'notes' ? 'Note' : 'Fail');
  return kept.map(({ text }) => `${text}\n`).join('');
};
