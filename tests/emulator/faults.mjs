/**
 * What the core does when the bus refuses an access: a HardFault, and lockup if there is no way out.
 *
 * ARMv6-M Architecture Reference Manual (DDI 0419), sections B1.5 (exception model) and "Lockup" there; Cortex-M0+ Devices
 * Generic User Guide (DUI 0662), section 2.4.1: a fault within the HardFault handler locks the core up until it is reset.
 * RP2040 datasheet (build 2024-10), section 2.2: the address map.
 *
 * That the frame of an exception can't be stored makes the exception a HardFault, and is no reason not to enter its handler,
 * which then has no stack. A core that locks up instead of entering it would end the same way a few instructions
 * earlier.
 */

const [NMI, HARD_FAULT] = [2, 3];

/** Where nothing is: from the flash controller's registers to the RAM, and from the RAM to its unstriped mirror. */
const VACANT = [[0x18004000, 0x20000000], [0x20042000, 0x21000000]];

/** Thrown by an access to where nothing is. */
class BusFault extends Error {
  /** @param {number} address */
  constructor(address) {
    super(`nothing is at 0x${address.toString(16)}`);
    this.address = address;
  }
}

/**
 * @typedef {import('rp2040js').RP2040} RP2040
 * @typedef {{ writeUint32(address: number, value: number): void, readUint32(address: number): number, VTOR: number }} Memory
 *
 * @typedef {object} Fault that the bus was the reason of
 * @property {number} address that was to be accessed
 * @property {number} pc of the instruction, or of what an exception interrupted
 * @property {number} exception whose frame was to be stored, or 0
 */

/**
 * Has the core take faults.
 * @param {RP2040} mcu
 * @param {(fault: Fault) => void} onFault told of each
 * @param {() => void} onLockUp told when no instruction will be executed any more
 */
export function takeFaults(mcu, onFault, onLockUp) {
  refuseVacantAddresses(mcu);
  const { core } = mcu;
  const execute = core.executeInstruction.bind(core);
  const enter = core.exceptionEntry.bind(core);
  const memory = /** @type {Memory} */ (/** @type {unknown} */ (core));

  core.exceptionEntry = (number) => {
    const pc = core.PC & ~1;
    /** @type {BusFault | null} */
    let refused = null;
    const write = memory.writeUint32.bind(core);
    memory.writeUint32 = (address, value) => {
      try {
        write(address, value);
      } catch (error) {
        if (!(error instanceof BusFault)) throw error;
        refused ??= error;
      }
    };
    enter(number);
    memory.writeUint32 = write;
    if (refused === null) return;
    onFault({ address: /** @type {BusFault} */ (refused).address, pc, exception: number });
    core.IPSR = HARD_FAULT;
    core.PC = memory.readUint32(core.VTOR + 4 * HARD_FAULT);
  };

  core.executeInstruction = () => {
    try {
      return execute();
    } catch (error) {
      if (!(error instanceof BusFault)) throw error;
      // Loads and stores are of two bytes, and were counted; what could not be fetched was not.
      if (error.address !== (core.PC & ~1)) core.PC -= 2;
      onFault({ address: error.address, pc: core.PC & ~1, exception: 0 });
      if (core.IPSR === HARD_FAULT || core.IPSR === NMI) onLockUp();
      else core.exceptionEntry(HARD_FAULT);
      return 0;
    }
  };
}

/** @param {RP2040} mcu */
function refuseVacantAddresses(mcu) {
  const check = (/** @type {number} */ address) => {
    const unsigned = address >>> 0;
    if (VACANT.some(([from, to]) => unsigned >= from && unsigned < to)) throw new BusFault(unsigned);
  };
  const read = mcu.readUint32.bind(mcu);
  const write = mcu.writeUint32.bind(mcu);
  mcu.readUint32 = (address) => {
    check(address);
    return read(address);
  };
  mcu.writeUint32 = (address, value) => {
    check(address);
    write(address, value);
  };
}
