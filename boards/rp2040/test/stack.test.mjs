/**
 * The stack is too small: that is brought about from outside, by taking most of it away. What must follow is that no data is
 * overwritten, that the board starts again, and that no alert is lost.
 */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { Elf } from '../../../tests/emulator/elf.mjs';
import { build, delivered, firmware, rehearse, rehearseTls } from './rehearsal.mjs';

/** @typedef {import('./rehearsal.mjs').Scene} Scene */

/** RP2040 datasheet, section 2.6.2. */
const RAM_BASE = 0x20000000;

/** The longest frame of a function that may be on the way down. */
const FRAME_BYTES = 4096;

/** ARMv6-M, section B1.5.6: what an exception stores. */
const EXCEPTION_FRAME_BYTES = 32;

/** More than any function has of arguments on the stack. */
const ARGUMENT_BYTES = 64;

/** The chip's watchdog counts 8 s; the last feeding was up to 10 ms before. */
const BITES_SECS = 8;

before(build);

test('the stack lies at the start of the RAM, below all data', () => {
  const elf = new Elf(firmware);
  assert.equal(elf.symbol('_stack_end'), RAM_BASE);
  const data = ['__sdata', '__sbss', '__suninit'].map((name) => elf.symbol(name));
  assert.ok(Math.min(...data) >= elf.symbol('_stack_start'));
});

/**
 * Waits for an overflow and checks how it ends.
 * @param {Scene} scene
 */
async function overflows({ board }) {
  const { machine, elf } = board;
  assert.ok(machine);
  assert.ok(await board.run({ seconds: 30, until: () => machine.lockedUp }), 'the stack does not overflow');
  const locked = board.nanos;
  const [first] = machine.refused;
  assert.ok(first.address < RAM_BASE && first.address >= RAM_BASE - FRAME_BYTES, `at 0x${first.address.toString(16)}`);
  const [from, to] = [elf.symbol('__sdata') - RAM_BASE, elf.symbol('__euninit') - RAM_BASE];
  const data = Buffer.from(machine.mcu.sram.subarray(from, to));
  await board.expect('started by the watchdog', 2 * BITES_SECS);
  const seconds = (board.nanos - locked) / 1e9;
  assert.ok(seconds > BITES_SECS - 1 && seconds < BITES_SECS + 2, `after ${seconds} s`);
  // From the fault to the reset nothing has changed, not even by an interrupt.
  const [ending, ...more] = board.endings;
  assert.deepEqual([ending.message, more], ['reset by watchdog', []]);
  assert.ok('kept' in ending && ending.kept.sram);
  assert.ok(data.equals(ending.kept.sram.subarray(from, to)), 'data has changed');
  return first;
}

for (const room of [0, 8, EXCEPTION_FRAME_BYTES, EXCEPTION_FRAME_BYTES + 8]) {
  test(`an interrupt comes when ${room} bytes are left`, () =>
    rehearse(
      async (scene) => {
        const { board, server } = scene;
        board.ethernet.cable = false;
        board.powerOn();
        await board.expect('outbox:');
        board.console.send('test pump 7 is off\r');
        const [, alert] = /^alert (\w+) waits/.exec(await board.expect('waits: pump 7 is off')) ?? [];
        const core = board.machine?.mcu.core;
        assert.ok(core);
        assert.ok(await board.run({ seconds: 10, until: () => core.waiting && core.IPSR === 0 }));
        core.SP = RAM_BASE + room;
        const { exception } = await overflows(scene);
        // The interrupt's frame has no room, or else what its handler stores.
        assert.equal(exception !== 0, room < EXCEPTION_FRAME_BYTES);
        await board.expect('outbox: 1 waiting');
        board.ethernet.cable = true;
        assert.equal(await delivered(scene), alert);
        assert.equal((await server.tell()).messages.length, 1);
      },
      { faults: true, resets: true },
    ));
}

/**
 * Takes the stack away from a function when it is called, but for some bytes.
 * @param {Scene} scene
 * @param {string} name
 * @param {number} room
 */
function takeStack({ board: { machine, elf } }, name, room) {
  assert.ok(machine);
  const { core, sram } = machine.mcu;
  const start = elf.symbol(name) & ~1;
  core.blTaken = () => {
    if ((core.PC & ~1) !== start) return;
    core.blTaken = () => {};
    // Arguments that are on the stack go with it; the caller, whose frame is elsewhere now, won't be returned to.
    const from = core.SP - RAM_BASE;
    sram.copyWithin(room, from, from + ARGUMENT_BYTES);
    core.SP = RAM_BASE + room;
  };
}

for (const room of [64, 256, 512]) {
  test(`a point of a curve is multiplied in the midst of TLS, with ${room} bytes of stack`, (t) =>
    rehearseTls(
      async (scene) => {
        const { board, server } = scene;
        board.powerOn();
        await board.expect('outbox:');
        board.console.send('test pump 7 is off\r');
        const [, alert] = /^alert (\w+) waits/.exec(await board.expect('waits: pump 7 is off')) ?? [];
        takeStack(scene, 'mbedtls_ecp_mul_restartable', room);
        const { pc } = await overflows(scene);
        t.diagnostic(`overflowed at ${board.elf.describe(pc)}`);
        await board.expect('outbox: 1 waiting, 0 held');
        assert.equal(await delivered(scene, 60), alert);
        assert.equal((await server.tell()).messages.length, 1);
      },
      '',
      { faults: true, resets: true },
    ));
}
