/**
 * A boot ROM of our own: what the RP2040's mask ROM offers to firmware, served from JavaScript.
 *
 * RP2040 datasheet (build 2024-10), section 2.8.1.3.1 (boot stage 2: 256 bytes with a CRC-32, copied to SRAM), 2.8.2 (ROM
 * contents: magic, version, table pointers), 2.8.3.1 (function codes). Each function is `bkpt; bx lr`; the breakpoint is
 * answered here with the registers as the caller left them.
 */

import { PAGE_BYTES, SECTOR_BYTES } from './flash.mjs';

/** Where the flash lies in the memory map. */
export const FLASH_BASE = 0x10000000;
const BOOT2_BYTES = 256;

/** Where the mask ROM copies boot stage 2: the last 256 bytes of SRAM bank 5. */
const BOOT2_ADDRESS = 0x20041f00;

const FUNCTIONS_AT = 0x200;
const TABLE_AT = 0x400;
const LOOKUP_AT = 0x1f0;
const LOOKUP_BREAKPOINT = 0xff;
const BX_LR = 0x4770;
const BKPT = 0xbe00;

/**
 * @typedef {object} RomHost what the ROM needs of its machine
 * @property {import('rp2040js').RP2040} mcu
 * @property {import('./flash.mjs').Flash} flash
 * @property {(nanos: number) => void} hold lets time pass while the core waits
 * @property {(executeInPlace: boolean) => void} setExecuteInPlace connects the flash to the memory map, or not
 * @property {() => void} usbBoot
 */

/** @param {string} code two characters, as the datasheet prints them */
const tableCode = (code) => code.charCodeAt(0) | (code.charCodeAt(1) << 8);

/** The ROM of one machine. */
export class BootRom {
  /** @param {RomHost} host */
  constructor(host) {
    this.host = host;
    this.registers = host.mcu.core.registers;
    this.functions = this.#functions();
    host.mcu.bootrom.set(new Uint32Array(this.#image().buffer));
  }

  /** Checks boot stage 2 as the mask ROM does, and starts it. */
  start() {
    const { mcu, flash } = this.host;
    const boot2 = flash.bytes.subarray(0, BOOT2_BYTES);
    const stored = new DataView(boot2.buffer, boot2.byteOffset).getUint32(BOOT2_BYTES - 4, true);
    if (crc32(boot2.subarray(0, BOOT2_BYTES - 4)) !== stored) {
      throw new Error('boot stage 2 has a wrong checksum: the chip would wait for USB');
    }
    mcu.sram.set(boot2, BOOT2_ADDRESS - 0x20000000);
    mcu.core.VTOR = 0;
    mcu.core.SP = BOOT2_ADDRESS;
    // LR 0 makes boot stage 2 go on to the vector table behind it instead of returning.
    mcu.core.LR = 0;
    mcu.core.PC = BOOT2_ADDRESS;
  }

  /**
   * Serves a breakpoint inside the ROM.
   * @param {number} code
   */
  call(code) {
    if (code === LOOKUP_BREAKPOINT) return this.#lookup();
    return this.functions[code][1]();
  }

  /** @returns {[code: string, body: () => void][]} */
  #functions() {
    const { host, registers: r } = this;
    const { mcu } = host;
    const copy = () => {
      for (let index = 0; index < r[2]; index++) mcu.writeUint8(r[0] + index, mcu.readUint8(r[1] + index));
    };
    const fill = () => {
      for (let index = 0; index < r[2]; index++) mcu.writeUint8(r[0] + index, r[1] & 0xff);
    };
    return [
      ['P3', () => (r[0] = [...r[0].toString(2)].filter((bit) => bit === '1').length)],
      ['R3', () => (r[0] = parseInt([...r[0].toString(2).padStart(32, '0')].reverse().join(''), 2))],
      ['L3', () => (r[0] = Math.clz32(r[0]))],
      ['T3', () => (r[0] = r[0] === 0 ? 32 : 31 - Math.clz32(r[0] & -r[0]))],
      ['MS', fill],
      ['S4', fill],
      ['MC', copy],
      ['C4', copy],
      ['UB', () => host.usbBoot()],
      ['IF', () => {}],
      ['EX', () => host.setExecuteInPlace(false)],
      ['RE', () => this.#erase(r[0], r[1])],
      ['RP', () => this.#program(r[0], r[1], r[2])],
      ['FC', () => {}],
      ['CX', () => host.setExecuteInPlace(true)],
    ];
  }

  /**
   * `flash_range_erase`: the block size and command in r2 and r3 only choose a faster way.
   * @param {number} offset
   * @param {number} count in bytes
   */
  #erase(offset, count) {
    if (count % SECTOR_BYTES !== 0) throw new Error(`flash erase of ${count} bytes is not whole sectors`);
    for (let at = offset; at < offset + count; at += SECTOR_BYTES) this.host.hold(this.host.flash.eraseSector(at));
  }

  /**
   * `flash_range_program`.
   * @param {number} offset
   * @param {number} data address
   * @param {number} count in bytes
   */
  #program(offset, data, count) {
    if (count % PAGE_BYTES !== 0) throw new Error(`flash program of ${count} bytes is not whole pages`);
    if (data < 0x20000000) throw new Error('flash is programmed from an address that is not in RAM');
    const { mcu, flash, hold } = this.host;
    for (let done = 0; done < count; done += PAGE_BYTES) {
      const page = Uint8Array.from({ length: PAGE_BYTES }, (_, index) => mcu.readUint8(data + done + index));
      hold(flash.programPage(offset + done, page));
    }
  }

  /** `rom_table_lookup(table, code)`. */
  #lookup() {
    const { mcu } = this.host;
    const [table, code] = this.registers;
    this.registers[0] = 0;
    for (let at = table; mcu.readUint16(at) !== 0; at += 4) {
      if (mcu.readUint16(at) === code) this.registers[0] = mcu.readUint16(at + 2);
    }
  }

  #image() {
    const rom = new DataView(new ArrayBuffer(16 * 1024));
    rom.setUint32(0, BOOT2_ADDRESS, true);
    rom.setUint8(0x10, 'M'.charCodeAt(0));
    rom.setUint8(0x11, 'u'.charCodeAt(0));
    rom.setUint8(0x12, 1);
    rom.setUint8(0x13, 2);
    rom.setUint16(0x14, TABLE_AT, true);
    rom.setUint16(0x16, TABLE_AT + 4 * this.functions.length + 2, true);
    rom.setUint16(0x18, LOOKUP_AT | 1, true);
    const stub = (/** @type {number} */ at, /** @type {number} */ breakpoint) => {
      rom.setUint16(at, BKPT | breakpoint, true);
      rom.setUint16(at + 2, BX_LR, true);
    };
    stub(LOOKUP_AT, LOOKUP_BREAKPOINT);
    this.functions.forEach(([code], index) => {
      stub(FUNCTIONS_AT + 4 * index, index);
      rom.setUint16(TABLE_AT + 4 * index, tableCode(code), true);
      rom.setUint16(TABLE_AT + 4 * index + 2, (FUNCTIONS_AT + 4 * index) | 1, true);
    });
    return rom;
  }

  /** Whether an address lies in the ROM. @param {number} address */
  static holds(address) {
    return address < 0x4000;
  }
}

/**
 * CRC-32 as boot stage 2 carries it: polynomial 0x04c11db7, initial value all ones, nothing reflected or inverted.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}
