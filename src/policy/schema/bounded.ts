import { messageOf, pointerStep } from '../../canonical/index.ts';
import { linearPattern } from './pattern.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Why a schema is not taken, and where in it. */
export interface SchemaFault {
  readonly pointer: string;
  readonly why: string;
}

/** The keyword that every subschema gets: what one look at a value costs. */
export const COST = 'verdict:cost';

/** What looking at one value once costs: always, for each member of an object, for each character of a text. */
export interface Cost {
  readonly each: number;
  readonly member: number;
  readonly character: number;
}

const DEEPEST = 64;

const values = new Set(['enum', 'const', 'default', 'examples']);
/** Keywords whose value is schemas, or lists of names, by name. */
export const maps: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'definitions',
  '$defs',
  'dependentSchemas',
  'dependencies',
  'dependentRequired',
]);
const overMembers = [
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sizeOf = (value: JsonValue | undefined): number =>
  Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0;

const costOf = (schema: JsonObject): Cost => {
  const patterns = sizeOf(schema.patternProperties);
  const loops = overMembers.filter((keyword) => Object.hasOwn(schema, keyword)).length;
  return {
    each: 1 + sizeOf(schema.enum) + sizeOf(schema.required) + sizeOf(schema.properties) + sizeOf(schema.dependencies),
    member: loops + patterns,
    character: Object.hasOwn(schema, 'minLength') || Object.hasOwn(schema, 'maxLength') ? 1 : 0,
  };
};

/** The place in the schema that a `$ref` names, or undefined when it is a name (`#node`) that the compiler looks up. */
const target = (ref: string): string | undefined => {
  const fragment = ref.slice(1);
  if (fragment !== '' && !fragment.startsWith('/')) return undefined;
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
};

class Walk {
  readonly faults: SchemaFault[] = [];
  private readonly seen = new Set<string>();
  private readonly refs: { readonly pointer: string; readonly to: string }[] = [];

  /** A copy in which every place that can act as a schema has its cost. */
  schema(schema: JsonValue, pointer: string, depth: number): JsonValue {
    this.seen.add(pointer);
    if (!isObject(schema)) return schema;
    if (depth > DEEPEST) return this.fault(pointer, `it is nested deeper than ${DEEPEST}`, schema);
    const copy: { [key: string]: JsonValue } = {};
    for (const [key, value] of Object.entries(schema)) {
      const at = pointer + pointerStep(key);
      this.keyword(key, value, { at, isRoot: depth === 0 });
      if (key === '$id' || (key === 'id' && typeof value === 'string')) continue;
      copy[key] = values.has(key) ? value : this.below(key, value, at, depth);
    }
    return { ...copy, [COST]: { ...costOf(schema) } };
  }

  private below(key: string, value: JsonValue, at: string, depth: number): JsonValue {
    if (Array.isArray(value)) return this.items(value, at, depth);
    if (!isObject(value)) return value;
    if (!maps.has(key)) return this.schema(value, at, depth + 1);
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        const place = at + pointerStep(name);
        if (name === '__proto__') this.fault(place, 'no schema can be given for this name', inner);
        if (key === 'patternProperties') this.pattern(name, place);
        return [name, Array.isArray(inner) ? this.items(inner, place, depth) : this.schema(inner, place, depth + 1)];
      }),
    );
  }

  private items(list: readonly JsonValue[], at: string, depth: number): JsonValue {
    return list.map((item, index) => this.schema(item, `${at}/${index}`, depth + 1));
  }

  private keyword(key: string, value: JsonValue, { at, isRoot }: { at: string; isRoot: boolean }): void {
    if (key === '$async' || key === COST || key === '__proto__') this.fault(at, 'this keyword is not taken', null);
    if (key === '$id' && !isRoot) this.fault(at, 'only the whole schema may have an $id', null);
    if (key === 'pattern' && typeof value === 'string') this.pattern(value, at);
    if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string') {
      if (value.startsWith('#')) this.refs.push({ pointer: at, to: value });
      else this.fault(at, `a ${key} stays within its own schema, as "#/$defs/name" does: nothing is fetched`, null);
    }
  }

  private pattern(source: string, at: string): void {
    try {
      linearPattern(source, () => {});
    } catch (error) {
      this.fault(at, messageOf(error), null);
    }
  }

  private fault<T>(pointer: string, why: string, value: T): T {
    this.faults.push({ pointer, why });
    return value;
  }

  /** How many places can act as a schema. */
  get places(): number {
    return this.seen.size;
  }

  /** References to what is no schema would be run without their cost. */
  checkRefs(): void {
    for (const { pointer, to } of this.refs) {
      const place = target(to);
      if (place !== undefined && !this.seen.has(place))
        this.fault(pointer, `${to.slice(0, 100)} is no schema here`, null);
    }
  }
}

/**
 * A schema made fit to be compiled: it refers to nothing outside itself, its patterns can be matched in bounded time,
 * and each subschema carries what running it costs, so that no schema and no input can hold up the process.
 */
export const boundedSchema = (
  schema: JsonValue,
): { readonly schema: JsonValue; readonly places: number; readonly faults: readonly SchemaFault[] } => {
  const walk = new Walk();
  const copy = walk.schema(schema, '', 0);
  walk.checkRefs();
  if (!isObject(schema) && typeof schema !== 'boolean') walk.faults.push({ pointer: '', why: 'a schema is an object' });
  return { schema: copy, places: walk.places, faults: walk.faults };
};
