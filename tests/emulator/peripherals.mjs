/**
 * Peripherals that rp2040js 1.4.1 leaves out and that ordinary firmware touches.
 *
 * RP2040 datasheet (build 2024-10): section 2.6.3.6 (XIP_CTRL), 2.10.6 (VREG_AND_CHIP_RESET), 2.17.8 (ROSC), 2.19.6.2
 * (IO_QSPI). Each models what firmware can see; an access to anything else fails like any other unmodelled one.
 */

import { BasePeripheral } from 'rp2040js';

import { randomBytes } from './flash.mjs';

/** @typedef {import('rp2040js').RP2040} RP2040 */

/** Registers that keep what is written, at their reset values before. */
class StoredRegisters extends BasePeripheral {
  /**
   * @param {RP2040} mcu
   * @param {string} name
   * @param {Record<number, number>} resetValues by offset
   */
  constructor(mcu, name, resetValues) {
    super(mcu, name);
    this.registers = new Map(Object.entries(resetValues).map(([offset, value]) => [Number(offset), value]));
  }

  /** @param {number} offset @returns {number} */
  readUint32(offset) {
    return this.registers.get(offset) ?? super.readUint32(offset);
  }

  /** @param {number} offset @param {number} value */
  writeUint32(offset, value) {
    if (this.registers.has(offset)) this.registers.set(offset, value);
    else super.writeUint32(offset, value);
  }
}

/** The cache controller: never busy, nothing to stream. The cache itself is not modelled. */
export class XipControl extends StoredRegisters {
  /** @param {RP2040} mcu */
  constructor(mcu) {
    // CTRL, FLUSH (reads 0), STAT (FIFO empty, flush ready), CTR_HIT, CTR_ACC, STREAM_ADDR, STREAM_CTR
    super(mcu, 'XIP_CTRL', { 0x00: 3, 0x04: 0, 0x08: 3, 0x0c: 0, 0x10: 0, 0x14: 0, 0x18: 0 });
  }

  /** @param {number} offset @param {number} value */
  writeUint32(offset, value) {
    if (offset === 0x00) super.writeUint32(offset, value);
    else if (offset !== 0x04) this.warn(`Unimplemented peripheral write to 0x${offset.toString(16)}: a stream`);
  }
}

/**
 * The ring oscillator: always stable. Its random bit comes from a repeatable generator, so that runs can be repeated;
 * nothing measured here says anything about its entropy.
 */
export class RingOscillator extends StoredRegisters {
  static #RANDOM_BIT = 0x1c;

  /**
   * @param {RP2040} mcu
   * @param {number} seed
   */
  constructor(mcu, seed) {
    // CTRL, FREQA, FREQB, DORMANT, DIV, PHASE, STATUS (stable, enabled)
    super(mcu, 'ROSC', { 0x00: 0xaa0, 0x04: 0, 0x08: 0, 0x0c: 0, 0x10: 0xab0, 0x14: 8, 0x18: 0x80001000 });
    this.random = randomBytes(seed);
  }

  /** @param {number} offset */
  readUint32(offset) {
    return offset === RingOscillator.#RANDOM_BIT ? this.random() & 1 : super.readUint32(offset);
  }
}

/** The core voltage regulator and the record of chip-level resets. */
export class VoltageAndReset extends StoredRegisters {
  /** @param {RP2040} mcu */
  constructor(mcu) {
    // VREG (regulation reached), BOD, CHIP_RESET (power-on reset seen)
    super(mcu, 'VREG_AND_CHIP_RESET', { 0x00: 0x10b1, 0x04: 0x91, 0x08: 0x100 });
  }
}

/** Pin control of the flash's own pins: STATUS and CTRL of six pins. */
export class QspiPins extends StoredRegisters {
  /** @param {RP2040} mcu */
  constructor(mcu) {
    const pins = Array.from({ length: 6 }, (_, pin) => [[8 * pin, 0], [8 * pin + 4, 0x1f]]);
    super(mcu, 'IO_QSPI', Object.fromEntries(pins.flat()));
  }
}
