/**
 * The commands of an ATECC608 that a gateway uses: Info, Random, Counter, SHA with an HMAC key slot, Read, Write, Lock.
 *
 * Microchip ATECC608A-TFLXTLS datasheet (DS40002138A), section 6.3 (status codes) and 7 (commands); execution times are
 * the limits of Microchip's cryptoauthlib for the ATECC608-M1. A command that is not modelled is an error of the test,
 * not a status of the chip.
 */

import { createHash, createHmac, randomBytes } from 'node:crypto';

export const Status = Object.freeze({ success: 0x00, parseError: 0x03, executionError: 0x0f });

const MILLIS = 1e6;
const COUNTER_LIMIT = 2_097_151;
const KEY_BYTES = 32;
const SHA_BLOCK_BYTES = 64;
const [CONFIG_ZONE, DATA_ZONE] = [0, 2];
const THIRTY_TWO_BYTES = 0x80;

/**
 * @typedef {object} Chip what the device holds
 * @property {Buffer} serial 9 bytes
 * @property {Buffer} revision 4 bytes
 * @property {Map<number, Buffer>} keys 32 bytes each, by slot
 * @property {number[]} counters two
 * @property {boolean} configLocked
 * @property {boolean} dataLocked
 * @property {{ slot: number | null, message: Buffer } | null} sha the running SHA or HMAC
 *
 * @typedef {object} Command
 * @property {number} opcode
 * @property {number} mode param1
 * @property {number} param2
 * @property {Buffer} data
 *
 * @typedef {(chip: Chip, command: Command) => Uint8Array | number} Execute returns data, or a status
 */

/** @type {Record<number, { name: string, millis: number, run: Execute }>} */
const COMMANDS = {
  0x02: { name: 'Read', millis: 5, run: read },
  0x12: { name: 'Write', millis: 45, run: write },
  0x17: { name: 'Lock', millis: 35, run: lock },
  0x1b: { name: 'Random', millis: 23, run: random },
  0x24: { name: 'Counter', millis: 25, run: counter },
  0x30: { name: 'Info', millis: 5, run: info },
  0x47: { name: 'SHA', millis: 42, run: sha },
};

const SHA = 0x47;

/**
 * Executes a command whose packet has been found intact.
 * @param {Chip} chip
 * @param {Command} command
 * @returns {{ output: Uint8Array, nanos: number }} the answer, and the time until it can be read
 */
export function execute(chip, command) {
  const known = COMMANDS[command.opcode];
  if (known === undefined) throw new Error(`ATECC608: opcode 0x${command.opcode.toString(16)} is not modelled`);
  // Any other command takes the memory in which a SHA is running.
  if (command.opcode !== SHA) chip.sha = null;
  const result = known.run(chip, command);
  return { output: typeof result === 'number' ? Uint8Array.of(result) : result, nanos: known.millis * MILLIS };
}

/** @type {Execute} */
function info(chip, { mode, param2 }) {
  if (mode !== 0 || param2 !== 0) throw new Error(`ATECC608: Info mode ${mode} is not modelled`);
  return chip.revision;
}

/** @type {Execute} */
function random(chip, { mode, param2 }) {
  if (mode > 1 || param2 !== 0) return Status.parseError;
  // Until its configuration is locked the generator gives a fixed pattern.
  return chip.configLocked ? randomBytes(32) : Buffer.from('ffff0000'.repeat(8), 'hex');
}

/** @type {Execute} */
function counter(chip, { mode, param2 }) {
  if (mode > 1 || param2 > 1) return Status.parseError;
  if (mode === 1) {
    if (chip.counters[param2] >= COUNTER_LIMIT) return Status.executionError;
    chip.counters[param2] += 1;
  }
  const value = Buffer.alloc(4);
  value.writeUInt32LE(chip.counters[param2]);
  return value;
}

/** @type {Execute} */
function sha(chip, { mode, param2, data }) {
  switch (mode & 0x07) {
    case 0: // start a SHA-256
      if (data.length > 0) return Status.parseError;
      chip.sha = { slot: null, message: Buffer.alloc(0) };
      return Status.success;
    case 4: // start an HMAC with the key of a slot
      if (data.length > 0 || param2 > 15) return Status.parseError;
      if (!chip.configLocked || !chip.keys.has(param2)) return Status.executionError;
      chip.sha = { slot: param2, message: Buffer.alloc(0) };
      return Status.success;
    case 1: // update by one block
      if (param2 !== SHA_BLOCK_BYTES || data.length !== SHA_BLOCK_BYTES) return Status.parseError;
      if (chip.sha === null) return Status.executionError;
      chip.sha.message = Buffer.concat([chip.sha.message, data]);
      return Status.success;
    case 2: { // end with less than a block
      if (param2 >= SHA_BLOCK_BYTES || data.length !== param2) return Status.parseError;
      if (chip.sha === null) return Status.executionError;
      const { slot, message } = chip.sha;
      chip.sha = null;
      const whole = Buffer.concat([message, data]);
      if (slot === null) return createHash('sha256').update(whole).digest();
      return createHmac('sha256', /** @type {Buffer} */ (chip.keys.get(slot))).update(whole).digest();
    }
    case 5: // HMAC end of the ATECC508A, which this device has not
      return Status.parseError;
    default:
      throw new Error(`ATECC608: SHA mode ${mode} is not modelled`);
  }
}

/** @type {Execute} */
function read(chip, { mode, param2 }) {
  const zone = mode & 0x03;
  if (zone === DATA_ZONE) return Status.executionError; // key slots are secret
  if (zone !== CONFIG_ZONE) throw new Error(`ATECC608: reading zone ${zone} is not modelled`);
  const config = configZone(chip);
  const [start, length] = mode & THIRTY_TWO_BYTES ? [(param2 >> 3) * 32, 32] : [param2 * 4, 4];
  return start + length <= config.length ? config.subarray(start, start + length) : Status.parseError;
}

/** @type {Execute} */
function write(chip, { mode, param2, data }) {
  if (mode !== (DATA_ZONE | THIRTY_TWO_BYTES)) throw new Error(`ATECC608: Write mode 0x${mode.toString(16)} is not modelled`);
  const [slot, block] = [(param2 >> 3) & 0x0f, param2 >> 8];
  if (data.length !== KEY_BYTES || block !== 0) return Status.parseError;
  if (!chip.configLocked || chip.dataLocked) return Status.executionError;
  chip.keys.set(slot, Buffer.from(data));
  return Status.success;
}

/** @type {Execute} */
function lock(chip, { mode }) {
  if ((mode & 0x80) === 0) throw new Error('ATECC608: Lock with a checksum is not modelled');
  const zone = mode & 0x03;
  if (zone > 1) return Status.parseError;
  if (zone === 0 ? chip.configLocked : chip.dataLocked || !chip.configLocked) return Status.executionError;
  if (zone === 0) chip.configLocked = true;
  else chip.dataLocked = true;
  return Status.success;
}

/** The configuration zone's bytes that identify the chip and its state; the rest reads zero. @param {Chip} chip */
function configZone(chip) {
  const zone = Buffer.alloc(128);
  chip.serial.copy(zone, 0, 0, 4);
  chip.revision.copy(zone, 4);
  chip.serial.copy(zone, 8, 4, 9);
  zone[16] = 0xc0;
  zone[86] = chip.dataLocked ? 0x00 : 0x55;
  zone[87] = chip.configLocked ? 0x00 : 0x55;
  return zone;
}
