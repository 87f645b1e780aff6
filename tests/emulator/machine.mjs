/**
 * One life of an RP2040: from power-on or a reset until the next one. The flash and everything around it outlive it.
 *
 * RP2040 datasheet (build 2024-10), section 2.6.2 (SRAM keeps its contents over a reset), 2.8.1 (boot sequence), 2.12.5
 * (reset state: running from the ring oscillator), 4.7 (watchdog).
 */

import { RP2040, GPIOPinState } from 'rp2040js';

import { BootRom } from './bootrom.mjs';
import { SimulatedClock } from './clock.mjs';
import { takeFaults } from './faults.mjs';
import { PowerCut, randomBytes } from './flash.mjs';
import * as patches from './patches.mjs';
import { QspiPins, RingOscillator, VoltageAndReset, XipControl } from './peripherals.mjs';
import { executor } from './thumb.mjs';

const SRAM_BASE = 0x20000000;
const STACK_PAINT = 0x5a;
const HARD_FAULT = 3;
const BRANCH_TO_ITSELF = 0xe7fe;

/**
 * Accesses that rp2040js does not model and that do no harm. Everything else that it complains about fails the run.
 * @type {{ component: string, message: RegExp, reason: string }[]}
 */
const HARMLESS = [
  {
    component: 'USB',
    message: /^Unimplemented peripheral write to 0x(48|5c|7c|80|84|88|8c|98): 0x0$/,
    reason: 'embassy clears every register when it starts; these are read-only or are for tests of the transceiver',
  },
];

/** Thrown where the chip resets; ends a machine's life. */
export class Reset extends Error {
  /**
   * @param {'watchdog' | 'watchdog trigger' | 'system reset request' | 'USB boot'} by
   * @param {Kept} kept
   */
  constructor(by, kept) {
    super(`reset by ${by}`);
    this.by = by;
    this.kept = kept;
  }
}

/** Thrown where firmware does what can't be simulated, or what would break on the chip. */
export class Violation extends Error {}

/**
 * @typedef {object} Kept what a reset leaves for the next life
 * @property {number} reason the watchdog's REASON register
 * @property {Uint32Array} scratch the watchdog's scratch registers
 * @property {Uint8Array | null} sram
 *
 * @typedef {object} MachineOptions
 * @property {import('./flash.mjs').Flash} flash
 * @property {import('./elf.mjs').Elf} elf names places in messages and finds the stack; the program is in the flash
 * @property {Kept} [kept] of the life before; without it this is a power-on
 * @property {number} [seed] of what is random on the chip: SRAM at power-on, the ring oscillator's bits
 * @property {boolean} [faults] let the firmware handle HardFaults instead of failing at the first
 */

export class Machine {
  /** Why this life ended. @type {Reset | PowerCut | null} */
  ended = null;

  /** Accesses that the bus has refused, if the firmware handles faults. @type {import('./faults.mjs').Fault[]} */
  refused = [];

  /** Whether the core has locked up: then only a reset helps. */
  lockedUp = false;

  /** Called after each instruction, if set. @type {(() => void) | null} */
  afterInstruction = null;

  #painted = { low: 0, high: 0 };
  /** The flash as the memory map has it. */
  #map;
  /** Runs to the next alarm. */
  #execute;

  /** Levels that something outside drives, by pin. @type {Map<number, boolean>} */
  #driven = new Map();

  /** Levels that are on the pins. @type {Map<number, boolean>} */
  #levels = new Map();

  /** @param {MachineOptions} options */
  constructor({ flash, elf, kept, seed = 1, faults = false }) {
    this.elf = elf;
    this.flash = flash;
    this.faults = faults;
    this.clock = new SimulatedClock();
    this.mcu = new RP2040(this.clock);
    this.clock.core = this.mcu.core;
    this.#map = { bytes: flash.bytes, connected: true };
    this.#execute = executor(this.mcu, this.clock, this.#map);
    this.#reportToUs();
    this.#shareFlash();
    this.#startFromRingOscillator();
    this.#addPeripherals(seed);
    this.#patch(kept ?? { reason: 0, scratch: new Uint32Array(8), sram: null });
    this.#pullPins();
    this.#fillMemory(kept?.sram ?? null, seed);
    this.rom = new BootRom({
      mcu: this.mcu,
      flash,
      hold: (nanos) => this.clock.hold(nanos),
      setExecuteInPlace: (executeInPlace) => this.#setExecuteInPlace(executeInPlace),
      usbBoot: () => this.#reset('USB boot', 0, new Uint32Array(8)),
    });
    this.rom.start();
  }

