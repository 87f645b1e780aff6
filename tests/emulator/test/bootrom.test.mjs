/** The boot ROM, called as RP2040 datasheet section 2.8.3 tells firmware to call it. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { crc32 } from '../bootrom.mjs';
import { flashed } from '../firmware.mjs';
import { Machine, Violation } from '../machine.mjs';

const RAM = 0x20000000;
const BRANCH_TO_SELF = 0xe7fe;
const PAGE = 0x1f0000;

/** A machine that can be told to call a ROM function with registers, and returns r0. */
function makeCaller() {
  const machine = new Machine(flashed('hello'));
  const { mcu } = machine;
  const { core } = mcu;
  mcu.sramView.setUint16(0, BRANCH_TO_SELF, true);
  const jump = (/** @type {number} */ address, /** @type {number[]} */ ...args) => {
    core.registers.set(args);
    core.LR = RAM | 1;
    core.PC = address & ~1;
    for (let tries = 0; tries < 5 && core.PC !== RAM; tries++) machine.run(1000);
    assert.equal(core.PC, RAM, 'the function returns');
    return core.registers[0];
  };
  const call = (/** @type {string} */ code, /** @type {number[]} */ ...args) => {
    const address = jump(mcu.readUint16(0x18), mcu.readUint16(0x14), code.charCodeAt(0) | (code.charCodeAt(1) << 8));
    assert.notEqual(address, 0, `${code} is in the table`);
    return jump(address, ...args);
  };
  return { machine, mcu, jump, call };
}

test('the magic number, the version, and a code that is not in the table', () => {
  const { mcu, jump } = makeCaller();
  assert.deepEqual([0x10, 0x11, 0x12, 0x13].map((at) => mcu.readUint8(at)), [0x4d, 0x75, 1, 2]);
  assert.equal(jump(mcu.readUint16(0x18), mcu.readUint16(0x14), 0x5858), 0);
});

test('bit functions', () => {
  const { call } = makeCaller();
  assert.equal(call('P3', 0xf000000f), 8);
  assert.equal(call('R3', 0x00000003), 0xc0000000);
  assert.equal(call('L3', 0x00010000), 15);
  assert.equal(call('T3', 0x00010000), 16);
  assert.equal(call('T3', 0), 32);
});

test('memory functions', () => {
  const { call, mcu } = makeCaller();
  call('MS', RAM + 0x100, 0x1234ab, 5);
  call('MC', RAM + 0x202, RAM + 0x101, 3);
  assert.deepEqual([...mcu.sram.subarray(0x201, 0x206)].map((byte, at) => at === 0 || at === 4 || byte), [true, 0xab, 0xab, 0xab, true]);
});

test('flash is erased and programmed only while it is out of the memory map', () => {
  const { call, mcu, machine } = makeCaller();
  mcu.sram.fill(0x0f, 0x1000, 0x1100);
  call('IF');
  call('EX');
  call('RE', PAGE, 4096, 1 << 16, 0xd8);
  call('RP', PAGE, RAM + 0x1000, 256);
  assert.throws(() => mcu.readUint32(0x10000000 + PAGE), Violation);
  call('FC');
  call('CX');
  assert.equal(mcu.readUint32(0x10000000 + PAGE), 0x0f0f0f0f);
  assert.deepEqual(machine.flash.operations.map(({ kind }) => kind), ['erase', 'program']);
});

test('flash operations take their typical time: 45 ms and 0.4 ms', () => {
  const { call, machine } = makeCaller();
  call('EX');
  const start = machine.nanos;
  call('RE', PAGE, 8192, 1 << 16, 0xd8);
  assert.equal(Math.round((machine.nanos - start) / 1e6), 90);
  const erased = machine.nanos;
  call('RP', PAGE, RAM, 1024);
  assert.equal(Math.round((machine.nanos - erased) / 1e5), 16);
});

test('wrong sizes, the program itself, and data in flash are refused', () => {
  const { call } = makeCaller();
  call('EX');
  assert.throws(() => call('RE', PAGE, 100), /whole sectors/);
  assert.throws(() => call('RP', PAGE, RAM, 100), /whole pages/);
  assert.throws(() => call('RP', PAGE, 0x10000000, 256), /not in RAM/);
  assert.throws(() => call('RE', 0, 4096), /destroy the program/);
});

test('CRC-32/MPEG-2 check value', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0x0376e6e7);
});
