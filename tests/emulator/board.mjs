/**
 * A WIZnet W5500-EVB-Pico, or a Raspberry Pi Pico W, with a real-time clock and a secure element beside it: everything that
 * outlives the microcontroller's resets and power cuts.
 *
 * W5500-EVB-Pico schematic V1.2: W5500 on SPI0 (MISO GPIO 16, CS 17, SCK 18, MOSI 19, RST 20, INT 21), lamp on GPIO 25.
 * Beside it: DS3231 and ATECC608 on I2C0 (SDA GPIO 4, SCL GPIO 5), console on UART0 (TX GPIO 0, RX 1).
 */

import { setImmediate, setTimeout } from 'node:timers/promises';

import { ATECC608_ADDRESS, Atecc608 } from './atecc608.mjs';
import { attachRadio } from './cyw43-pio.mjs';
import { Cyw43 } from './cyw43.mjs';
import { DS3231_ADDRESS, Ds3231 } from './ds3231.mjs';
import { PowerCut } from './flash.mjs';
import { I2cBus } from './i2cbus.mjs';
import { Machine } from './machine.mjs';
import { SerialLine } from './serial.mjs';
import { attachSpi } from './spibus.mjs';
import { UsbSerial } from './usb.mjs';
import { W5500 } from './w5500.mjs';

export const PINS = Object.freeze({ ethernetSelect: 17, ethernetReset: 20, ethernetInterrupt: 21, lamp: 25 });

const SECOND = 1e9;

/** How far simulated time goes before the outside world is looked at again, in nanoseconds. */
const SLICE = 1e6;

/** RP2040 datasheet section 4.9.5: voltage of the temperature sensor at 27 °C, and its slope. */
const [SENSOR_VOLTS, SENSOR_SLOPE, ADC_VOLTS] = [0.706, -0.001721, 3.3];
const TEMPERATURE_CHANNEL = 4;

/**
 * @typedef {object} BoardOptions
 * @property {import('./elf.mjs').Elf} elf
 * @property {import('./flash.mjs').Flash} flash
 * @property {Date} [start] the world's time when the board is made
 * @property {number} [seed] of everything random on the chip
 * @property {boolean} [faults] let the firmware handle HardFaults instead of failing at the first
 * @property {boolean} [wireless] whether it is a Pico W, which has a radio instead of the W5500
 *
 * @typedef {import('./machine.mjs').Reset | PowerCut} Ending
 */

export class Board {
  console = new SerialLine();
  i2c = new I2cBus();
  ethernet = new W5500();
  radio = new Cyw43(() => this.nanos);
  usb = new UsbSerial();

  /** Whether a computer is at the USB port when the firmware starts. */
  usbPlugged = false;

  /** How the microcontroller's lives ended so far. @type {Ending[]} */
  endings = [];

  /** The current life; null while the power is off. @type {Machine | null} */
  machine = null;

  /** Keeps sleep as long as in reality all the time: for programs and people at the other end of a line. */
  realTime = false;

  /** Joins the outside world's network, if any. @type {import('./network.mjs').Network | null} */
  network = null;

  /** Awaited whenever another second of the world's time has begun. @type {(() => Promise<unknown>) | null} */
  onSecond = null;

  /** The last one, in Unix seconds. */
  #second = -Infinity;

  #nanosBefore = 0;
  /** @type {Map<number, boolean>} */
  #driven = new Map();
  /** @type {[pin: number, callback: (level: boolean | null) => void][]} */
  #watched = [];
  #celsius = 25;
  /** @type {{ hostMillis: number, nanos: number } | null} */
  #pace = null;
  /** Console lines that `expect` has been past. */
  #expected = 0;

  /** @param {BoardOptions} options */
  constructor({ elf, flash, start = new Date(Date.UTC(2026, 0, 1)), seed = 1, faults = false, wireless = false }) {
    this.elf = elf;
    this.flash = flash;
    this.start = start;
    this.seed = seed;
    this.faults = faults;
    this.wireless = wireless;
    this.clock = new Ds3231(() => this.nanos);
    this.element = new Atecc608(() => this.nanos);
    this.i2c.devices.set(DS3231_ADDRESS, this.clock);
    this.i2c.devices.set(ATECC608_ADDRESS, this.element);
    this.link.onFrame = (frame) => this.network?.send(frame);
    this.ethernet.onInterrupt = (level) => this.machine?.drive(PINS.ethernetInterrupt, level);
  }

  /** What joins the network. */
  get link() {
    return this.wireless ? this.radio : this.ethernet;
  }

  /** Simulated nanoseconds since the board was made. */
  get nanos() {
    return this.#nanosBefore + (this.machine?.nanos ?? 0);
  }

  /** What a good clock would show now. */
  get worldTime() {
    return new Date(this.start.getTime() + this.nanos / 1e6);
  }

  /** Applies power. */
  powerOn() {
    this.seed += 1;
    this.#begin();
  }

