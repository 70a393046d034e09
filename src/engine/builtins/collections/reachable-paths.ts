import type { RegoValue } from '../../../rego/index.ts';
import { equalValues, firstNotBelow, type RegoObject, RegoSet, regoSet } from '../../../rego/index.ts';
import type { Builtin, CallScope } from '../model.ts';
import { listOperand, objectOperand } from '../operands.ts';

/** What looking at an edge takes, and what each node of a path that is found takes. */
const edgePoints = 200;
const nodePoints = 100;

/** A node that is being visited: the last one of the path. */
interface Visit {
  readonly edges: readonly RegoValue[];
  next: number;
  /** The node's number, where this visit is what put it on the path. */
  readonly entered: number | undefined;
}

/** Depth first with a stack of its own: a path may have as many nodes as the graph. */
class Walk {
  readonly paths: RegoValue[] = [];
  private readonly path: RegoValue[] = [];
  private readonly onPath = new Set<number>();
  private readonly visits: Visit[] = [];
  private readonly graph: RegoObject;
  private readonly scope: CallScope;

  constructor(graph: RegoObject, scope: CallScope) {
    this.graph = graph;
    this.scope = scope;
  }

  from(start: RegoValue): void {
    const node = this.numberOf(start);
    if (node === undefined) return;
    this.enter(start, node);
    for (let last = this.visits.at(-1); last !== undefined; last = this.visits.at(-1)) {
      const neighbour = last.edges[last.next++];
      if (neighbour === undefined) this.leave();
      else this.visit(neighbour);
    }
  }

  private visit(neighbour: RegoValue): void {
    this.scope.spend(edgePoints);
    const node = this.numberOf(neighbour);
    // OPA looks for cycles from the second node on: an edge of the first one to itself is followed once.
    const isCycle = node !== undefined && this.onPath.has(node) && this.path.length > 1;
    if (node === undefined || isCycle) this.commit();
    else this.enter(neighbour, node);
  }

  private enter(value: RegoValue, node: number): void {
    this.path.push(value);
    const known = this.onPath.has(node);
    this.onPath.add(node);
    const found = this.graph.entries[node]?.[1];
    const edges = found instanceof RegoSet ? found.items : Array.isArray(found) ? (found as RegoValue[]) : [];
    this.visits.push({ edges, next: 0, entered: known ? undefined : node });
    if (edges.length === 0) this.commit();
  }

  private leave(): void {
    const { entered } = this.visits.pop() ?? {};
    if (entered !== undefined) this.onPath.delete(entered);
    this.path.pop();
  }

  private commit(): void {
    this.scope.spend(nodePoints * (this.path.length + 2));
    this.paths.push([...this.path]);
  }

  private numberOf(value: RegoValue): number | undefined {
    const { entries } = this.graph;
    const keyAt = (at: number): RegoValue => entries[at]?.[0] ?? null;
    const at = firstNotBelow(entries.length, keyAt, value);
    return at < entries.length && equalValues(keyAt(at), value) ? at : undefined;
  }
}

/** `graph.reachable_paths`: every way from the nodes given until it ends, leaves the graph or meets itself. */
export const reachablePaths: Builtin = (scope, graph, from) => {
  const walk = new Walk(objectOperand(graph, 1), scope);
  for (const start of listOperand(from, 2)) walk.from(start);
  return regoSet(walk.paths);
};
