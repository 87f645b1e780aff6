/** The secure element, against its datasheet, RFC 4231's HMAC and FIPS 180-2's SHA-256. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Atecc608, crc16 } from '../atecc608.mjs';

const MILLI = 1e6;
const hex = (/** @type {string} */ digits) => Buffer.from(digits, 'hex');

/** @param {Partial<import('../atecc608-commands.mjs').Chip>} [contents] */
function makeElement(contents) {
  const world = { nanos: 0 };
  const element = new Atecc608(() => world.nanos, contents);
  const pass = (/** @type {number} */ millis) => (world.nanos += millis * MILLI);
  const write = (/** @type {number} */ wordAddress, /** @type {Buffer} */ bytes = Buffer.alloc(0)) => {
    const acknowledged = element.start(false);
    if (acknowledged) [wordAddress, ...bytes].forEach((byte) => element.write(byte));
    element.stop();
    return acknowledged;
  };
  const read = (/** @type {number} */ count) => {
    if (!element.start(true)) return null;
    const bytes = Buffer.from(Array.from({ length: count }, () => element.read()));
    element.stop();
    return bytes;
  };
  const wake = () => {
    element.dataLow(80e3);
    pass(1.5);
  };
  /** Executes a command and returns the answer's body. */
  const command = (
    /** @type {number} */ opcode,
    /** @type {number} */ mode,
    /** @type {number} */ param2,
    /** @type {Buffer} */ data = Buffer.alloc(0),
  ) => {
    const body = Buffer.from([7 + data.length, opcode, mode, param2 & 0xff, param2 >> 8, ...data]);
    assert.ok(write(0x03, Buffer.concat([body, crc16(body)])), 'the command is acknowledged');
    pass(50);
    const group = read(155);
    assert.ok(group);
    const count = group[0];
    assert.deepEqual(crc16(group.subarray(0, count - 2)), group.subarray(count - 2, count));
    return group.subarray(1, count - 2);
  };
  return { element, pass, write, read, wake, command };
}

/** @typedef {ReturnType<typeof makeElement>} Element */

/**
 * HMAC by the chip's own commands.
 * @param {Element['command']} command
 * @param {number} slot
 * @param {Buffer} message
 */
function hmac(command, slot, message) {
  assert.deepEqual([...command(0x47, 0x04, slot)], [0]);
  let rest = message;
  for (; rest.length >= 64; rest = rest.subarray(64)) {
    assert.deepEqual([...command(0x47, 0x01, 64, rest.subarray(0, 64))], [0]);
  }
  return command(0x47, 0x02, rest.length, rest);
}

test('the checksums of the datasheet: after wake, success, and execution error', () => {
  assert.deepEqual(crc16(hex('0411')), hex('3343'));
  assert.deepEqual(crc16(hex('0400')), hex('0340'));
  assert.deepEqual(crc16(hex('040f')), hex('2342'));
});

test('it wakes after 60 us of low data, answers 1.5 ms later, and not sooner', () => {
  const { element, pass, read } = makeElement();
  element.dataLow(59e3);
  assert.equal(element.state, 'asleep');
  element.dataLow(60e3);
  assert.equal(read(4), null);
  pass(1.4);
  assert.equal(read(4), null);
  pass(0.1);
  assert.deepEqual(read(4), hex('04113343'));
});

test('Info gives the revision of an ATECC608A', () => {
  const { wake, command } = makeElement();
  wake();
  assert.deepEqual(command(0x30, 0, 0), hex('00006002'));
});

test('while it executes it does not acknowledge', () => {
  const { wake, write, read, pass } = makeElement();
  wake();
  const info = hex('0730000000');
  assert.ok(write(0x03, Buffer.concat([info, crc16(info)])));
  pass(4);
  assert.equal(read(7), null);
  pass(1);
  assert.deepEqual(read(7)?.subarray(0, 5), hex('0700006002'));
});

test('a damaged packet is answered with status FFh and changes nothing', () => {
  const { element, wake, write, read } = makeElement();
  wake();
  const increment = hex('0724010000');
  const wrong = crc16(increment);
  wrong[0] ^= 1;
  assert.ok(write(0x03, Buffer.concat([increment, wrong])));
  assert.equal(read(4)?.[1], 0xff);
  assert.deepEqual(element.chip.counters, [0, 0]);
});

test('the answer can be read in pieces, and again after the address counter is reset', () => {
  const { wake, read, write } = makeElement();
  wake();
  assert.deepEqual(read(1), hex('04'));
  assert.deepEqual(read(3), hex('113343'));
  assert.deepEqual(read(1), hex('ff'));
  write(0x00);
  assert.deepEqual(read(4), hex('04113343'));
});

