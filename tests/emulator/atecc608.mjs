/**
 * ATECC608 secure element: its interface, states and timing. What its commands compute is in `atecc608-commands.mjs`.
 *
 * Microchip ATECC608A-TFLXTLS datasheet (DS40002138A), section 5 (I2C: word addresses, device asleep, wake, idle and
 * sleep), 6.2 (command packets), 6.3 (status codes), 6.4.4 (watchdog fail-safe), 8.3 and 8.4 (AC parameters). A device
 * that is asleep or busy does not acknowledge its address.
 */

import { execute } from './atecc608-commands.mjs';

export const ATECC608_ADDRESS = 0x60;

/** Shortest time for which the data line has to be low to wake the device. */
const WAKE_LOW_NANOS = 60e3;
/** From then until it can be spoken to. */
const WAKE_DELAY_NANOS = 1.5e6;
/** Typical; the datasheet allows 0.7 to 1.7 seconds. */
const WATCHDOG_NANOS = 1.3e9;

const [RESET_POINTER, SLEEP, IDLE, COMMAND] = [0x00, 0x01, 0x02, 0x03];
const STATUS_AWAKE = 0x11;
const STATUS_BAD_CRC = 0xff;

/**
 * @typedef {import('./atecc608-commands.mjs').Chip} Chip
 * @typedef {import('./i2cbus.mjs').I2cDevice} Device
 */

/** @implements {Device} */
export class Atecc608 {
  /** Makes the device not acknowledge anything, as a damaged one or a bad solder joint does. */
  refuses = false;

  /** Every command executed: its opcode and status. @type {{ opcode: number, mode: number, status: number }[]} */
  commands = [];

  /** @type {'asleep' | 'idle' | 'awake'} */
  #state = 'asleep';
  #wokenAt = 0;
  #readyAt = 0;
  #wordAddress = -1;
  /** @type {number[]} */
  #input = [];
  #output = Uint8Array.of();
  #outputPosition = 0;

  /**
   * @param {() => number} now simulated nanoseconds since some fixed moment
   * @param {Partial<Chip>} [contents] keys, locks and identity; a device that is configured and locked by default
   */
  constructor(now, contents = {}) {
    this.now = now;
    /** @type {Chip} */
    this.chip = {
      serial: Buffer.from('0123c6f0a1b2d4eeee', 'hex'),
      revision: Buffer.from('00006002', 'hex'),
      keys: new Map(),
      counters: [0, 0],
      configLocked: true,
      dataLocked: true,
      sha: null,
      ...contents,
    };
  }

  /** @returns {'asleep' | 'idle' | 'awake'} */
  get state() {
    this.#checkWatchdog();
    return this.#state;
  }

  /** Supply lost and back: asleep, nothing volatile left. */
  losePower() {
    this.#sleep();
  }

  /** @param {number} nanos */
  dataLow(nanos) {
    if (nanos < WAKE_LOW_NANOS || this.state === 'awake') return;
    this.#state = 'awake';
    this.#wokenAt = this.now();
    this.#readyAt = this.#wokenAt + WAKE_DELAY_NANOS;
    this.#answer(Uint8Array.of(STATUS_AWAKE));
  }

  /** @param {boolean} read */
  start(read) {
    if (this.refuses || this.state !== 'awake' || this.now() < this.#readyAt) return false;
    if (!read) {
      this.#wordAddress = -1;
      this.#input = [];
    }
    return true;
  }

  /** @param {number} byte */
  write(byte) {
    if (this.#wordAddress < 0) this.#wordAddress = byte;
    else this.#input.push(byte);
    return true;
  }

  read() {
    return this.#output[this.#outputPosition++] ?? 0xff;
  }

  stop() {
    const wordAddress = this.#wordAddress;
    this.#wordAddress = -1;
    if (wordAddress === RESET_POINTER) this.#outputPosition = 0;
    if (wordAddress === SLEEP) this.#sleep();
    if (wordAddress === IDLE) this.#state = 'idle';
    if (wordAddress === COMMAND) this.#command(Uint8Array.from(this.#input));
  }

  /** @param {Uint8Array} packet count, opcode, param1, param2 (2), data, CRC (2) */
  #command(packet) {
    const count = packet[0] ?? 0;
    const body = packet.subarray(0, count - 2);
    if (count < 7 || packet.length < count || !crc16(body).equals(packet.subarray(count - 2, count))) {
      this.#answer(Uint8Array.of(STATUS_BAD_CRC));
      return;
    }
    const [, opcode, mode] = body;
    const param2 = body[3] | (body[4] << 8);
    const { output, nanos } = execute(this.chip, { opcode, mode, param2, data: Buffer.from(body.subarray(5)) });
    this.commands.push({ opcode, mode, status: output.length === 1 ? output[0] : 0 });
    this.#readyAt = this.now() + nanos;
    this.#answer(output);
  }

  /** @param {Uint8Array} body */
  #answer(body) {
    const group = Buffer.from([body.length + 3, ...body]);
    this.#output = Buffer.concat([group, crc16(group)]);
    this.#outputPosition = 0;
  }

  #checkWatchdog() {
    if (this.#state === 'awake' && this.now() - this.#wokenAt >= WATCHDOG_NANOS) this.#sleep();
  }

  #sleep() {
    this.#state = 'asleep';
    this.chip.sha = null;
    this.#output = Uint8Array.of();
  }
}

/**
 * CRC-16 of the packet: polynomial 0x8005, initial value 0, bits of each byte from the least significant, result sent
 * low byte first.
 * @param {Uint8Array} bytes
 */
export function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const feedback = ((byte >> bit) & 1) ^ (crc >> 15);
      crc = ((crc << 1) & 0xffff) ^ (feedback ? 0x8005 : 0);
    }
  }
  return Buffer.of(crc & 0xff, crc >> 8);
}
