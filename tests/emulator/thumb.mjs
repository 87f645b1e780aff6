/**
 * Executes the instructions that programs consist of faster than rp2040js, which decodes each by comparing it with one
 * encoding after the other. What is rare, what touches anything but RAM and flash, and what misbehaves is left to it.
 *
 * ARMv6-M Architecture Reference Manual (DDI 0419), section A5.2 (16-bit encodings) and A6.7 (what each does). Cycles are
 * counted as rp2040js counts them; flags of ADCS, SBCS and of shifts by a register are those of the manual.
 */

const [FLASH, RAM] = [0x10000000, 0x20000000];
const [SP, LR, PC] = [13, 14, 15];

/**
 * @typedef {import('rp2040js').RP2040} RP2040
 *
 * @typedef {object} FlashMap
 * @property {Uint8Array} bytes
 * @property {boolean} connected whether the flash is in the memory map
 */

/**
 * Returns a function that runs until the core has counted to `clock.limit`, or waits.
 * @param {RP2040} mcu
 * @param {{ limit: number }} clock
 * @param {FlashMap} flash
 * @returns {() => void}
 */
export function executor(mcu, clock, flash) {
  const { core } = mcu;
  const { registers: r } = core;
  const ram8 = mcu.sram;
  const ram16 = new Uint16Array(ram8.buffer, ram8.byteOffset, ram8.length >> 1);
  const ram32 = new Uint32Array(ram8.buffer, ram8.byteOffset, ram8.length >> 2);
  const flash8 = flash.bytes;
  const flash16 = new Uint16Array(flash8.buffer, flash8.byteOffset, flash8.length >> 1);
  const flash32 = new Uint32Array(flash8.buffer, flash8.byteOffset, flash8.length >> 2);
  const ramEnd = ram8.length;
  const flashEnd = flash8.length;

  return () => {
    while (core.cycles < clock.limit && !core.waiting) {
      if (core.interruptsUpdated || !step()) core.executeInstruction();
    }
  };

  /** @param {number} result of which the low 32 bits count */
  function setNZ(result) {
    core.N = (result | 0) < 0;
    core.Z = (result | 0) === 0;
  }

  /** @param {number} a @param {number} b @param {number} carry */
  function add(a, b, carry) {
    const sum = a + b + carry;
    const result = sum | 0;
    core.N = result < 0;
    core.Z = result === 0;
    core.C = sum > 0xffffffff;
    core.V = ((a ^ result) & (b ^ result)) < 0;
    return result;
  }

  /** @param {number} a @param {number} b @param {number} borrow */
  function subtract(a, b, borrow) {
    const difference = a - b - borrow;
    const result = difference | 0;
    core.N = result < 0;
    core.Z = result === 0;
    core.C = difference >= 0;
    core.V = ((a ^ b) & (a ^ result)) < 0;
    return result;
  }

  /** Executes one instruction, or does nothing and returns false. */
  function step() {
    const pc = r[PC];
    let at = pc - FLASH;
    let op = 0;
    if (at >= 0 && at < flashEnd) {
      if (!flash.connected) return false;
      op = flash16[at >> 1];
    } else {
      at = pc - RAM;
      if (at < 0 || at >= ramEnd) return false;
      op = ram16[at >> 1];
    }
    const low = op & 7;
    const mid = (op >> 3) & 7;
    const high = (op >> 8) & 7;
    let cycles = 1;

    switch (op >> 11) {
      case 0: { // LSLS (immediate)
        const shift = (op >> 6) & 31;
        const value = r[mid];
        if (shift !== 0) core.C = ((value >>> (32 - shift)) & 1) !== 0;
        r[low] = value << shift;
        setNZ(value << shift);
        break;
      }
      case 1: { // LSRS (immediate), 0 for 32
        const shift = (op >> 6) & 31;
        const value = r[mid];
        core.C = ((value >>> ((shift || 32) - 1)) & 1) !== 0;
        const result = shift === 0 ? 0 : value >>> shift;
        r[low] = result;
        setNZ(result);
        break;
      }
      case 2: { // ASRS (immediate), 0 for 32
        const shift = ((op >> 6) & 31) || 32;
        const value = r[mid];
        core.C = ((value >>> (shift - 1)) & 1) !== 0;
        const result = (value | 0) >> Math.min(shift, 31);
        r[low] = result;
        setNZ(result);
        break;
      }
      case 3: { // ADDS, SUBS of three operands
        const operand = op & 0x400 ? (op >> 6) & 7 : r[(op >> 6) & 7];
        r[low] = op & 0x200 ? subtract(r[mid], operand, 0) : add(r[mid], operand, 0);
        break;
      }
      case 4: // MOVS
        r[high] = op & 0xff;
        setNZ(op & 0xff);
        break;
      case 5: // CMP
        subtract(r[high], op & 0xff, 0);
        break;
      case 6: // ADDS
        r[high] = add(r[high], op & 0xff, 0);
        break;
      case 7: // SUBS
        r[high] = subtract(r[high], op & 0xff, 0);
        break;
      case 8:
        if (op < 0x4400) {
          if (!compute((op >> 6) & 15, low, mid)) return false;
        } else if (op < 0x4700) {
          if (!computeHigh(op)) return false;
        } else {
          const target = r[(op >> 3) & 15];
          // What may be the return of an exception, or is no instruction, is not for here.
          if (low !== 0 || ((op >> 3) & 15) === PC || target >>> 28 === 15) return false;
          const link = (op & 0x80) !== 0;
          if (link) r[LR] = (pc + 2) | 1;
          r[PC] = target & ~1;
          if (link) core.blTaken(core, true);
          core.cycles += 2;
          return true;
        }
        break;
      case 9: { // LDR (literal)
        const address = ((pc + 4) & ~3) + ((op & 0xff) << 2);
        let offset = address - FLASH;
        if (offset >= 0 && offset < flashEnd) {
          if (!flash.connected) return false;
          r[high] = flash32[offset >> 2];
        } else {
          offset = address - RAM;
          if (offset < 0 || offset >= ramEnd) return false;
          r[high] = ram32[offset >> 2];
        }
        cycles = 2;
        break;
      }
      case 10: // STR, STRH, STRB, LDRSB (register)
      case 11: // LDR, LDRH, LDRB, LDRSH (register)
        if (!transfer((op >> 9) & 7, (r[mid] + r[(op >> 6) & 7]) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 12: // STR
        if (!transfer(0, (r[mid] + ((op >> 4) & 0x7c)) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 13: // LDR
        if (!transfer(4, (r[mid] + ((op >> 4) & 0x7c)) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 14: // STRB
        if (!transfer(2, (r[mid] + ((op >> 6) & 31)) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 15: // LDRB
        if (!transfer(6, (r[mid] + ((op >> 6) & 31)) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 16: // STRH
        if (!transfer(1, (r[mid] + ((op >> 5) & 0x3e)) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 17: // LDRH
        if (!transfer(5, (r[mid] + ((op >> 5) & 0x3e)) >>> 0, low)) return false;
        cycles = 2;
        break;
      case 18: // STR (SP)
        if (!transfer(0, (r[SP] + ((op & 0xff) << 2)) >>> 0, high)) return false;
        cycles = 2;
        break;
      case 19: // LDR (SP)
        if (!transfer(4, (r[SP] + ((op & 0xff) << 2)) >>> 0, high)) return false;
        cycles = 2;
        break;
      case 20: // ADR
        r[high] = ((pc + 4) & ~3) + ((op & 0xff) << 2);
        break;
      case 21: // ADD (SP)
        r[high] = r[SP] + ((op & 0xff) << 2);
        break;
      case 22:
      case 23:
        return miscellaneous(op, pc);
      case 24: // STMIA
      case 25: { // LDMIA
        const list = op & 0xff;
        const count = bitCount(list);
        const offset = r[high] - RAM;
        if (list & (1 << high) || offset & 3 || offset < 0 || offset + 4 * count > ramEnd) return false;
        let word = offset >> 2;
        for (let index = 0; index < 8; index++) {
          if ((list & (1 << index)) === 0) continue;
          if (op & 0x800) r[index] = ram32[word++];
          else ram32[word++] = r[index];
        }
        r[high] += 4 * count;
        cycles = 1 + count;
        break;
      }
      case 26:
      case 27: { // B (condition); the last two are UDF and SVC
        const condition = (op >> 8) & 15;
        if (condition >= 14) return false;
        if (holds(condition)) {
          r[PC] = pc + 4 + ((op << 24) >> 23);
          core.cycles += 2;
          return true;
        }
        break;
      }
      case 28: // B
        r[PC] = pc + 4 + ((op << 21) >> 20);
        core.cycles += 2;
        return true;
      case 30: { // BL
        const op2 = at + 2 < (pc >= RAM ? ramEnd : flashEnd) ? (pc >= RAM ? ram16 : flash16)[(at + 2) >> 1] : 0;
        if ((op2 & 0xd000) !== 0xd000) return false;
        const sign = (op >> 10) & 1;
        const i1 = 1 - (sign ^ ((op2 >> 13) & 1));
        const i2 = 1 - (sign ^ ((op2 >> 11) & 1));
        const distance = ((sign ? 0xff : 0) << 24) | (i1 << 23) | (i2 << 22) | ((op & 0x3ff) << 12) | ((op2 & 0x7ff) << 1);
        r[LR] = (pc + 4) | 1;
        r[PC] = pc + 4 + distance;
        core.blTaken(core, false);
        core.cycles += 3;
        return true;
      }
      default:
        return false;
    }
    r[PC] = pc + 2;
    core.cycles += cycles;
    return true;
  }

  /**
   * Data processing on low registers.
   * @param {number} operation
   * @param {number} dn
   * @param {number} m
   */
  function compute(operation, dn, m) {
    const [a, b] = [r[dn], r[m]];
    switch (operation) {
      case 0: r[dn] = a & b; setNZ(a & b); return true;
      case 1: r[dn] = a ^ b; setNZ(a ^ b); return true;
      case 2: { // LSLS
        const shift = b & 0xff;
        const result = shift < 32 ? a << shift : 0;
        if (shift !== 0) core.C = shift <= 32 && ((a >>> (32 - shift)) & 1) !== 0;
        r[dn] = result;
        setNZ(result);
        return true;
      }
      case 3: { // LSRS
        const shift = b & 0xff;
        const result = shift < 32 ? a >>> shift : 0;
        if (shift !== 0) core.C = shift <= 32 && ((a >>> (shift - 1)) & 1) !== 0;
        r[dn] = result;
        setNZ(result);
        return true;
      }
      case 4: { // ASRS
        const shift = Math.min(b & 0xff, 32);
        const result = (a | 0) >> Math.min(shift, 31);
        if (shift !== 0) core.C = ((a >>> (shift - 1)) & 1) !== 0;
        r[dn] = result;
        setNZ(result);
        return true;
      }
      case 5: r[dn] = add(a, b, core.C ? 1 : 0); return true;
      case 6: r[dn] = subtract(a, b, core.C ? 0 : 1); return true;
      case 8: setNZ(a & b); return true;
      case 9: r[dn] = subtract(0, b, 0); return true;
      case 10: subtract(a, b, 0); return true;
      case 11: add(a, b, 0); return true;
      case 12: r[dn] = a | b; setNZ(a | b); return true;
      case 13: { // MULS
        const result = Math.imul(a, b);
        r[dn] = result;
        setNZ(result);
        return true;
      }
      case 14: r[dn] = a & ~b; setNZ(a & ~b); return true;
      case 15: r[dn] = ~b; setNZ(~b); return true;
      // RORS
      default: return false;
    }
  }

  /** ADD, CMP and MOV with any register but PC, and not to SP. @param {number} op */
  function computeHigh(op) {
    const m = (op >> 3) & 15;
    const dn = ((op >> 4) & 8) | (op & 7);
    if (m === PC || dn === PC || dn === SP) return false;
    if (op < 0x4500) r[dn] += r[m];
    else if (op < 0x4600) subtract(r[dn], r[m], 0);
    else r[dn] = r[m];
    return true;
  }

  /**
   * Loads or stores a register, numbered as the instructions with a register offset are.
   * @param {number} kind
   * @param {number} address
   * @param {number} t
   */
  function transfer(kind, address, t) {
    const offset = address - RAM;
    if (offset >= 0 && offset < ramEnd) {
      switch (kind) {
        case 0: if (offset & 3) return false; ram32[offset >> 2] = r[t]; return true;
        case 1: if (offset & 1) return false; ram16[offset >> 1] = r[t]; return true;
        case 2: ram8[offset] = r[t]; return true;
        case 3: r[t] = (ram8[offset] << 24) >> 24; return true;
        case 4: if (offset & 3) return false; r[t] = ram32[offset >> 2]; return true;
        case 5: if (offset & 1) return false; r[t] = ram16[offset >> 1]; return true;
        case 6: r[t] = ram8[offset]; return true;
        default: if (offset & 1) return false; r[t] = (ram16[offset >> 1] << 16) >> 16; return true;
      }
    }
    const place = address - FLASH;
    if (kind < 3 || place < 0 || place >= flashEnd || !flash.connected) return false;
    switch (kind) {
      case 3: r[t] = (flash8[place] << 24) >> 24; return true;
      case 4: if (place & 3) return false; r[t] = flash32[place >> 2]; return true;
      case 5: if (place & 1) return false; r[t] = flash16[place >> 1]; return true;
      case 6: r[t] = flash8[place]; return true;
      default: if (place & 1) return false; r[t] = (flash16[place >> 1] << 16) >> 16; return true;
    }
  }

  /**
   * PUSH, POP, extensions, and SP plus or minus a number.
   * @param {number} op
   * @param {number} pc
   */
  function miscellaneous(op, pc) {
    const [low, mid] = [op & 7, (op >> 3) & 7];
    let cycles = 1;
    switch (op >> 6) {
      case 0x2c0: case 0x2c1: r[SP] += (op & 0x7f) << 2; break;
      case 0x2c2: case 0x2c3: r[SP] -= (op & 0x7f) << 2; break;
      case 0x2c8: r[low] = (r[mid] << 16) >> 16; break;
      case 0x2c9: r[low] = (r[mid] << 24) >> 24; break;
      case 0x2ca: r[low] = r[mid] & 0xffff; break;
      case 0x2cb: r[low] = r[mid] & 0xff; break;
      default: {
        const count = bitCount(op & 0xff);
        const whole = count + ((op >> 8) & 1);
        if ((op & 0xfe00) === 0xb400) {
          const offset = r[SP] - RAM - 4 * whole;
          if (offset < 0 || offset + 4 * whole > ramEnd) return false;
          let word = offset >> 2;
          for (let index = 0; index < 8; index++) if (op & (1 << index)) ram32[word++] = r[index];
          if (op & 0x100) ram32[word] = r[LR];
          r[SP] -= 4 * whole;
          cycles = 1 + count;
          break;
        }
        if ((op & 0xfe00) !== 0xbc00) return false;
        const offset = r[SP] - RAM;
        if (offset < 0 || offset + 4 * whole > ramEnd) return false;
        let word = offset >> 2;
        // What may be the return of an exception is not for here.
        if (op & 0x100 && ram32[word + count] >>> 28 === 15) return false;
        for (let index = 0; index < 8; index++) if (op & (1 << index)) r[index] = ram32[word++];
        r[SP] += 4 * whole;
        core.cycles += 1 + count;
        if ((op & 0x100) === 0) break;
        r[PC] = ram32[word] & ~1;
        core.cycles += 2;
        return true;
      }
    }
    if ((op & 0xfe00) !== 0xbc00) core.cycles += cycles;
    r[PC] = pc + 2;
    return true;
  }

  /** @param {number} condition */
  function holds(condition) {
    switch (condition) {
      case 0: return core.Z;
      case 1: return !core.Z;
      case 2: return core.C;
      case 3: return !core.C;
      case 4: return core.N;
      case 5: return !core.N;
      case 6: return core.V;
      case 7: return !core.V;
      case 8: return core.C && !core.Z;
      case 9: return !core.C || core.Z;
      case 10: return core.N === core.V;
      case 11: return core.N !== core.V;
      case 12: return !core.Z && core.N === core.V;
      default: return core.Z || core.N !== core.V;
    }
  }
}

/** @param {number} bits of which 8 count */
function bitCount(bits) {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
