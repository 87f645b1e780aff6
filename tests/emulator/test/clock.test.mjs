/** Simulated time: from cycles, over sleep, and through alarms. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { SimulatedClock } from '../clock.mjs';

/** A clock at 125 MHz and what its alarms have noted. */
function makeClock() {
  const clock = new SimulatedClock();
  /** @type {[name: string, nanos: number][]} */
  const notes = [];
  const alarm = (/** @type {string} */ name, /** @type {number} */ delay) => {
    const made = clock.createAlarm(() => notes.push([name, clock.nanos]));
    made.schedule(delay);
    return made;
  };
  const cycles = (/** @type {number} */ count) => {
    clock.core.cycles += count;
    clock.fire();
  };
  return { clock, notes, alarm, cycles };
}

test('a cycle is 8 ns at 125 MHz, and as long as the frequency says after a change', () => {
  const { clock, cycles } = makeClock();
  cycles(125);
  assert.equal(clock.nanos, 1000);
  clock.frequency = 12e6;
  cycles(12);
  assert.equal(clock.nanos, 2000);
});

test('alarms run in the order of their moments, equal ones in the order of scheduling, each at its moment', () => {
  const { notes, alarm, cycles } = makeClock();
  alarm('late', 300);
  alarm('first', 100);
  alarm('second', 100);
  cycles(125);
  assert.deepEqual(notes, [['first', 100], ['second', 100], ['late', 300]]);
});

test('the limit is the cycle count at which the next alarm is due', () => {
  const { clock, alarm, cycles } = makeClock();
  clock.horizon = 8000;
  assert.equal(clock.limit, 1000);
  alarm('', 800);
  assert.equal(clock.limit, 100);
  cycles(100);
  assert.equal(clock.limit, 1000);
});

test('a cancelled alarm does not run, a rescheduled one runs once', () => {
  const { notes, alarm, cycles } = makeClock();
  alarm('cancelled', 100).cancel();
  alarm('moved', 100).schedule(200);
  cycles(125);
  assert.deepEqual(notes, [['moved', 200]]);
});

test('an alarm that schedules itself at once runs again in the same call', () => {
  const { clock, cycles } = makeClock();
  let runs = 0;
  const alarm = clock.createAlarm(() => {
    runs += 1;
    if (runs < 3) alarm.schedule(0);
  });
  alarm.schedule(50);
  cycles(10);
  assert.equal(runs, 3);
});

test('sleep leaps to the next alarm or the horizon; holding the core lets alarms run on the way', () => {
  const { clock, notes, alarm } = makeClock();
  clock.horizon = 1e9;
  alarm('woke', 5e6);
  clock.sleep();
  clock.fire();
  assert.equal(clock.nanos, 5e6);
  alarm('meanwhile', 1e6);
  clock.hold(45e6);
  assert.equal(clock.nanos, 50e6);
  assert.deepEqual(notes, [['woke', 5e6], ['meanwhile', 6e6]]);
  clock.sleep();
  assert.equal(clock.nanos, 1e9);
  assert.equal(clock.core.cycles, 0);
});