test('HMAC with a slot key gives the tags of RFC 4231', () => {
  // Cases 1, 2 and 3 with their keys padded with zeros to the 32 bytes of a slot, which an HMAC key permits.
  const cases = [
    ['0b'.repeat(20), Buffer.from('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [Buffer.from('Jefe').toString('hex'), Buffer.from('what do ya want for nothing?'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['aa'.repeat(20), Buffer.alloc(50, 0xdd), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  ];
  for (const [key, message, tag] of /** @type {[string, Buffer, string][]} */ (cases)) {
    const { wake, command } = makeElement({ keys: new Map([[9, hex(key.padEnd(64, '0'))]]) });
    wake();
    assert.equal(hmac(command, 9, message).toString('hex'), tag);
  }
});

test('HMAC of two whole blocks: the tag that OpenSSL gives for 128 letters a', () => {
  const { wake, command } = makeElement({ keys: new Map([[0, Buffer.alloc(32, 0x0b)]]) });
  wake();
  const tag = hmac(command, 0, Buffer.alloc(128, 'a')).toString('hex');
  assert.equal(tag, '0b17ef7cf842bfefaeefaf8c4bed9b141ff99d7162bcc64040ccc244f889b8b7');
});

test('SHA-256 of FIPS 180-2: "abc"', () => {
  const { wake, command } = makeElement();
  wake();
  command(0x47, 0x00, 0);
  const digest = command(0x47, 0x02, 3, Buffer.from('abc')).toString('hex');
  assert.equal(digest, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('an HMAC survives idle, but neither sleep, nor another command, nor the watchdog', () => {
  /** @type {Record<string, (element: Element) => void>} */
  const interruptions = {
    idle({ write, wake }) {
      write(0x02);
      wake();
    },
    sleep({ write, wake }) {
      write(0x01);
      wake();
    },
    command({ command }) {
      command(0x1b, 0, 0);
    },
    watchdog({ pass, wake }) {
      pass(1300);
      wake();
    },
  };
  for (const [name, interrupt] of Object.entries(interruptions)) {
    const it = makeElement({ keys: new Map([[0, Buffer.alloc(32)]]) });
    it.wake();
    it.command(0x47, 0x04, 0);
    interrupt(it);
    const end = it.command(0x47, 0x02, 0);
    assert.equal(end.length, name === 'idle' ? 32 : 1, name);
    if (name !== 'idle') assert.equal(end[0], 0x0f, name);
  }
});

test('the watchdog puts it to sleep 1.3 s after it woke, whatever it is doing', () => {
  const { element, wake, pass, read } = makeElement();
  wake();
  pass(1298);
  assert.equal(element.state, 'awake');
  pass(1);
  assert.equal(element.state, 'asleep');
  assert.equal(read(1), null);
});

test('an empty slot, a bad length and the ATECC508A form of the end are refused', () => {
  const { wake, command } = makeElement({ keys: new Map([[1, Buffer.alloc(32)]]) });
  wake();
  assert.deepEqual([...command(0x47, 0x04, 0)], [0x0f]);
  assert.deepEqual([...command(0x47, 0x04, 1)], [0x00]);
  assert.deepEqual([...command(0x47, 0x01, 63, Buffer.alloc(63))], [0x03]);
  assert.deepEqual([...command(0x47, 0x05, 0)], [0x03]);
});

test('a counter counts up to its limit', () => {
  const { wake, command } = makeElement({ counters: [2_097_150, 7] });
  wake();
  assert.deepEqual(command(0x24, 0, 1), hex('07000000'));
  assert.deepEqual(command(0x24, 1, 0), hex('ffff1f00'));
  assert.deepEqual([...command(0x24, 1, 0)], [0x0f]);
});

test('random numbers are a fixed pattern until the configuration is locked', () => {
  const fresh = makeElement({ configLocked: false });
  fresh.wake();
  assert.deepEqual(fresh.command(0x1b, 0, 0), hex('ffff0000'.repeat(8)));
  const locked = makeElement();
  locked.wake();
  assert.notDeepEqual(locked.command(0x1b, 0, 0), locked.command(0x1b, 0, 0));
});

test('a key can be written between the two locks, and never read', () => {
  const { wake, command, element } = makeElement({ configLocked: false, dataLocked: false });
  const key = Buffer.alloc(32, 7);
  wake();
  assert.deepEqual([...command(0x12, 0x82, 3 << 3, key)], [0x0f]);
  assert.deepEqual([...command(0x17, 0x80, 0)], [0x00]);
  assert.deepEqual([...command(0x12, 0x82, 3 << 3, key)], [0x00]);
  assert.deepEqual([...command(0x17, 0x81, 0)], [0x00]);
  assert.deepEqual([...command(0x12, 0x82, 3 << 3, key)], [0x0f]);
  assert.deepEqual([...command(0x02, 0x82, 3 << 3)], [0x0f]);
  assert.deepEqual(element.chip.keys.get(3), key);
  assert.deepEqual(command(0x02, 0x00, 0x15), hex('00000000'));
});

test('a device that refuses is as good as absent', () => {
  const { element, wake, read } = makeElement();
  element.refuses = true;
  wake();
  assert.equal(read(4), null);
});
