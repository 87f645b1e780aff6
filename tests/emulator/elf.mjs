/**
 * Reads what a machine needs of an ELF file: loadable segments and symbols.
 *
 * Tool Interface Standard, Executable and Linking Format 1.2, book I: 1-4 (ELF header), 1-10 (section header),
 * 1-17 (symbol table), 2-2 (program header). 32-bit little-endian files only, as Cortex-M compilers write them.
 */

import fs from 'node:fs';

const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const STT_FUNC = 2;

/**
 * @typedef {object} Segment
 * @property {number} address physical address, where the flashed bytes lie
 * @property {Uint8Array} bytes
 *
 * @typedef {object} CodeSymbol
 * @property {string} name
 * @property {number} start address of the first instruction, without the Thumb bit
 * @property {number} size in bytes
 */

/** A parsed firmware image. */
export class Elf {
  /** @type {Segment[]} */
  segments = [];

  /** Values of all named symbols. @type {Map<string, number>} */
  symbols = new Map();

  /** Functions, by address. @type {CodeSymbol[]} */
  functions = [];

  /** Bytes of each allocated section. @type {Map<string, number>} */
  sections = new Map();

  /** What the file has of sections that are not loaded. @type {Map<string, DataView>} */
  unloaded = new Map();

  /** @param {string} path */
  constructor(path) {
    this.path = path;
    const file = fs.readFileSync(path);
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    if (view.getUint32(0, false) !== 0x7f454c46 || file[4] !== 1 || file[5] !== 1) {
      throw new Error(`${path} is not a 32-bit little-endian ELF file`);
    }
    this.#readSegments(file, view);
    this.#readSections(file, view);
  }

  /**
   * Returns a symbol's value.
   * @param {string} name
   */
  symbol(name) {
    const value = this.symbols.get(name);
    if (value === undefined) throw new Error(`${this.path} has no symbol ${name}`);
    return value;
  }

  /**
   * Names the function that holds an address, for messages.
   * @param {number} address
   */
  describe(address) {
    const inside = this.functions.find(({ start, size }) => address >= start && address < start + size);
    const place = `0x${address.toString(16).padStart(8, '0')}`;
    return inside ? `${place} (${inside.name} + ${address - inside.start})` : place;
  }

  /**
   * @param {Buffer} file
   * @param {DataView} view
   */
  #readSegments(file, view) {
    const [table, entrySize, count] = [view.getUint32(28, true), view.getUint16(42, true), view.getUint16(44, true)];
    for (let index = 0; index < count; index++) {
      const header = table + index * entrySize;
      const size = view.getUint32(header + 16, true);
      if (view.getUint32(header, true) !== PT_LOAD || size === 0) continue;
      const offset = view.getUint32(header + 4, true);
      this.segments.push({ address: view.getUint32(header + 12, true), bytes: file.subarray(offset, offset + size) });
    }
  }

  /**
   * @param {Buffer} file
   * @param {DataView} view
   */
  #readSections(file, view) {
    const [table, entrySize, count] = [view.getUint32(32, true), view.getUint16(46, true), view.getUint16(48, true)];
    const headers = Array.from({ length: count }, (_, index) => {
      const at = table + index * entrySize;
      const word = (/** @type {number} */ field) => view.getUint32(at + 4 * field, true);
      return { name: word(0), type: word(1), flags: word(2), offset: word(4), size: word(5), link: word(6) };
    });
    const names = headers[view.getUint16(50, true)];
    for (const header of headers) {
      const allocated = (header.flags & 2) !== 0;
      const name = text(file, names.offset + header.name);
      if (allocated) this.sections.set(name, header.size);
      else this.unloaded.set(name, new DataView(file.buffer, file.byteOffset + header.offset, header.size));
      if (header.type === SHT_SYMTAB) this.#readSymbols(file, view, header, headers[header.link].offset);
    }
    this.functions.sort((a, b) => a.start - b.start);
  }

  /**
   * @param {Buffer} file
   * @param {DataView} view
   * @param {{offset: number, size: number}} table
   * @param {number} strings file offset of the names
   */
  #readSymbols(file, view, table, strings) {
    for (let at = table.offset; at < table.offset + table.size; at += 16) {
      const name = text(file, strings + view.getUint32(at, true));
      if (name === '') continue;
      const value = view.getUint32(at + 4, true);
      this.symbols.set(name, value);
      if ((view.getUint8(at + 12) & 0xf) === STT_FUNC) {
        this.functions.push({ name, start: value & ~1, size: view.getUint32(at + 8, true) });
      }
    }
  }
}

/**
 * @param {Buffer} file
 * @param {number} start
 */
function text(file, start) {
  return file.toString('latin1', start, file.indexOf(0, start));
}
