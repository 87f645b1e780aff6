/** Hangs, panics and faults, brought about from outside: the chip resets, says why, and has lost nothing. */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { DOOR, build, delivered, rehearse } from './rehearsal.mjs';

const SRAM_BASE = 0x20000000;

/** Memory that the program does not use: behind its data, before boot stage 2. */
const SPARE = 0x20041000;

/** The chip's watchdog counts 8 s; the application may be silent for 30 s before it is given up. */
const [BITES_SECS, GIVEN_UP_SECS] = [8, 30];

const [CPSID_I, BRANCH_TO_ITSELF, UNDEFINED] = [0xb672, 0xe7fe, 0xde00];

before(build);

/** Waits until the application sleeps, so that nothing else is interrupted. @param {import('./rehearsal.mjs').Scene} scene */
async function asleep({ board }) {
  const sleeps = () => {
    const core = board.machine?.mcu.core;
    return core !== undefined && core.waiting && core.IPSR === 0;
  };
  assert.ok(await board.run({ seconds: 10, until: sleeps }));
  assert.ok(board.machine);
  return board.machine;
}

/**
 * Has the application run something else from now on.
 * @param {import('./rehearsal.mjs').Scene} scene
 * @param {number[]} instructions
 */
async function divert(scene, instructions) {
  const { mcu, elf } = await asleep(scene);
  assert.ok(elf.symbol('__sheap') < SPARE);
  instructions.forEach((instruction, index) => mcu.sramView.setUint16(SPARE - SRAM_BASE + 2 * index, instruction, true));
  mcu.core.waiting = false;
  mcu.core.PC = SPARE;
}

/**
 * An alert waits for a cable; whatever happens then, it is delivered in the next life.
 * @param {(scene: import('./rehearsal.mjs').Scene) => Promise<void>} happen
 * @param {import('./rehearsal.mjs').Setting} [setting]
 */
function survives(happen, setting) {
  return rehearse(async (scene) => {
    const { board, server } = scene;
    board.ethernet.cable = false;
    board.powerOn();
    await board.expect('started by power');
    await board.expect('outbox:');
    board.console.send('test pump 7 is off\r');
    const [, alert] = /^alert (\w+) waits/.exec(await board.expect('waits: pump 7 is off')) ?? [];
    await happen(scene);
    await board.expect('outbox: 1 waiting');
    board.ethernet.cable = true;
    assert.equal(await delivered(scene), alert);
    assert.equal((await server.tell()).messages.length, 1);
  }, { ...setting, resets: true });
}

test('everything hangs: the watchdog resets the chip', () =>
  survives(async (scene) => {
    const { board } = scene;
    await divert(scene, [CPSID_I, BRANCH_TO_ITSELF]);
    const hung = board.nanos;
    await board.expect('started by the watchdog', 2 * BITES_SECS);
    const seconds = (board.nanos - hung) / 1e9;
    assert.ok(seconds > BITES_SECS - 1 && seconds < BITES_SECS + 2, `after ${seconds} s`);
    assert.deepEqual(board.endings.map(({ message }) => message), ['reset by watchdog']);
  }));

test('the application hangs: contacts are watched on, and the watchdog is left hungry in the end', () =>
  survives(async (scene) => {
    const { board } = scene;
    await divert(scene, [BRANCH_TO_ITSELF]);
    const hung = board.nanos;
    await board.expect('started by the watchdog', 2 * (GIVEN_UP_SECS + BITES_SECS));
    assert.match(await board.expect('before that'), /the application hung/);
    const seconds = (board.nanos - hung) / 1e9;
    assert.ok(seconds > GIVEN_UP_SECS && seconds < GIVEN_UP_SECS + BITES_SECS + 2, `after ${seconds} s`);
  }));

test('a panic is recorded, and told of once', () =>
  survives(async (scene) => {
    const { board } = scene;
    const { mcu, elf } = await asleep(scene);
    const panic = elf.functions.find(({ name }) => name.includes('panic_bounds_check'));
    assert.ok(panic);
    // core::panic::Location: address and length of the file's name, line, column.
    const name = 'outside.rs';
    mcu.sram.set(Buffer.from(name), SPARE + 16 - SRAM_BASE);
    [SPARE + 16, name.length, 17, 4].forEach((word, index) => mcu.writeUint32(SPARE + 4 * index, word));
    const { core } = mcu;
    [core.registers[0], core.registers[1], core.registers[2]] = [7, 3, SPARE];
    core.waiting = false;
    core.PC = panic.start;
    await board.expect('started by its own reset');
    assert.match(await board.expect('before that'), /a panic at outside\.rs:17: index out of bounds: .* 3 but .* 7/);
    assert.deepEqual(board.endings.map(({ message }) => message), ['reset by system reset request']);
    await board.expect('outbox: 1 waiting');
    board.powerOff();
    board.powerOn();
    await board.expect('started by power');
    assert.equal(board.console.text.match(/before that/g)?.length, 1);
  }));

test('a fault is recorded with its place', () =>
  survives(
    async (scene) => {
      const { board } = scene;
      await divert(scene, [UNDEFINED]);
      await board.expect('started by its own reset');
      assert.match(await board.expect('before that'), /a fault at 0x20041000/);
    },
    { faults: true },
  ));

test('the I2C bus is held for good: SNTP tells the time, and alerts go out', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.drive(4, false);
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('clock: the clock is not set');
    await delivered(scene, 60);
    assert.deepEqual(board.endings, []);
  }));

test('the W5500 does not answer: alerts are kept, and go out when it does, without a restart', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    const transfer = board.ethernet.transfer.bind(board.ethernet);
    board.ethernet.transfer = () => 0xff;
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect("the W5500 doesn't answer");
    await board.expect('waits: Freezer 2: door open');
    await board.run({ seconds: 150 });
    board.ethernet.transfer = transfer;
    await delivered(scene, 60);
    board.console.send('status\r');
    await board.expect('link: up, 10.0.2.');
    assert.equal((await server.tell()).messages.length, 1);
    assert.deepEqual(board.endings, []);
  }));