  /** Nanoseconds since this life began. */
  get nanos() {
    return this.clock.nanos;
  }

  /** Core cycles in which instructions ran; sleep does not count, and flash never makes the core wait here. */
  get cycles() {
    return this.mcu.core.cycles;
  }

  /**
   * Lets time pass, until the life ends at the latest.
   * @param {number} nanos
   */
  run(nanos) {
    const { clock, mcu } = this;
    const { core } = mcu;
    const end = clock.nanos + nanos;
    clock.horizon = end;
    try {
      while (this.ended === null && clock.nanos < end) {
        if (this.lockedUp || core.waiting || this.#spins()) clock.sleep();
        else if (this.afterInstruction === null) this.#execute();
        else this.#executeWatched();
        clock.fire();
      }
    } catch (error) {
      if (!(error instanceof Reset || error instanceof PowerCut)) throw error;
      this.ended = error;
    }
  }

  /**
   * Whether the core has nothing to do but to branch to where it is until something interrupts it: then time leaps as in
   * sleep, and the cycles are not counted.
   */
  #spins() {
    const { core } = this.mcu;
    const { PC } = core;
    if (this.afterInstruction !== null || this.mcu.readUint16(PC & ~1) !== BRANCH_TO_ITSELF) return false;
    // Takes an interrupt that is pending.
    core.executeInstruction();
    return core.PC === PC;
  }

