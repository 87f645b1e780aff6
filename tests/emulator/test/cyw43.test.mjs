import assert from 'node:assert/strict';
import test from 'node:test';

import { AccessPoint, keyOf } from '../cyw43-air.mjs';
import { Cyw43 } from '../cyw43.mjs';

const [F0, F1, F2] = [0, 1, 2];
const MILLISECOND = 1e6;

/** A host with a bus of its own making, and a chip whose time the test sets. */
function makeHost() {
  const time = { nanos: 0 };
  const chip = new Cyw43(() => time.nanos);
  let halves = true;
  let status = false;
  const swap = (/** @type {number} */ word) => (halves ? ((word << 16) | (word >>> 16)) >>> 0 : word);
  /** @param {number[]} words @param {number} answers how many words come back */
  const transfer = (words, answers) => {
    chip.setSelect(false);
    for (const word of words) {
      for (let bit = 31; bit >= 0; bit--) {
        chip.setClock(false, ((swap(word) >>> bit) & 1) === 1);
        chip.setClock(true, ((swap(word) >>> bit) & 1) === 1);
      }
    }
    const got = Array.from({ length: answers }, () => {
      let word = 0;
      for (let bit = 31; bit >= 0; bit--) {
        chip.setClock(false, false);
        word = (word << 1) | Number(chip.level);
        chip.setClock(true, false);
      }
      return swap(word >>> 0);
    });
    chip.setClock(false, false);
    chip.setSelect(true);
    return got;
  };
  const command = (/** @type {number} */ write, /** @type {number} */ area, /** @type {number} */ address, /** @type {number} */ length) =>
    ((write << 31) | (1 << 30) | (area << 28) | (address << 11) | length) >>> 0;
  const host = {
    chip,
    time,
    /** Words that come back, the status word last if there is one. */
    read: (/** @type {number} */ area, /** @type {number} */ address, /** @type {number} */ length) =>
      transfer([command(0, area, address, length)], Math.ceil(length / 4) + Number(area === F1) + Number(status)),
    write: (/** @type {number} */ area, /** @type {number} */ address, /** @type {number} */ length, /** @type {number[]} */ ...words) =>
      transfer([command(1, area, address, length), ...words], Number(status)),
    /** Powers the chip, and sets the bus up as the driver does: words of 32 bits, status, four bytes of padding. */
    begin: () => {
      chip.setPower(true);
      time.nanos += 150 * MILLISECOND;
      host.write(F0, 0x00, 4, 0x000304b1);
      [halves, status] = [false, true];
      host.write(F0, 0x1d, 1, 4);
    },
    /** Writes to the backplane, whose window is moved there. */
    poke: (/** @type {number} */ address, /** @type {number} */ value) => {
      for (const [index, register] of [0x1000a, 0x1000b, 0x1000c].entries()) {
        host.write(F1, register, 1, ((address & ~0x7fff) >>> (8 * (index + 1))) & 0xff);
      }
      host.write(F1, (address & 0x7fff) | 0x8000, 4, value);
    },
    /** Loads firmware of one word with board values of one, and starts it. */
    start: () => {
      host.begin();
      host.poke(0x18103800, 1);
      host.poke(0, 0x12345678);
      host.poke(0x7fffc, 0xfffe0001);
      host.poke(0x18103408, 1);
      host.poke(0x18103800, 0);
      time.nanos += 29 * MILLISECOND;
    },
    /** Sends a control packet and returns its answer. */
    control: (/** @type {number} */ kind, /** @type {number} */ code, /** @type {Buffer} */ body) => {
      const packet = Buffer.alloc(Math.ceil((28 + body.length) / 4) * 4);
      packet.writeUInt16LE(28 + body.length, 0);
      packet.writeUInt16LE(~(28 + body.length) & 0xffff, 2);
      packet.set([sequence++ & 0xff, 0, 0, 12], 4);
      packet.writeUInt32LE(code, 12);
      packet.writeUInt32LE(body.length, 16);
      packet.writeUInt16LE(kind, 20);
      body.copy(packet, 28);
      const words = Array.from({ length: packet.length / 4 }, (_, index) => packet.readUInt32LE(4 * index));
      host.write(F2, 0, packet.length, ...words);
      return host.packet();
    },
    /** Sends an empty frame. */
    data: () => {
      const words = [0xffed0012, 0x0e000200 + (sequence++ & 0xff), 0, 0x00200000, 0];
      host.write(F2, 0, 20, ...words);
    },
    /** The packet that waits, which has to be there. */
    packet: () => {
      const [waiting] = host.read(F0, 0x08, 4);
      assert.ok(waiting & 0x100, 'no packet waits');
      const length = (waiting >> 9) & 0x7ff;
      const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
      host.read(F2, 0, length).slice(0, -1).forEach((word, index) => bytes.writeUInt32LE(word, 4 * index));
      return bytes.subarray(0, length);
    },
    /** Lets time pass, and returns type, status, reason and flags of the events that were told in it. */
    events: (/** @type {number} */ millis) => {
      /** @type {number[][]} */
      const told = [];
      for (let passed = 0; passed < millis; passed++) {
        time.nanos += MILLISECOND;
        chip.poll();
        while (chip.level) {
          const packet = host.packet();
          assert.equal(packet[5], 1, 'no event');
          told.push([packet.readUInt32BE(44), packet.readUInt32BE(48), packet.readUInt32BE(52), packet.readUInt16BE(42)]);
        }
      }
      return told;
    },
    /** Does what a driver does before its first join. */
    setUp: () => {
      host.start();
      host.write(F0, 0x06, 2, 0x20);
      host.control(2, 263, Buffer.concat([Buffer.from('clmload\0'), Buffer.of(6, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9)]));
      host.control(2, 263, Buffer.from('country\0XX\0\0'));
      host.control(2, 263, Buffer.concat([Buffer.from('bsscfg:event_msgs\0'), Buffer.alloc(28, 0xff)]));
      host.control(2, 2, Buffer.alloc(0));
    },
    /** Asks for a network with a key, or for an open one. */
    join: (/** @type {string} */ name, /** @type {string | null} */ passphrase) => {
      const number = (/** @type {number} */ value) => Buffer.of(value & 0xff, (value >> 8) & 0xff, value >> 16, 0);
      host.control(2, 134, number(passphrase === null ? 0 : 4));
      host.control(2, 165, number(passphrase === null ? 0 : 0x40000));
      let status = 0;
      if (passphrase !== null) {
        const key = Buffer.alloc(68);
        key.set([passphrase.length, 0, 1, 0]);
        key.write(passphrase, 4, 'latin1');
        status = host.control(2, 268, key).readInt32LE(24);
      }
      const ssid = Buffer.alloc(36);
      ssid[0] = name.length;
      ssid.write(name, 4);
      host.control(2, 26, ssid);
      return status;
    },
  };
  let sequence = 0;
  return host;
}

