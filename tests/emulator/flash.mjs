/**
 * The serial flash of the board, a Winbond W25Q16JV: what survives a power cut.
 *
 * W25Q16JV datasheet revision J: section 6.1 (array of 4 KB sectors), 8.2.13 (page program clears bits only), 8.2.15
 * (sector erase sets a sector to ones), 8.2.29 (unique ID), 9.6 (typical times). Programming is modelled as the cells
 * behave, an AND; an operation that loses its supply leaves what the datasheet does not promise: anything.
 */

export const SECTOR_BYTES = 4096;
export const PAGE_BYTES = 256;

/** Typical times of datasheet section 9.6, in nanoseconds. */
const ERASE_NANOS = 45e6;
const PROGRAM_NANOS = 0.4e6;

/** Thrown at the moment at which the supply fails. */
export class PowerCut extends Error {
  /** @param {Operation} operation */
  constructor(operation) {
    super(`power was cut ${operation.cut} the ${operation.kind} at flash offset 0x${operation.offset.toString(16)}`);
    this.operation = operation;
  }
}

/**
 * @typedef {'before' | 'inside' | 'after'} Moment
 *
 * @typedef {object} Operation one sector erased or one page programmed
 * @property {'erase' | 'program'} kind
 * @property {number} offset in bytes
 * @property {Moment | null} cut whether the power failed, and when
 */

/** Flash contents and the fate of operations on them. */
export class Flash {
  /** Every operation since the flash was made. @type {Operation[]} */
  operations = [];

  /** @type {{index: number, moment: Moment, random: () => number} | null} */
  #plan = null;

  /** Bytes from the start of the flash that hold the program. */
  #programBytes = 0;

  /**
   * @param {object} [options]
   * @param {number} [options.bytes] capacity
   * @param {bigint} [options.uniqueId] 64 bits
   */
  constructor({ bytes = 2 * 1024 * 1024, uniqueId = 0xe6614103e7a52b28n } = {}) {
    this.bytes = new Uint8Array(bytes).fill(0xff);
    this.uniqueId = uniqueId;
  }

  /**
   * Writes a firmware image as a flashing tool does.
   * @param {import('./elf.mjs').Elf} elf
   * @param {number} base address of the flash in the memory map
   */
  load(elf, base) {
    for (const { address, bytes } of elf.segments) {
      if (address < base || address + bytes.length > base + this.bytes.length) {
        throw new Error(`segment at 0x${address.toString(16)} lies outside the flash`);
      }
      this.bytes.set(bytes, address - base);
      this.#programBytes = Math.max(this.#programBytes, address - base + bytes.length);
    }
  }

  /**
   * Plans a power cut.
   * @param {object} plan
   * @param {number} plan.operation how many operations from now on are still complete
   * @param {Moment} plan.moment `inside` leaves a torn sector or page
   * @param {number} [plan.seed] chooses what a torn one holds
   */
  cutPower({ operation, moment, seed = 1 }) {
    this.#plan = { index: this.operations.length + operation, moment, random: randomBytes(seed) };
  }

  /** Forgets a planned power cut. */
  keepPower() {
    this.#plan = null;
  }

  /**
   * Erases one sector.
   * @param {number} offset in bytes
   * @returns {number} the time taken, in nanoseconds
   */
  eraseSector(offset) {
    const sector = this.#range(offset, SECTOR_BYTES, SECTOR_BYTES);
    this.#operate('erase', offset, () => sector.fill(0xff), (random) => {
      sector.forEach((old, index) => (sector[index] = tornErase(old, random)));
    });
    return ERASE_NANOS;
  }

  /**
   * Programs one page, or the start of one.
   * @param {number} offset in bytes
   * @param {Uint8Array} data
   * @returns {number} the time taken, in nanoseconds
   */
  programPage(offset, data) {
    const page = this.#range(offset, PAGE_BYTES, PAGE_BYTES);
    const wanted = page.map((old, index) => old & (data[index] ?? 0xff));
    this.#operate('program', offset, () => page.set(wanted), (random) => {
      // All cells of a page are programmed together: any of the bits to be cleared may have been.
      page.forEach((old, index) => (page[index] = wanted[index] | (old & random())));
    });
    return PROGRAM_NANOS;
  }

  /**
   * @param {Operation['kind']} kind
   * @param {number} offset
   * @param {() => void} complete
   * @param {(random: () => number) => void} tear
   */
  #operate(kind, offset, complete, tear) {
    const plan = this.#plan?.index === this.operations.length ? this.#plan : null;
    /** @type {Operation} */
    const operation = { kind, offset, cut: plan?.moment ?? null };
    this.operations.push(operation);
    if (plan?.moment === 'inside') tear(plan.random);
    if (plan === null || plan.moment === 'after') complete();
    if (plan !== null) {
      this.#plan = null;
      throw new PowerCut(operation);
    }
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @param {number} alignment
   */
  #range(offset, length, alignment) {
    if (offset % alignment !== 0 || offset + length > this.bytes.length) {
      throw new Error(`flash operation at 0x${offset.toString(16)} is out of range or not aligned to ${alignment}`);
    }
    if (offset < this.#programBytes) {
      throw new Error(`flash operation at 0x${offset.toString(16)} would destroy the program`);
    }
    return this.bytes.subarray(offset, offset + length);
  }
}

/**
 * An erase first programs all cells, then drains them; stopped anywhere, a cell holds what was, 0, 1 or a level between.
 * @param {number} old
 * @param {() => number} random
 */
function tornErase(old, random) {
  const fates = [old, 0xff, 0x00, random()];
  return fates[random() & 3];
}

/**
 * Returns a repeatable source of bytes (Marsaglia's xorshift32).
 * @param {number} seed
 */
export function randomBytes(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 11) & 0xff;
  };
}
