/** The machine against firmware built with the drivers that real firmware uses. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { timeCalls } from '../calls.mjs';
import { flashed } from '../firmware.mjs';
import { Machine, Violation } from '../machine.mjs';
import { SerialLine } from '../serial.mjs';

test('firmware boots through boot stage 2, runs at 125 MHz and sleeps as long as it asks', () => {
  const machine = new Machine(flashed('hello'));
  const console = new SerialLine();
  console.attach(machine, 0);
  machine.run(50e6);
  assert.equal(console.lines[0], 'clk_sys 125000000 Hz');
  const slept = Number(console.lines[1].match(/^slept (\d+) us$/)?.[1]);
  assert.ok(slept >= 25_000 && slept < 25_100, `slept ${slept} us`);
  assert.equal(machine.ended, null);
});

test('sleep costs no cycles, and the stack leaves a high-water mark', () => {
  const machine = new Machine(flashed('hello'));
  machine.run(50e6);
  const awake = machine.cycles;
  machine.run(900e6);
  assert.equal(machine.cycles, awake);
  machine.run(100e6);
  assert.ok(machine.cycles > awake, 'a timer wakes it every second');
  assert.ok(machine.stackHighWater > 100 && machine.stackHighWater < 4096, `${machine.stackHighWater} bytes`);
});

test('calls are timed to the cycle', () => {
  const machine = new Machine(flashed('hello'));
  const cycles = timeCalls(machine, 'count_down');
  machine.run(3.5e9);
  // 999 loops of 3 cycles, one of 2 that falls through, and the return of 2
  assert.deepEqual(cycles, [3001, 3001, 3001]);
  assert.throws(() => timeCalls(machine, 'no_such_function'), /0 functions/);
});

test('boot stage 2 with a wrong checksum does not start', () => {
  const { elf, flash } = flashed('hello');
  flash.bytes[17] ^= 1;
  assert.throws(() => new Machine({ elf, flash }), /wrong checksum/);
});

test('an access to what is not modelled fails, and says where', () => {
  for (const [address, place] of [
    [0x40068000, '40068000'], // TBMAN's neighbour, where no peripheral is
    [0x40060024, '0x24'], // the ring oscillator's COUNT
    [0xd0000058, '0x58'], // SIO's FIFO from core 1
    [0x30000000, '30000000'], // nothing
  ]) {
    const { elf, flash } = flashed('hello');
    const machine = new Machine({ elf, flash });
    const { mcu } = machine;
    // ldr r0, [r0]
    mcu.sramView.setUint16(0, 0x6800, true);
    mcu.core.registers[0] = Number(address);
    mcu.core.PC = 0x20000000;
    assert.throws(
      () => machine.run(1e6),
      (error) => error instanceof Violation && error.message.includes(String(place)) && error.message.includes('0x20000002'),
      String(place),
    );
  }
});

test('an access that would be a HardFault on the chip fails', () => {
  const [LDRH_R0_R0, STRB_R1_R0, STRH_R1_R0, STR_R1_R0, STMIA_R0_R1] = [0x8800, 0x7001, 0x8001, 0x6001, 0xc002];
  for (const [instruction, address, message] of /** @type {[number, number, RegExp][]} */ ([
    [LDRH_R0_R0, 0x20000101, /read of 2 bytes at 20000101, which is not aligned/],
    [STRH_R1_R0, 0x20000101, /write of 2 bytes at 20000101, which is not aligned/],
    [STR_R1_R0, 0x20000102, /write of 4 bytes at 20000102, which is not aligned/],
    [STMIA_R0_R1, 0x20000102, /write of 4 bytes at 20000102, which is not aligned/],
    [STRB_R1_R0, 0x00000011, /write to the ROM at 11/],
    [STR_R1_R0, 0x00000000, /write to the ROM at 0/],
  ])) {
    const machine = new Machine(flashed('hello'));
    const { mcu } = machine;
    mcu.sramView.setUint16(0, instruction, true);
    mcu.core.registers[0] = address;
    mcu.core.PC = 0x20000000;
    assert.throws(() => machine.run(1e6), (error) => error instanceof Violation && message.test(error.message), String(message));
  }
});

test('a core that spins in place costs nothing, and takes its interrupts', () => {
  const machine = new Machine(flashed('hello'));
  machine.run(50e6);
  const { mcu } = machine;
  // b .
  mcu.sramView.setUint16(0x30000, 0xe7fe, true);
  mcu.core.waiting = false;
  mcu.core.PC = 0x20030000;
  const [cycles, nanos] = [machine.cycles, machine.nanos];
  for (let slice = 0; slice < 3000; slice++) machine.run(1e6);
  assert.ok(Math.abs(machine.nanos - nanos - 3e9) < 1e3);
  // After an interrupt it spins to the end of the slice.
  const taken = machine.cycles - cycles;
  assert.ok(taken > 10_000 && taken < 1_000_000, `${taken} cycles`);
  assert.equal(mcu.core.PC, 0x20030000);
});
