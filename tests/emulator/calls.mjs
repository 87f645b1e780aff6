/**
 * Counts the core cycles of calls of a function in unmodified firmware.
 *
 * Calls are seen at their branch with link (BL or BLX), so a function that was inlined, or that is reached by a tail
 * call, can't be timed. What the function calls is included, and so are interrupts that are served meanwhile. Flash
 * never makes the core wait here: the counts are lower bounds, as with a cache that always hits.
 */

/** Cycles of the branch itself, Cortex-M0+ technical reference manual (DDI 0484), section 3.3. */
const [BL_CYCLES, BLX_CYCLES] = [3, 2];

/**
 * @param {import('./machine.mjs').Machine} machine
 * @param {string | RegExp} name of a function as the symbol table has it, or a pattern that one name fits
 * @returns {number[]} cycles of each finished call; grows while the machine runs
 */
export function timeCalls(machine, name) {
  const start = findFunction(machine.elf, name);
  const { core } = machine.mcu;
  /** @type {number[]} */
  const finished = [];
  core.blTaken = (_, blx) => {
    if (core.PC !== start || machine.afterInstruction !== null) return;
    const [returnTo, stack] = [core.LR & ~1, core.SP];
    const began = core.cycles + (blx ? BLX_CYCLES : BL_CYCLES);
    machine.watchInstructions(() => {
      if (core.PC !== returnTo || core.SP !== stack) return;
      finished.push(core.cycles - began);
      machine.watchInstructions(null);
    });
  };
  return finished;
}

/**
 * @param {import('./elf.mjs').Elf} elf
 * @param {string | RegExp} name
 */
function findFunction(elf, name) {
  const fits = (/** @type {string} */ candidate) => (typeof name === 'string' ? candidate === name : name.test(candidate));
  const found = elf.functions.filter((candidate) => fits(candidate.name));
  const addresses = new Set(found.map(({ start }) => start));
  if (addresses.size !== 1) {
    throw new Error(`${name} is ${addresses.size} functions: ${found.map((candidate) => candidate.name).join(', ')}`);
  }
  return found[0].start;
}

/**
 * Counts the core cycles spent inside a function wherever it was inlined, with what it calls.
 *
 * The optimiser mixes instructions of neighbours: those that the debug information gives to the function count, and
 * calls made by them. Interrupts that are served meanwhile count too.
 */
export class Meter {
  /** Cycles so far. */
  cycles = 0;

  /** What `weigh` made of the calls of the watched function from inside, in all. */
  calls = 0;

  /**
   * @param {import('./machine.mjs').Machine} machine
   * @param {import('./dwarf.mjs').Range[]} ranges of the function
   * @param {string | RegExp} watched name of a function that it calls
   * @param {(registers: Uint32Array) => number} [weigh] a call, by the registers that it begins with
   */
  constructor(machine, ranges, watched, weigh = () => 1) {
    this.machine = machine;
    const places = new Places(machine.elf, ranges);
    const callee = findFunction(machine.elf, watched);
    const { core } = machine.mcu;
    let [inside, last] = [false, core.cycles];
    machine.watchInstructions(() => {
      if (inside) this.cycles += core.cycles - last;
      last = core.cycles;
      const { PC } = core;
      if (inside && PC === callee) this.calls += weigh(core.registers);
      inside = places.inside(PC) ?? inside;
    });
  }

  /** Counts no more. */
  stop() {
    this.machine.watchInstructions(null);
  }
}

/** Which addresses of the functions around some ranges belong to the ranges. */
class Places {
  static #FLASH = 0x10000000;

  /**
   * @param {import('./elf.mjs').Elf} elf
   * @param {import('./dwarf.mjs').Range[]} ranges
   */
  constructor(elf, ranges) {
    const end = Math.max(...elf.functions.map(({ start, size }) => start + size).filter((address) => address < 0x20000000));
    this.codes = new Uint8Array(end - Places.#FLASH);
    for (const [from, to] of ranges) {
      const around = elf.functions.find(({ start, size }) => from >= start && from < start + size);
      if (around === undefined) throw new Error(`no function at 0x${from.toString(16)}`);
      const start = around.start - Places.#FLASH;
      this.codes.subarray(start, start + around.size).forEach((code, index, codes) => (codes[index] = code || 1));
      this.codes.fill(2, from - Places.#FLASH, to - Places.#FLASH);
    }
  }

  /** Whether an address is in the ranges; undefined where a function that they call may be. @param {number} address */
  inside(address) {
    const code = this.codes[address - Places.#FLASH];
    return code ? code === 2 : undefined;
  }
}
