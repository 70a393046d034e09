import { expect, test } from 'vitest';
import { AllowedHosts, isPublic, plainAddress } from '../../../src/engine/network/allowed.ts';

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.31.0.1',
  '192.168.1.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1%eth0',
  'ff02::1',
  'no address',
])('%s is not public', (address) => {
  expect(isPublic(address)).toBe(false);
});

test.each(['1.1.1.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])('%s is public', (address) => {
  expect(isPublic(address)).toBe(true);
});

test('an IPv4-mapped address is the IPv4 address', () => {
  expect(plainAddress('[::ffff:7f00:1]')).toBe('127.0.0.1');
});

test('a host is allowed by its name, whatever the case, and by its address or range', () => {
  const allowed = new AllowedHosts(['People.Example', '10.1.0.0/16', '::1']);
  for (const host of ['people.example', 'PEOPLE.example.', '10.1.2.3', '[::1]', '[::ffff:10.1.2.3]']) {
    expect(() => allowed.checkHost(host)).not.toThrow();
  }
  for (const host of ['example', 'a.people.example', 'people.example.evil', '10.2.0.1', '127.0.0.1', '1.1.1.1']) {
    expect(() => allowed.checkHost(host)).toThrow(/engine\.network\.hosts does not name it/);
  }
});

test('a name may stand for public addresses, and for others only where they are named', () => {
  const allowed = new AllowedHosts(['people.example', '10.1.0.0/16']);
  for (const address of ['1.1.1.1', '10.1.2.3']) {
    expect(() => allowed.checkAddress('people.example', address)).not.toThrow();
  }
  expect(() => allowed.checkAddress('people.example', '::ffff:169.254.169.254')).toThrow(
    'disallowed host: people.example is 169.254.169.254, which is not public: engine.network.hosts has to name that address, too',
  );
});