  /**
   * Removes power for a while; the real-time clock has its battery.
   * @param {number} seconds
   */
  powerOff(seconds = 1) {
    this.#end();
    this.#nanosBefore += seconds * SECOND;
    this.#pace = null;
    this.ethernet.reset();
    this.radio.setPower(false);
    this.element.losePower();
  }

  /**
   * Connects a pin to a level, as a switch or another chip does, or disconnects it.
   * @param {number} pin
   * @param {boolean | null} level
   */
  drive(pin, level) {
    if (level === null) this.#driven.delete(pin);
    else this.#driven.set(pin, level);
    this.machine?.drive(pin, level);
  }

  /**
   * Calls back whenever the firmware changes a pin.
   * @param {number} pin
   * @param {(level: boolean | null) => void} callback
   */
  watchPin(pin, callback) {
    this.#watched.push([pin, callback]);
    this.machine?.watchPin(pin, callback);
  }

  /** Temperature of the microcontroller's die. @param {number} celsius */
  set temperature(celsius) {
    this.#celsius = celsius;
    if (this.machine === null) return;
    const volts = SENSOR_VOLTS + SENSOR_SLOPE * (celsius - 27);
    this.machine.mcu.adc.channelValues[TEMPERATURE_CHANNEL] = Math.round((volts / ADC_VOLTS) * 4096);
  }

  /**
   * Lets simulated time pass; resets lead to the next life, a power cut ends the run with the power off.
   * @param {object} options
   * @param {number} options.seconds at the most
   * @param {() => boolean} [options.until] looked at every simulated millisecond
   * @returns {Promise<boolean>} whether `until` came true
   */
  async run({ seconds, until = () => false }) {
    const end = this.nanos + seconds * SECOND;
    while (!until()) {
      if (this.machine === null || this.nanos >= end) return false;
      const second = Math.floor(this.worldTime.getTime() / 1000);
      if (second !== this.#second) await this.onSecond?.();
      this.#second = second;
      this.network?.poll(this.nanos);
      this.radio.poll();
      this.machine.run(Math.min(SLICE, end - this.nanos));
      if (this.machine.ended !== null) this.#continue(this.machine.ended);
      await this.#keepPace();
    }
    return true;
  }

  /**
   * Runs until the console has shown a text after what was there before, and fails if it does not.
   * @param {string | RegExp} text
   * @param {number} [seconds]
   * @returns {Promise<string>} the line in which it is
   */
  async expect(text, seconds = 10) {
    const from = this.#expected;
    const matches = (/** @type {string} */ line) => (typeof text === 'string' ? line.includes(text) : text.test(line));
    const find = () => this.console.lines.slice(from).findIndex(matches);
    if (!(await this.run({ seconds, until: () => find() >= 0 }))) {
      throw new Error(`the console did not show ${text} within ${seconds} s, but:\n${this.console.text.slice(-2000)}`);
    }
    const at = from + find();
    this.#expected = at + 1;
    return this.console.lines[at];
  }

  /** @param {Ending} ending */
  #continue(ending) {
    this.endings.push(ending);
    if (ending instanceof PowerCut) return this.powerOff();
    this.#end();
    return this.#begin(ending.kept);
  }

  /** @param {import('./machine.mjs').Kept} [kept] */
  #begin(kept) {
    const { elf, flash, seed, faults } = this;
    const machine = new Machine({ elf, flash, kept, seed, faults });
    this.machine = machine;
    this.console.attach(machine, 0);
    this.i2c.attach(machine, 0);
    if (this.usbPlugged) this.usb.attach(machine);
    if (this.wireless) attachRadio(machine, this.radio);
    else this.#attachEthernet(machine);
    for (const [pin, level] of this.#driven) machine.drive(pin, level);
    for (const [pin, callback] of this.#watched) machine.watchPin(pin, callback);
    this.temperature = this.#celsius;
  }

  /** @param {Machine} machine */
  #attachEthernet(machine) {
    attachSpi(machine, 0, new Map([[PINS.ethernetSelect, this.ethernet]]));
    machine.watchPin(PINS.ethernetReset, (level) => this.ethernet.setReset(level !== false));
    machine.drive(PINS.ethernetInterrupt, this.ethernet.interruptLevel);
  }

  #end() {
    this.#nanosBefore = this.nanos;
    this.machine = null;
    this.network?.forget();
  }

  /** Lets the host's sockets work, and holds simulated time back while the other side needs real time. */
  async #keepPace() {
    await setImmediate();
    const { network, nanos } = this;
    const hostMillis = performance.now();
    if (!network?.busy && !this.realTime) {
      this.#pace = null;
      return;
    }
    this.#pace ??= { hostMillis, nanos };
    const ahead = (nanos - this.#pace.nanos) / 1e6 - (hostMillis - this.#pace.hostMillis);
    // Simulated time that lags behind is no credit for later.
    if (ahead <= 0) this.#pace = { hostMillis, nanos };
    else await setTimeout(Math.ceil(ahead));
  }
}
