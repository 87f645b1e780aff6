/** The services that answer a board's datagrams: frames, names and time, against their RFCs. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { nameServer } from '../dns.mjs';
import { timeServer } from '../sntp.mjs';
import { answerUdp, checksum } from '../udp.mjs';

const hex = (/** @type {string} */ digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');

test('the checksum of the example in RFC 1071', () => {
  assert.equal(checksum(hex('0001 f203 f4f5 f6f7')), 0x220d);
  assert.equal(checksum(hex('45000073000040004011 b861 c0a80001c0a800c7')), 0, 'a header with its checksum sums to zero');
});

test('a datagram is answered to where it came from, with valid checksums', () => {
  const query = hex(
    '525500000203 020000123456 0800' +
      '4500 0020 0001 0000 40 11 0000 0a00020f 0a000203' +
      'c000 1234 000c 0000 50696e67',
  );
  const answer = answerUdp(query, new Map([[0x1234, (payload) => Buffer.from(`${payload}!`)]]));
  assert.ok(answer);
  assert.deepEqual(answer.subarray(0, 14), hex('020000123456 525500000203 0800'));
  assert.deepEqual(answer.subarray(26, 34), hex('0a000203 0a00020f'));
  assert.deepEqual(answer.subarray(34, 38), hex('1234 c000'));
  assert.equal(answer.subarray(42).toString(), 'Ping!');
  assert.equal(checksum(answer.subarray(14, 34)), 0);
  const pseudo = Buffer.concat([answer.subarray(26, 34), hex('0011'), answer.subarray(38, 40)]);
  assert.equal(checksum(Buffer.concat([pseudo, answer.subarray(34)])), 0);
});

test('frames of others are left alone', () => {
  assert.equal(answerUdp(Buffer.alloc(60), new Map()), undefined);
  const tcp = hex(`525500000203 020000123456 0800 4500 0028 0001 0000 40 06 ${'00'.repeat(40)}`);
  assert.equal(answerUdp(tcp, new Map([[0, () => Buffer.alloc(0)]])), undefined);
});

test('a listed name resolves, another does not exist, and an address of another kind is empty', () => {
  const serve = nameServer(new Map([['api.test', '10.0.2.2']]));
  const ask = (/** @type {string} */ name, type = 1) => {
    const labels = name.split('.').map((label) => String.fromCharCode(label.length) + label);
    return serve(Buffer.concat([hex('abcd 0100 0001 0000 0000 0000'), Buffer.from(`${labels.join('')}\0`), hex(`000${type.toString(16)} 0001`)]));
  };
  assert.deepEqual(
    ask('API.test'),
    hex('abcd 8580 0001 0001 0000 0000 03415049 0474657374 00 0001 0001 c00c 0001 0001 0000003c 0004 0a000202'),
  );
  assert.deepEqual(ask('other.test')?.subarray(0, 8), hex('abcd 8583 0001 0000'));
  // AAAA is type 28; 0xf stands for any other type than A here.
  assert.deepEqual(ask('api.test', 15)?.subarray(0, 8), hex('abcd 8580 0001 0000'));
});

test('time: the epoch of RFC 5905 for 1 January 1970, and a half second', () => {
  const request = Buffer.alloc(48);
  request[0] = 0x23;
  request.fill(0x5a, 40);
  const packet = timeServer(() => new Date(500))(request);
  assert.ok(packet);
  assert.equal(packet[0], 0x24, 'no leap second, version 4, server');
  assert.equal(packet[1], 1);
  assert.deepEqual(packet.subarray(24, 32), Buffer.alloc(8, 0x5a), 'the originate timestamp is the client\'s');
  assert.deepEqual(packet.subarray(40), hex('83aa7e80 80000000'));
  assert.equal(timeServer(() => new Date(0))(Buffer.alloc(48)), null, 'only a client is answered');
});