test('after power-on it is silent for 150 ms, and then its words have 16 bits', () => {
  const { chip, time, read } = makeHost();
  chip.setPower(true);
  assert.deepEqual(read(F0, 0x14, 4), [0]);
  time.nanos = 150 * MILLISECOND;
  assert.deepEqual(read(F0, 0x14, 4), [0xfeedbead]);
  chip.answers = false;
  assert.deepEqual(read(F0, 0x14, 4), [0]);
});

test('with 32 bits there is a status word behind everything', () => {
  const { begin, read, write } = makeHost();
  begin();
  assert.deepEqual(read(F0, 0x14, 4), [0xfeedbead, 0]);
  assert.deepEqual(write(F0, 0x18, 4, 0x12345678), [0]);
  assert.deepEqual(read(F0, 0x18, 4), [0x12345678, 0]);
});

test('the window is a way to the backplane, and a read of it begins with padding', () => {
  const { begin, poke, read } = makeHost();
  begin();
  poke(0x18103408, 3);
  assert.deepEqual(read(F1, 0x3408, 1), [0, 3, 0]);
  poke(0x18004010, 3);
  assert.throws(() => read(F1, 0x4014, 4), /reading 0x18004014 of the backplane is not modelled/);
  assert.throws(() => read(F1, 0x4010, 68), /68 bytes of function 1 at once/);
});

