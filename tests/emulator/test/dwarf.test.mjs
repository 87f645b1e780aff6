/** Debug information: an inlined function is found, and what happens in it is metered. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Meter } from '../calls.mjs';
import { functionRanges } from '../dwarf.mjs';
import { flashed } from '../firmware.mjs';
import { Machine } from '../machine.mjs';

const WAIT = /^_ZN5hello4wait17h/;

test('an inlined function is found inside another one', () => {
  const { elf } = flashed('hello');
  assert.ok(!elf.functions.some(({ name }) => WAIT.test(name)));
  const ranges = functionRanges(elf, WAIT);
  assert.ok(ranges.length > 0);
  for (const [start, end] of ranges) {
    assert.ok(elf.functions.some((around) => start >= around.start && end < around.start + around.size));
  }
  assert.throws(() => functionRanges(elf, /no_such_function/), /no function/);
});

test('cycles in an inlined function are metered, with what it calls', () => {
  const { elf, flash } = flashed('hello');
  const machine = new Machine({ elf, flash });
  const meter = new Meter(machine, functionRanges(elf, WAIT), 'count_down', (registers) => registers[0]);
  for (let slice = 0; slice < 1500; slice++) machine.run(1e6);
  // The loop's head is met a thousand times, with 1000 to 1.
  assert.equal(meter.calls, (1000 * 1001) / 2);
  // The call is timed elsewhere: 3001 cycles. Before it are a literal load and the branch, no more than 10 cycles.
  assert.ok(meter.cycles > 3001 && meter.cycles <= 3011, `${meter.cycles} cycles`);
});
