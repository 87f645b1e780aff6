/** The fast executor against rp2040js's own, instruction by instruction, and against the manual where that one is wrong. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { RP2040 } from 'rp2040js';

import { Flash, randomBytes } from '../flash.mjs';
import { executor } from '../thumb.mjs';

const [RAM, FLASH, WINDOW] = [0x20000000, 0x10000000, 0x2000];
const STATES = 6;

/** Instructions whose flags rp2040js gets wrong: shifts by a register (also RORS), ADCS, SBCS. */
const WRONG_FLAGS = [0x4080, 0x40c0, 0x4100, 0x4140, 0x4180, 0x41c0];

/** BLX LR, which rp2040js has go to the place that it returns to. */
const BLX_LR = 0x47f0;

/** Instructions that do more than registers and memory tell: breakpoints, UDF, SVC, hints, CPS, and 32-bit ones but BL. */
const SPECIAL = (/** @type {number} */ op) => op >> 8 === 0xbe || op >> 9 === 0x6f || op >> 8 === 0xbf || op >> 4 === 0xb66 || op >> 4 === 0xb67 || op >= 0xe800;

function bench() {
  const flash = new Flash();
  const random = randomBytes(7);
  const mcu = new RP2040();
  const view = new DataView(flash.bytes.buffer);
  Object.assign(mcu, { flash: flash.bytes, flashView: view });
  flash.bytes.forEach((_, index) => index < WINDOW && (flash.bytes[index] = random()));
  mcu.sram.forEach((_, index) => index < 2 * WINDOW && (mcu.sram[index] = random()));
  const silent = () => {};
  let complaints = 0;
  mcu.logger = { debug: silent, info: silent, warn: () => (complaints += 1), error: () => (complaints += 1) };
  // It would tell the host's console of each access to what it does not have.
  mcu.sio.readUint32 = () => 0xffffffff;
  mcu.sio.writeUint32 = silent;
  const { core } = mcu;
  core.interruptsUpdated = false;
  const clock = { limit: 0 };
  const map = { bytes: flash.bytes, connected: true };
  const run = executor(mcu, clock, map);
  const word = () => ((random() << 24) | (random() << 16) | (random() << 8) | random()) >>> 0;
  const interesting = [0, 1, 2, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe];

  /** Registers: addresses in RAM and flash, small and large numbers. */
  const state = () => {
    const registers = Uint32Array.from({ length: 16 }, () => {
      const kind = random() & 7;
      if (kind < 3) return RAM + WINDOW / 2 + ((random() << 2) & 0x3fc) + (random() & 1 ? 0 : random() & 3);
      if (kind === 3) return FLASH + (random() << 2);
      return kind < 6 ? interesting[random() % interesting.length] : word();
    });
    registers[13] = RAM + WINDOW / 2 + ((random() << 2) & 0xffc);
    registers[15] = RAM + WINDOW + 0x400;
    const flags = random();
    return { registers, N: !!(flags & 1), Z: !!(flags & 2), C: !!(flags & 4), V: !!(flags & 8) };
  };

  /** @param {ReturnType<typeof state>} from @param {() => void} step */
  const after = (from, step) => {
    core.registers.set(from.registers);
    Object.assign(core, { N: from.N, Z: from.Z, C: from.C, V: from.V, cycles: 0, waiting: false });
    complaints = 0;
    step();
    const { registers, N, Z, C, V, cycles } = core;
    return { registers: [...registers], N, Z, C, V, cycles, complaints };
  };

  return { mcu, core, clock, run, state, after, random };
}

test('every 16-bit instruction does what rp2040js does, in the same number of cycles', () => {
  const { mcu, core, clock, run, state, after } = bench();
  const window = mcu.sram.subarray(0, 2 * WINDOW);
  for (let op = 0; op < 0x10000; op++) {
    if (SPECIAL(op) || op === BLX_LR) continue;
    for (let count = 0; count < STATES; count++) {
      const from = state();
      mcu.sramView.setUint16(from.registers[15] - RAM, op, true);
      const before = Buffer.from(window);
      const expected = after(from, () => core.executeInstruction());
      const expectedMemory = Buffer.from(window);
      window.set(before);
      clock.limit = 1;
      const actual = after(from, run);
      if (WRONG_FLAGS.includes(op & 0xffc0)) {
        for (const each of [expected, actual]) each.C = each.V = false;
      }
      const what = `0x${op.toString(16)} from ${JSON.stringify(from)}`;
      assert.deepEqual(actual, expected, what);
      assert.ok(expectedMemory.equals(window), `memory after ${what}`);
      window.set(before);
    }
  }
});