  #executeWatched() {
    const { clock } = this;
    const { core } = this.mcu;
    while (core.cycles < clock.limit && !core.waiting) {
      core.executeInstruction();
      this.afterInstruction?.();
    }
  }

  /**
   * Has something called after each instruction from now on, or no longer.
   * @param {(() => void) | null} watcher
   */
  watchInstructions(watcher) {
    this.afterInstruction = watcher;
    // Leaves the loop that runs now.
    this.clock.limit = 0;
  }

  /**
   * Connects a pin to a level, or to nothing: then its pull resistor decides.
   * @param {number} pin
   * @param {boolean | null} level
   */
  drive(pin, level) {
    if (level === null) this.#driven.delete(pin);
    else this.#driven.set(pin, level);
    this.#settlePin(pin);
  }

  /**
   * Calls back whenever the level that the chip puts on a pin changes; `null` when it puts none.
   * @param {number} pin
   * @param {(level: boolean | null) => void} callback
   */
  watchPin(pin, callback) {
    this.mcu.gpio[pin].addListener((state) => {
      callback(state === GPIOPinState.High ? true : state === GPIOPinState.Low ? false : null);
    });
  }

  /** The deepest that the stack has been in this life, in bytes. */
  get stackHighWater() {
    const { low, high } = this.#painted;
    const stack = this.mcu.sram.subarray(low, high);
    const untouched = stack.findIndex((byte) => byte !== STACK_PAINT);
    return untouched < 0 ? 0 : stack.length - untouched;
  }

  /** Bytes between the stack's start and what lies below it. */
  get stackSize() {
    return this.#painted.high - this.#painted.low;
  }

  #reportToUs() {
    const complain = (/** @type {string} */ component, /** @type {string} */ message) => {
      const known = HARMLESS.some((entry) => entry.component === component && entry.message.test(message));
      if (!known) throw this.violation(`${component}: ${message}`);
    };
    this.mcu.logger = { debug: () => {}, info: () => {}, warn: complain, error: complain };
  }

  /** @param {string} message */
  violation(message) {
    return new Violation(`${message}, at ${this.elf.describe(this.mcu.core.PC)}`);
  }

  /** Maps the flash's own bytes, for reading only and only while it is connected to the memory map. */
  #shareFlash() {
    const { bytes } = this.flash;
    const view = new DataView(bytes.buffer);
    const checked = (/** @type {number} */ offset) => {
      if (!this.#map.connected) throw this.violation(`flash offset 0x${offset.toString(16)} is read during a flash operation`);
      return offset;
    };
    const written = () => {
      throw this.violation('the program writes to the flash as if it were memory');
    };
    Object.assign(this.mcu, {
      flash: bytes,
      flashView: {
        getUint16: (/** @type {number} */ offset) => view.getUint16(checked(offset), true),
        getUint32: (/** @type {number} */ offset) => view.getUint32(checked(offset), true),
        setUint32: written,
      },
    });
  }

  #startFromRingOscillator() {
    const { mcu, clock } = this;
    mcu.clkSys = mcu.roscFreq;
    mcu.ppb.systickTimer.frequency = mcu.clkSys;
    clock.frequency = mcu.clkSys;
    mcu.addClockListener((hertz) => (clock.frequency = hertz));
  }

  /** @param {number} seed */
  #addPeripherals(seed) {
    const { mcu } = this;
    mcu.peripherals[0x14000] = new XipControl(mcu);
    mcu.peripherals[0x40018] = new QspiPins(mcu);
    mcu.peripherals[0x40060] = new RingOscillator(mcu, seed);
    mcu.peripherals[0x40064] = new VoltageAndReset(mcu);
  }

  /** @param {Kept} kept */
  #patch(kept) {
    const { mcu } = this;
    patches.uartInterrupts(mcu);
    patches.i2cAbortAndInterrupts(mcu);
    patches.badAccessesComplain(mcu);
    patches.sioComplains(mcu);
    patches.dormantWakeIsStored(mcu);
    patches.dmaAbortIsDone(mcu);
    patches.sendEventIsSeen(mcu);
    patches.watchdogResets(mcu, kept, (reason, scratch) => {
      this.#reset(reason === 2 ? 'watchdog trigger' : 'watchdog', reason, scratch);
    });
    patches.systemResetRequest(mcu, (reason, scratch) => this.#reset('system reset request', reason, scratch));
    this.leaveExecuteInPlace = patches.serialFlashCommands(mcu, this.flash.uniqueId, (connected) => {
      this.#setExecuteInPlace(connected);
    });
    mcu.onBreak = (code) => this.#breakpoint(code);
    if (this.faults) takeFaults(mcu, (fault) => this.refused.push(fault), () => this.#lockUp());
  }

  #lockUp() {
    this.lockedUp = true;
    // Leaves the loop that runs now.
    this.clock.limit = 0;
  }

  /** @param {boolean} executeInPlace */
  #setExecuteInPlace(executeInPlace) {
    this.#map.connected = executeInPlace;
    if (!executeInPlace) this.leaveExecuteInPlace?.();
  }

  /**
   * A breakpoint is a ROM routine's; anywhere else, like an undefined instruction, a HardFault.
   * @param {number} code
   */
  #breakpoint(code) {
    const { core } = this.mcu;
    if (BootRom.holds(core.PC)) return this.rom.call(code);
    core.PC -= core.breakRewind;
    if (!this.faults) throw this.violation('HardFault');
    if (core.IPSR === HARD_FAULT) return this.#lockUp();
    return core.exceptionEntry(HARD_FAULT);
  }

  /**
   * @param {Reset['by']} by
   * @param {number} reason
   * @param {Uint32Array} scratch
   */
  #reset(by, reason, scratch) {
    throw new Reset(by, { reason, scratch: scratch.slice(), sram: this.mcu.sram });
  }

  #pullPins() {
    this.mcu.gpio.forEach((pin, index) => pin.addListener(() => this.#settlePin(index)));
    this.mcu.gpio.forEach((_, index) => this.#settlePin(index));
  }

  /**
   * Works out the level on a pin: the chip's own output, else what drives it from outside, else its pull resistor.
   * @param {number} index
   */
  #settlePin(index) {
    const pin = this.mcu.gpio[index];
    const { value } = pin;
    const output = value === GPIOPinState.High || value === GPIOPinState.Low;
    const input = this.#driven.get(index) ?? value === GPIOPinState.InputPullUp;
    const level = output ? value === GPIOPinState.High : input;
    // Telling it the same level again would latch an edge that there was not.
    if (this.#levels.get(index) === level) return;
    this.#levels.set(index, level);
    pin.setInputValue(level);
  }

  /**
   * At power-on memory holds anything. The stack is painted over that, so that its high-water mark can be read.
   * @param {Uint8Array | null} kept
   * @param {number} seed
   */
  #fillMemory(kept, seed) {
    const { sram } = this.mcu;
    if (kept !== null) sram.set(kept);
    else sram.forEach(fill(seed));
    const high = this.elf.symbol('_stack_start') - SRAM_BASE;
    // With the stack below the data (flip-link), what lies below it is the end of memory.
    const end = (this.elf.symbols.get('_stack_end') ?? SRAM_BASE) - SRAM_BASE;
    this.#painted = { low: end < high ? end : 0, high };
    sram.fill(STACK_PAINT, this.#painted.low, high);
  }
}

/** @param {number} seed @returns {(value: number, index: number, array: Uint8Array) => void} */
function fill(seed) {
  const random = randomBytes(seed);
  return (_, index, array) => (array[index] = random());
}