test('the firmware starts when it is loaded with its board values, and its clock comes later', () => {
  const empty = makeHost();
  empty.begin();
  empty.poke(0x18103800, 1);
  empty.poke(0x18103408, 1);
  empty.poke(0x18103800, 0);
  empty.time.nanos += 1000 * MILLISECOND;
  assert.equal(empty.read(F1, 0x1000e, 1)[1] & 0x80, 0);
  const { time, start, read } = makeHost();
  start();
  time.nanos -= 1;
  assert.equal(read(F1, 0x1000e, 1)[1] & 0x80, 0);
  time.nanos += 1;
  assert.equal(read(F1, 0x1000e, 1)[1] & 0x80, 0x80);
  assert.equal(read(F0, 0x08, 4)[0], 0x20);
});

test('a control packet is answered on the data line, with credit', () => {
  const { start, chip, write, control } = makeHost();
  start();
  write(F0, 0x06, 2, 0x20);
  const answer = control(0, 262, Buffer.from('cur_etheraddr\0'));
  assert.equal(answer.readInt32LE(24), 0);
  assert.deepEqual([...answer.subarray(28, 34)], [0x28, 0xcd, 0xc1, 0, 0, 1]);
  assert.equal(answer[9], 1 + 8);
  assert.equal(chip.level, false);
});

test('a host whose frames nobody answers is given credit, as soon as it has none left', () => {
  const { time, chip, setUp, control, data, packet } = makeHost();
  setUp();
  const credit = control(0, 262, Buffer.from('cur_etheraddr\0'))[9];
  const next = credit - 8;
  for (let sent = 0; sent < 7; sent++) data();
  time.nanos += 1000 * MILLISECOND;
  chip.poll();
  assert.equal(chip.level, false);
  data();
  assert.equal(chip.level, false);
  time.nanos += 5 * MILLISECOND;
  chip.poll();
  assert.equal(chip.level, true);
  const update = packet();
  assert.equal(update.length, 12);
  assert.deepEqual([...update.subarray(0, 4)], [12, 0, 0xf3, 0xff]);
  assert.equal(update[9], next + 8 + 8);
  assert.equal(chip.level, false);
});

test('the key of a passphrase is that of the standard', () => {
  // IEEE 802.11-2020 annex J.4.2
  assert.equal(keyOf('password', 'IEEE'), 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e');
});

test('a join ends with keys, behind the events that drivers look for', () => {
  const { chip, setUp, join, events } = makeHost();
  chip.air = [new AccessPoint('IEEE', 'password')];
  setUp();
  join('IEEE', 'password');
  assert.deepEqual(events(1000), [[3, 0, 0, 0], [7, 0, 0, 0], [16, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [46, 6, 0, 0]]);
  assert.equal(join('IEEE', 'password'), -1, 'a key is taken while it is associated');
});

test('a join of what is not there, or of another kind, finds no network', () => {
  const { chip, setUp, join, events } = makeHost();
  chip.air = [new AccessPoint('IEEE', 'password')];
  setUp();
  join('other', 'password');
  assert.deepEqual(events(1000), [[0, 3, 0, 0]]);
  join('IEEE', null);
  assert.deepEqual(events(1000), [[0, 3, 0, 0]]);
});

test('a wrong passphrase shows when the third message of the handshake does not come', () => {
  const { chip, setUp, join, events } = makeHost();
  chip.air = [new AccessPoint('IEEE', 'password')];
  setUp();
  join('IEEE', 'passw0rd');
  assert.deepEqual(events(5000).at(-1), [46, 8, 15, 0]);
});

test('an access point that goes away is missed after some beacons', () => {
  const { chip, setUp, join, events } = makeHost();
  const point = new AccessPoint('open', null);
  chip.air = [point];
  setUp();
  join('open', null);
  assert.deepEqual(events(1000).at(-1), [0, 0, 0, 0]);
  point.on = false;
  assert.deepEqual(events(3900), []);
  assert.deepEqual(events(200), [[16, 0, 1, 0]]);
});
