import { describe, expect, test } from 'vitest';
import { goNumberText } from '../../../src/engine/values/number-text.ts';
import { resultJson } from '../../../src/engine/values/result-json.ts';
import { parseValue } from '../../../src/engine/values/value-text.ts';
import { RegoBytes, regoObject } from '../../../src/rego/index.ts';

const json = (text: string): string => resultJson(parseValue(Buffer.from(text)));

// What OPA 1.22.2 answers at /v1/data for the same values.
describe('results as OPA writes them', () => {
  test('sets are arrays in the order of Rego', () => {
    expect(json('{"b",3,{"x"},1,null,{"a":{2,1}},[1],2,"a"}')).toBe('[null,1,2,3,"a","b",[1],{"a":[1,2]},["x"]]');
    expect(json('set()')).toBe('[]');
  });

  test('keys that are no strings are their JSON, and of equal ones the string wins', () => {
    expect(json('{1:"a","1":"b",null:2,[1,2]:3,{1}:4,{"a":1}:5,true:6,1.5:7,"<":8}')).toBe(
      '{"1":"b","1.5":7,"\\u003c":8,"[1,2]":3,"[1]":4,"null":2,"true":6,"{\\"a\\":1}":5}',
    );
    expect(json('{["<"]:1}')).toBe('{"[\\"\\\\u003c\\"]":1}');
  });

  test('strings have the escapes of Go', () => {
    expect(resultJson('<>&\u2028\u2029\u007f\u0001\n\t\b\f/é😀"\\')).toBe(
      '"\\u003c\\u003e\\u0026\\u2028\\u2029\u007f\\u0001\\n\\t\\b\\f/é😀\\"\\\\"',
    );
  });

  test('bytes that are no UTF-8 are one escaped replacement character each', () => {
    expect(resultJson(new RegoBytes(Uint8Array.of(0x61, 0xff, 0xe2, 0x82, 0xc3, 0xa9)))).toBe(
      '"a\\ufffd\\ufffd\\ufffdé"',
    );
    expect(resultJson(regoObject([[new RegoBytes(Uint8Array.of(0xff)), true]]))).toBe('{"\\ufffd":true}');
    expect(resultJson('\ufffd')).toBe('"\ufffd"');
  });

  test('numbers without a digit before the point have one in JSON, where OPA gives up', () => {
    expect(json('[.5,-.5e3,.0]')).toBe('[0.5,-0.5e3,0.0]');
    expect(['.5', '-.25', '.0', '.5e1'].map(goNumberText)).toEqual(['0.5', '-0.25', '0', '5']);
  });

  test('keys are sorted by bytes', () => {
    expect(json('{"😀":1,"\ufb01":2,"b":3}')).toBe('{"b":3,"\ufb01":2,"😀":1}');
  });

  test('the text of numbers stays', () => {
    expect(json('[1.0,1e400,100000000000000000000,1e-7,1E+2,-0,-0.0,10.50]')).toBe(
      '[1.0,1e400,100000000000000000000,1e-7,1E+2,-0,-0.0,10.50]',
    );
  });
});

describe('numbers that a policy computed', () => {
  test.each([
    ['0.3', '0.3'],
    ['15.00', '15'],
    ['1E+30', '1000000000000000000000000000000'],
    ['0.000005', '5e-06'],
    ['1.0E-7', '1e-07'],
    ['0.0001', '0.0001'],
    ['1500000.25', '1.50000025e+06'],
    ['123457.23456', '123457.23456'],
    ['-1.50', '-1.5'],
    ['0.0', '0'],
    ['3.3333333333333333333333', '3.3333333333333333333'],
    ['0.30000000000000000000001', '0.3'],
    ['287682160754567915118039E-6', '2.8768216075456791512e+17'],
    ['967207289711972751137.1', '967207289711972751160'],
  ])('%s is printed as %s', (text, wanted) => {
    expect(goNumberText(text)).toBe(wanted);
  });

  test('an absurd exponent costs nothing', () => {
    expect(goNumberText('1E+999999999')).toBe('1E+999999999');
  });
});
