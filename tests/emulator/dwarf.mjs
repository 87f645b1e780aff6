/**
 * Finds where a function is in a program, copies that were inlined into others included.
 *
 * DWARF version 4, section 7.5 (debugging information entries), 7.6 (variable-length numbers), 2.17.3 (ranges), 3.3.8.2
 * (inlined subroutines). Units of other versions, which C compilers write, are passed over.
 */

const TAG = { subprogram: 0x2e, inlined: 0x1d };
const ATTRIBUTE = { low: 0x11, high: 0x12, origin: 0x31, specification: 0x47, ranges: 0x55, linkageName: 0x6e };
const FORM_IMPLICIT_FLAG = 0x19;
const BASE_SELECTION = 0xffffffff;

/**
 * @typedef {[start: number, end: number]} Range of addresses
 *
 * @typedef {object} Entry what is of interest of a subprogram or an inlined one
 * @property {number} at
 * @property {number} base address of its unit
 * @property {Partial<Record<number, number>>} values by attribute
 * @property {string} name mangled; of an abstract one
 */

/**
 * Returns the addresses of every copy of the functions whose mangled name fits.
 * @param {import('./elf.mjs').Elf} elf
 * @param {RegExp} name
 * @returns {Range[]}
 */
export function functionRanges(elf, name) {
  const entries = [...readEntries(elf)];
  const named = new Set(entries.filter((entry) => name.test(entry.name)).map(({ at }) => at));
  if (named.size === 0) throw new Error(`${elf.path} has no function ${name} in its debug information`);
  const ranges = entries
    .filter(({ at, values }) => {
      const of = values[ATTRIBUTE.origin] ?? values[ATTRIBUTE.specification];
      return named.has(at) || (of !== undefined && named.has(of));
    })
    .flatMap((entry) => rangesOf(elf, entry));
  // Where the linker has left a function out, it lies at 0.
  return ranges.filter(([start, end]) => start > 0 && end > start);
}

/**
 * @param {import('./elf.mjs').Elf} elf
 * @param {Entry} entry
 * @returns {Range[]}
 */
function rangesOf(elf, { base, values }) {
  const { [ATTRIBUTE.low]: low, [ATTRIBUTE.high]: high, [ATTRIBUTE.ranges]: list } = values;
  if (low !== undefined && high !== undefined) return [[low, low + high]];
  if (list === undefined) return [];
  const view = section(elf, '.debug_ranges');
  /** @type {Range[]} */
  const ranges = [];
  for (let at = list, from = base; ; at += 8) {
    const [start, end] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (start === 0 && end === 0) return ranges;
    if (start === BASE_SELECTION) from = end;
    else ranges.push([from + start, from + end]);
  }
}

/** @param {import('./elf.mjs').Elf} elf @returns {Generator<Entry>} */
function* readEntries(elf) {
  const view = section(elf, '.debug_info');
  for (let unit = 0; unit < view.byteLength; ) {
    const end = unit + 4 + view.getUint32(unit, true);
    if (view.getUint16(unit + 4, true) === 4) yield* readUnit(elf, view, unit, end);
    unit = end;
  }
}

/**
 * @param {import('./elf.mjs').Elf} elf
 * @param {DataView} view
 * @param {number} unit
 * @param {number} end
 * @returns {Generator<Entry>}
 */
function* readUnit(elf, view, unit, end) {
  const shapes = readShapes(section(elf, '.debug_abbrev'), view.getUint32(unit + 6, true));
  const strings = section(elf, '.debug_str');
  const reader = new Reader(view, unit + 11);
  let base = 0;
  for (let first = true; reader.at < end; first = false) {
    const at = reader.at;
    const shape = shapes.get(reader.number());
    if (shape === undefined) continue;
    /** @type {Entry} */
    const entry = { at, base, values: {}, name: '' };
    for (const [attribute, form] of shape.attributes) {
      const value = reader.value(form, unit);
      if (attribute === ATTRIBUTE.linkageName) entry.name = string(strings, value);
      else entry.values[attribute] = value;
    }
    if (first) base = entry.values[ATTRIBUTE.low] ?? 0;
    if (shape.tag === TAG.subprogram || shape.tag === TAG.inlined) yield entry;
  }
}

/**
 * @param {DataView} view
 * @param {number} start
 */
function readShapes(view, start) {
  /** @type {Map<number, { tag: number, attributes: [attribute: number, form: number][] }>} */
  const shapes = new Map();
  const reader = new Reader(view, start);
  for (let code = reader.number(); code !== 0; code = reader.number()) {
    const tag = reader.number();
    reader.at += 1;
    /** @type {[number, number][]} */
    const attributes = [];
    for (;;) {
      const [attribute, form] = [reader.number(), reader.number()];
      if (attribute === 0 && form === 0) break;
      attributes.push([attribute, form]);
    }
    shapes.set(code, { tag, attributes });
  }
  return shapes;
}

class Reader {
  /** @param {DataView} view @param {number} at */
  constructor(view, at) {
    this.view = view;
    this.at = at;
  }

  /** A LEB128 number; a signed one is not told apart, for none is of interest. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.view.getUint8(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** @param {number} bytes */
  fixed(bytes) {
    const at = this.at;
    this.at += bytes;
    if (bytes === 1) return this.view.getUint8(at);
    if (bytes === 2) return this.view.getUint16(at, true);
    return this.view.getUint32(at, true);
  }

  /** @param {number} bytes */
  skip(bytes) {
    this.at += bytes;
    return 0;
  }

  /**
   * Reads the value of an attribute; that of a block or an inline string is passed over.
   * @param {number} form
   * @param {number} unit
   * @returns {number}
   */
  value(form, unit) {
    switch (form) {
      case 0x01: case 0x06: case 0x0e: case 0x10: case 0x17: return this.fixed(4);
      case 0x05: return this.fixed(2);
      case 0x07: case 0x20: return this.skip(8);
      case 0x0b: case 0x0c: return this.fixed(1);
      case 0x0d: case 0x0f: return this.number();
      case 0x11: return unit + this.fixed(1);
      case 0x12: return unit + this.fixed(2);
      case 0x13: return unit + this.fixed(4);
      case 0x15: return unit + this.number();
      case 0x08: while (this.view.getUint8(this.at++) !== 0); return 0;
      case 0x0a: return this.skip(this.fixed(1));
      case 0x03: return this.skip(this.fixed(2));
      case 0x04: return this.skip(this.fixed(4));
      case 0x09: case 0x18: return this.skip(this.number());
      case FORM_IMPLICIT_FLAG: return 1;
      default: throw new Error(`DWARF form 0x${form.toString(16)} is not known`);
    }
  }
}

/** @param {import('./elf.mjs').Elf} elf @param {string} name */
function section(elf, name) {
  const view = elf.unloaded.get(name);
  if (view === undefined) throw new Error(`${elf.path} has no section ${name}: it was built without debug information`);
  return view;
}

/** @param {DataView} view @param {number} start */
function string(view, start) {
  let end = start;
  while (view.getUint8(end) !== 0) end++;
  return Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('latin1');
}
