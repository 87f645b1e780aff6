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
