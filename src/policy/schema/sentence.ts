import type { ErrorObject } from 'ajv';
import { pointerStep } from '../../canonical/index.ts';

const MOST_PROBLEMS = 10;
const NO_INPUT = 'there is none (the Data API takes it from the member "input" of the body)';
const LONGEST = 80;

/** Names of members come from the input, limits from the schema: neither makes a message long. */
const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

const typeOf = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
};

const memberOf = ({ params }: ErrorObject): string | undefined => {
  const name: unknown =
    params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty ?? params.propertyName;
  return typeof name === 'string' ? name : undefined;
};

const wanted = (value: unknown): string => short(JSON.stringify(value));

const reasonOf = (error: ErrorObject): string => {
  const { keyword, params, data } = error;
  switch (keyword) {
    case 'required':
    case 'dependencies':
    case 'dependentRequired':
      return 'is missing';
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'is no member that the schema knows';
    case 'propertyNames':
      return 'has a name that the schema does not take';
    case 'type': {
      const types = [params.type].flat().join(' or ');
      return data === undefined ? `is missing (wanted ${types})` : `wanted ${types}, got ${typeOf(data)}`;
    }
    case 'enum':
      return `must be one of ${wanted(params.allowedValues)}`;
    case 'const':
      return `must be ${wanted(params.allowedValue)}`;
    case 'uniqueItems':
      return 'must not hold the same item twice';
    case 'false schema':
      return 'must not be there';
    default:
      return short(error.message ?? `does not fit ${keyword}`);
  }
};

/** What an input lacks, one line a place: JSON Pointers and what is wanted there, none of the input's own values. */
export const problemsText = (errors: readonly ErrorObject[], at: readonly string[]): string => {
  const above = at.map(pointerStep).join('');
  const lines = new Map<string, string>();
  for (const error of errors) {
    // What a schema says of a member's name is said of the member as well.
    if (error.propertyName !== undefined) continue;
    const member = memberOf(error);
    const pointer = `${above}${error.instancePath}${member === undefined ? '' : pointerStep(member)}`;
    if (pointer === '' && error.data === undefined) return NO_INPUT;
    const line = `${short(pointer) === '' ? '""' : short(pointer)} ${reasonOf(error)}`;
    lines.set(line, line);
    if (lines.size > MOST_PROBLEMS) break;
  }
  const all = [...lines.keys()];
  return all.length > MOST_PROBLEMS ? `${all.slice(0, MOST_PROBLEMS).join('; ')}; and more` : all.join('; ');
};
