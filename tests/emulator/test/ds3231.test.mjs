/** The real-time clock, against its datasheet. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Ds3231 } from '../ds3231.mjs';

const SECOND = 1e9;

function makeClock() {
  const world = { nanos: 0 };
  const clock = new Ds3231(() => world.nanos);
  return {
    clock,
    pass: (/** @type {number} */ seconds) => (world.nanos += seconds * SECOND),
    write: (/** @type {number[]} */ ...bytes) => {
      assert.ok(clock.start(false));
      bytes.forEach((byte) => assert.ok(clock.write(byte)));
      clock.stop();
    },
    read: (/** @type {number} */ register, /** @type {number} */ count) => {
      clock.start(false);
      clock.write(register);
      clock.stop();
      clock.start(true);
      const bytes = Array.from({ length: count }, () => clock.read());
      clock.stop();
      return bytes;
    },
  };
}

test('power-on values are those of the datasheet', () => {
  const { read } = makeClock();
  // 00:00:00, day 1, 01/01/00; alarms 0; control 1Ch; status 88h; aging 0; 25.00 °C
  assert.deepEqual(read(0, 19), [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x1c, 0x88, 0, 25, 0]);
});

test('a written time runs on in BCD, over midnight and a leap day', () => {
  const { read, write, pass } = makeClock();
  write(0, 0x58, 0x59, 0x23, 3, 0x28, 0x02, 0x28);
  pass(3);
  assert.deepEqual(read(0, 7), [0x01, 0x00, 0x00, 4, 0x29, 0x02, 0x28]);
});

test('the day of the week wraps from 7 to 1, and the century bit is set after 99', () => {
  const { read, write, pass } = makeClock();
  write(0, 0x59, 0x59, 0x23, 7, 0x31, 0x12, 0x99);
  pass(1);
  assert.deepEqual(read(0, 7), [0, 0, 0, 1, 0x01, 0x81, 0x00]);
});

test('twelve-hour mode is kept', () => {
  const { read, write, pass } = makeClock();
  write(0, 0x59, 0x59, 0x40 | 0x11, 1, 1, 1, 0x26);
  pass(1);
  assert.deepEqual(read(0, 3), [0, 0, 0x40 | 0x20 | 0x12]);
});

test('a read that takes long sees one moment', () => {
  const { clock, write, pass } = makeClock();
  write(0, 0x59, 0x59, 0x23, 1, 1, 1, 0x26);
  clock.start(false);
  clock.write(0);
  clock.stop();
  clock.start(true);
  assert.equal(clock.read(), 0x59);
  pass(1);
  assert.equal(clock.read(), 0x59);
  assert.equal(clock.read(), 0x23);
});

test('the oscillator-stop flag can be cleared, not set, and comes back when the battery fails', () => {
  const { clock, read, write } = makeClock();
  assert.ok(clock.stopped);
  write(0x0f, 0x08);
  assert.equal(read(0x0f, 1)[0], 0x08);
  write(0x0f, 0x88);
  assert.equal(read(0x0f, 1)[0], 0x08);
  clock.losePower();
  assert.equal(read(0x0f, 1)[0], 0x88);
});

test('setting the time does not clear the oscillator-stop flag by itself', () => {
  const { clock, write } = makeClock();
  write(0, 0, 0, 0, 1, 1, 1, 0x26);
  assert.ok(clock.stopped);
});

test('drift and aging offset change the rate: +1 slows by 0.1 ppm', () => {
  const { clock, write, pass } = makeClock();
  clock.set(new Date(Date.UTC(2026, 0, 1)));
  clock.driftPpm = 12.7;
  pass(1e6);
  assert.equal(clock.time.getTime() - Date.UTC(2026, 0, 1), 1e9 + 12_700);
  clock.set(new Date(Date.UTC(2026, 0, 1)));
  write(0x10, 0x7f);
  pass(1e6);
  assert.equal(clock.time.getTime() - Date.UTC(2026, 0, 1), 1e9);
});

test('writing the seconds restarts the second; writing the minutes does not', () => {
  const { read, write, pass } = makeClock();
  pass(0.9);
  write(1, 0x30);
  pass(0.2);
  assert.deepEqual(read(0, 2), [0x01, 0x30]);
  pass(0.8);
  write(0, 0x10);
  pass(0.9);
  assert.deepEqual(read(0, 2), [0x10, 0x30]);
});

test('an impossible date is refused, because the chip is undefined then', () => {
  const { write } = makeClock();
  assert.throws(() => write(0, 0, 0, 0, 1, 0x31, 0x02, 0x26), /no such time/);
});