test('BL goes where rp2040js goes, and tells who listens', () => {
  const { mcu, core, clock, run, state, after, random } = bench();
  let told = 0;
  core.blTaken = () => (told += 1);
  for (let count = 0; count < 2000; count++) {
    const from = state();
    const at = from.registers[15] - RAM;
    mcu.sramView.setUint16(at, 0xf000 | (((random() << 8) | random()) & 0x7ff), true);
    mcu.sramView.setUint16(at + 2, 0xd000 | (((random() << 8) | random()) & 0x2fff), true);
    const expected = after(from, () => core.executeInstruction());
    clock.limit = 1;
    assert.deepEqual(after(from, run), expected);
  }
  assert.equal(told, 4000);
});

test('flags of ADCS, SBCS and shifts by a register are those of the manual', () => {
  const { mcu, core, clock, run, state, after } = bench();
  /** @type {Record<number, (a: bigint, b: bigint, c: bigint) => { result: bigint, C: boolean | null, V: boolean | null }>} */
  const manual = {
    0x4140: (a, b, c) => addWithCarry(a, b, c),
    0x4180: (a, b, c) => addWithCarry(a, b ^ 0xffffffffn, c),
    0x4080: (a, b) => shifted(b, (n) => ({ result: a << n, C: ((a << n) >> 32n) & 1n })),
    0x40c0: (a, b) => shifted(b, (n) => ({ result: a >> n, C: (a >> (n - 1n)) & 1n }), a),
    0x4100: (a, b) => shifted(b, (n) => ({ result: BigInt.asIntN(32, a) >> n, C: (BigInt.asIntN(32, a) >> (n - 1n)) & 1n }), a),
  };
  for (const [code, expect] of Object.entries(manual)) {
    for (let count = 0; count < 3000; count++) {
      const from = state();
      // Rdn 2, Rm 3
      mcu.sramView.setUint16(from.registers[15] - RAM, Number(code) | 0x1a, true);
      clock.limit = 1;
      const [a, b] = [BigInt(from.registers[2]), BigInt(from.registers[3])];
      const { result, C, V } = expect(a, b, from.C ? 1n : 0n);
      const actual = after(from, run);
      const wanted = Number(BigInt.asUintN(32, result));
      assert.deepEqual(
        { result: actual.registers[2], N: actual.N, Z: actual.Z, C: actual.C, V: actual.V },
        { result: wanted, N: wanted >= 0x80000000, Z: wanted === 0, C: C ?? from.C, V: V ?? from.V },
        `${code} of ${a} and ${b}, carry ${from.C}`,
      );
    }
  }
  assert.equal(core.waiting, false);
});

/** DDI 0419, A2.2.1, AddWithCarry. @param {bigint} a @param {bigint} b @param {bigint} carry */
function addWithCarry(a, b, carry) {
  const unsigned = a + b + carry;
  const signed = BigInt.asIntN(32, a) + BigInt.asIntN(32, b) + carry;
  const result = BigInt.asUintN(32, unsigned);
  return { result, C: result !== unsigned, V: BigInt.asIntN(32, result) !== signed };
}

/**
 * DDI 0419, A2.2.1, Shift_C: by 0 nothing changes, not even the carry.
 * @param {bigint} amount
 * @param {(n: bigint) => { result: bigint, C: bigint }} shift
 * @param {bigint} [unshifted]
 */
function shifted(amount, shift, unshifted) {
  const n = amount & 0xffn;
  const { result, C } = shift(n === 0n ? 1n : n);
  if (n === 0n) return { result: unshifted ?? shift(0n).result, C: null, V: null };
  return { result, C: C !== 0n, V: null };
}
