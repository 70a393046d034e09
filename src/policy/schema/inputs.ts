import type { DecisionError, InputCheck } from '../../decision/model.ts';
import type { RuleMarks } from '../build/annotations.ts';
import { isUnder, segmentsOf } from '../content/roots.ts';
import { PolicyError } from '../model.ts';
import type { SchemaBook } from './book.ts';
import { isObject } from './bounded.ts';
import type { CompiledSchema } from './compile.ts';
import type { SchemaMark } from './marks.ts';

/** What it takes to know which schemas hold for an entrypoint. */
export interface MarkedRules {
  readonly entrypoints: readonly string[];
  readonly rules: readonly string[];
  readonly packages: readonly string[];
  readonly annotations: readonly RuleMarks[];
}

interface Placed {
  readonly at: readonly string[];
  readonly schema: CompiledSchema;
}

type Checked = (value: unknown) => DecisionError | undefined;

/** The marks that hold for one rule, each inner one after those around it; several lists where bodies differ. */
const marksFor = (rule: string, { annotations, packages }: MarkedRules): SchemaMark[][] => {
  const own = packages
    .filter((path) => rule.startsWith(`${path}/`) || rule === path)
    .reduce((longest, path) => (path.length > longest.length ? path : longest), '');
  const schemas = (wanted: (mark: RuleMarks) => boolean): SchemaMark[] =>
    annotations.filter(wanted).flatMap((mark) => mark.schemas ?? []);
  const above = annotations
    .filter(({ path, scope }) => scope === 'subpackages' && isUnder(segmentsOf(own), segmentsOf(path)))
    .sort((a, b) => a.path.length - b.path.length)
    .flatMap((mark) => mark.schemas ?? []);
  const outer = [
    ...above,
    ...schemas(({ path, scope }) => scope === 'package' && path === own),
    ...schemas(({ path, scope }) => scope === 'document' && path === rule),
  ];
  const bodies = annotations.filter(({ path, scope, schemas: found }) => scope === 'rule' && path === rule && found);
  return bodies.length === 0 ? [outer] : bodies.map((body) => [...outer, ...(body.schemas ?? [])]);
};

/** As OPA: a later schema stands in place of an earlier one at its place and below. */
const inForce = (marks: readonly SchemaMark[]): { readonly mark: SchemaMark; readonly without: string[][] }[] =>
  marks.flatMap((mark, index) => {
    const later = marks.slice(index + 1);
    if (later.some(({ at }) => isUnder(mark.at, at))) return [];
    const inner = later.filter(({ at }) => isUnder(at, mark.at));
    return [{ mark, without: inner.map(({ at }) => at.slice(mark.at.length)) }];
  });

const valueAt = (value: unknown, at: readonly string[]): unknown =>
  at.reduce<unknown>((above, name) => (isObject(above) && Object.hasOwn(above, name) ? above[name] : undefined), value);

const checkOf =
  (rule: string, placed: readonly Placed[]): Checked =>
  (value) => {
    for (const { at, schema } of placed) {
      const { problems, exceeded } = schema.check(valueAt(value, at), at);
      if (exceeded) {
        return { code: 'budget_exceeded', message: `checking the input of ${rule} took more steps than a schema may` };
      }
      if (problems !== undefined) {
        return { code: 'input_invalid', message: `the input is not what ${rule} takes: ${problems}` };
      }
    }
    return undefined;
  };

/** One of several bodies that takes the input is enough; otherwise the first says what it wants. */
const either =
  (checks: readonly Checked[]): Checked =>
  (value) => {
    const [first] = checks;
    const error = first?.(value);
    if (error === undefined) return undefined;
    return checks.slice(1).some((check) => check(value) === undefined) ? undefined : error;
  };

/**
 * The check of each entrypoint that has one: the schemas of its rule, or of all rules below it, the first in order of
 * path that refuses. Marks were checked before: each names a schema that compiles.
 */
export const inputChecks = (marked: MarkedRules, book: SchemaBook): ReadonlyMap<string, InputCheck> => {
  const found = new Map<string, InputCheck>();
  if (!marked.annotations.some(({ schemas }) => schemas !== undefined)) return found;
  const known = new Map<string, Checked | undefined>();
  const checkFor = (rule: string): Checked | undefined => {
    if (known.has(rule)) return known.get(rule);
    const lists = marksFor(rule, marked).map((marks) =>
      inForce(marks).flatMap(({ mark, without }): Placed[] => {
        const schema = book.find(mark, without);
        if (schema !== undefined) return [{ at: mark.at, schema }];
        throw new PolicyError(
          'SCHEMA_INVALID',
          `the schema of ${rule} for input/${mark.at.join('/')} does not compile`,
        );
      }),
    );
    // A body without a schema takes anything.
    const check = lists.some((placed) => placed.length === 0)
      ? undefined
      : either(lists.map((placed) => checkOf(rule, placed)));
    known.set(rule, check);
    return check;
  };
  const rules = [...marked.rules].sort();
  for (const entrypoint of marked.entrypoints) {
    const checks = rules
      .filter((rule) => rule === entrypoint || rule.startsWith(`${entrypoint}/`))
      .flatMap((rule) => checkFor(rule) ?? []);
    if (checks.length === 0) continue;
    found.set(entrypoint, (input) => {
      const value = input();
      for (const check of checks) {
        const error = check(value);
        if (error !== undefined) return error;
      }
      return undefined;
    });
  }
  return found;
};
