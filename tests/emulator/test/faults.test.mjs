/** Accesses to where nothing is, by a few instructions in RAM with a vector table of their own. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { flashed } from '../firmware.mjs';
import { Machine, Violation } from '../machine.mjs';

const RAM = 0x20000000;
const [VECTORS, CODE, HANDLER, STACK] = [0x20020000, 0x20021000, 0x20022000, 0x20030000];
const [HARD_FAULT, PENDSV] = [3, 14];
/** Where an exception's frame has the program counter, and what it takes: ARMv6-M, section B1.5.6. */
const [FRAME_PC, FRAME_BYTES] = [0x18, 0x20];

const [STR_R0_R1, PUSH_R4_LR, BRANCH_TO_ITSELF] = [0x6008, 0xb510, 0xe7fe];

/**
 * @param {number[]} code
 * @param {number[]} handler of HardFaults
 * @param {boolean} [faults]
 */
function program(code, handler, faults = true) {
  const machine = new Machine({ ...flashed('hello'), faults });
  const { mcu } = machine;
  const put = (/** @type {number} */ at, /** @type {number[]} */ instructions) =>
    instructions.forEach((each, index) => mcu.sramView.setUint16(at - RAM + 2 * index, each, true));
  put(CODE, code);
  put(HANDLER, handler);
  for (const number of [HARD_FAULT, PENDSV]) mcu.writeUint32(VECTORS + 4 * number, HANDLER | 1);
  const { core } = mcu;
  Object.assign(core, { VTOR: VECTORS, PC: CODE, SP: STACK });
  return { machine, mcu, core };
}

for (const [where, address] of /** @type {const} */ ([['below', RAM - 4], ['behind', 0x20042000]])) {
  test(`a store ${where} the RAM is a HardFault, whose frame tells where`, () => {
    const { machine, mcu, core } = program([STR_R0_R1, BRANCH_TO_ITSELF], [BRANCH_TO_ITSELF]);
    core.registers[1] = address;
    machine.run(1e6);
    assert.equal(core.PC & ~1, HANDLER);
    assert.equal(core.IPSR, HARD_FAULT);
    assert.equal(core.SP, STACK - FRAME_BYTES);
    assert.equal(mcu.readUint32(core.SP + FRAME_PC), CODE);
    assert.equal(machine.lockedUp, false);
    assert.deepEqual(machine.refused, [{ address, pc: CODE, exception: 0 }]);
  });
}

test('without leave to handle faults the access ends the test', () => {
  const { machine, core } = program([STR_R0_R1], [BRANCH_TO_ITSELF], false);
  core.registers[1] = RAM - 4;
  assert.throws(() => machine.run(1e6), (error) => error instanceof Violation && /1ffffffc/.test(error.message));
});

test('what has no room on the stack: the handler is entered, and locks the core up when it uses the stack', () => {
  const { machine, mcu, core } = program([PUSH_R4_LR, BRANCH_TO_ITSELF], [PUSH_R4_LR, BRANCH_TO_ITSELF]);
  core.SP = RAM + 4;
  const above = Buffer.from(mcu.sram.subarray(4));
  machine.run(1e6);
  assert.equal(machine.lockedUp, true);
  assert.deepEqual(machine.refused.map(({ pc, exception }) => [pc, exception]), [
    [CODE, 0],
    [CODE, HARD_FAULT],
    [HANDLER, 0],
  ]);
  assert.ok(above.equals(mcu.sram.subarray(4)), 'memory above the stack was written to');
  // Time goes on, and nothing is executed, whatever interrupts.
  const { cycles, nanos } = machine;
  core.pendingPendSV = true;
  core.interruptsUpdated = true;
  machine.run(1e9);
  assert.equal(machine.cycles, cycles);
  assert.ok(machine.nanos - nanos > 0.99e9);
});

test("an exception whose frame has no room is a HardFault, and not the exception's handler", () => {
  const { machine, core } = program([BRANCH_TO_ITSELF], [BRANCH_TO_ITSELF]);
  core.SP = RAM + 8;
  core.pendingPendSV = true;
  core.interruptsUpdated = true;
  machine.run(1e6);
  assert.equal(core.IPSR, HARD_FAULT);
  assert.deepEqual(machine.refused.map(({ pc, exception }) => [pc, exception]), [[CODE, PENDSV]]);
});
