import type { Case } from './case.ts';

/** A rule whose answer in Wasm is not the interpreter's: OPA's compiler or runtime, not ours. */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  readonly case: Case;
  readonly wanted: string;
  readonly found: string;
}

/** The smallest case of each, as docs/reference/opa-compatibility.md lists them. Generated programs leave them out. */
export const known: readonly KnownDifference[] = [
  {
    name: 'the text of a number as the index of an array in data',
    reason: "The interpreter's store takes names for indexes; in Wasm an array has no member of that name.",
    case: {
      rego: 'package pol\n\nitem := data.doc.list[input.a]\n',
      data: '{"list":["none","one"]}',
      entrypoints: ['item'],
      inputs: ['{"a":"1"}'],
    },
    wanted: '"one"',
    found: 'undefined',
  },
  {
    name: 'a number in a variable as the name of a member in data',
    reason: "The interpreter's store takes numbers for names; in Wasm keys of objects keep their type.",
    case: {
      rego: 'package pol\n\nitem := data.doc.table[input.n]\n',
      data: '{"table":{"2":"two"}}',
      entrypoints: ['item'],
      inputs: ['{"n":2}'],
    },
    wanted: '"two"',
    found: 'undefined',
  },
  {
    name: 'the largest of equal numbers that are written differently',
    reason: "OPA's C code keeps the first of them, its Go code the last.",
    case: {
      rego: 'package pol\n\nmost := max(input.a)\n',
      data: '{}',
      entrypoints: ['most'],
      inputs: ['{"a":[1.0,1]}'],
    },
    wanted: '1',
    found: '1.0',
  },
  {
    name: 'the order in which walk finds members',
    reason: "OPA's runtime takes the members of an object as they lie in its table, the interpreter takes them sorted.",
    case: {
      rego: 'package pol\n\nfound := [v | walk(input, [_, v])]\n',
      data: '{}',
      entrypoints: ['found'],
      inputs: ['{"c":1,"a":2,"s":3,"l":4}'],
    },
    wanted: '[{"a":2,"c":1,"l":4,"s":3},2,1,4,3]',
    found: '[{"a":2,"c":1,"l":4,"s":3},4,1,3,2]',
  },
  {
    name: 'the order in which members of an object are found',
    reason: "OPA's runtime takes them as they lie in its table, the interpreter sorted by name.",
    case: {
      rego: 'package pol\n\nfound := [v | some v in input]\n',
      data: '{}',
      entrypoints: ['found'],
      inputs: ['{"c":1,"a":2,"s":3,"l":4}'],
    },
    wanted: '[2,1,4,3]',
    found: '[4,1,3,2]',
  },
  {
    name: 'a conflict that the index of rules spares the interpreter',
    reason:
      'The interpreter does not look into a rule that needs a member which the input lacks; Wasm tries all of it.',
    case: {
      rego: `package pol

a := 1

a := 1 if input == 1 else := "x"

b := 7 if { a != 1; input.q }
`,
      data: '{}',
      entrypoints: ['b'],
      inputs: ['{}'],
    },
    wanted: 'undefined',
    found: 'failed:conflict',
  },
];
