/**
 * An I2C bus between the RP2040 and simulated chips, in simulated time.
 *
 * NXP UM10204 revision 7, section 3.1.5 (byte format), 3.1.6 (acknowledge). Each byte takes nine clock periods of the
 * length that the firmware has set. A bus also tells its chips for how long the data line was low in a byte, which is
 * what wakes an ATECC608; runs of zeros from one byte into the next are not added up.
 *
 * A chip that was interrupted may hold the data line low (section 3.1.16): from then on nothing on the bus ever ends. The
 * level on the pin itself is the test's to drive.
 */

import { I2CMode } from 'rp2040js';

/**
 * @typedef {object} I2cDevice a chip on the bus
 * @property {(read: boolean) => boolean} start it is addressed; returns whether it acknowledges
 * @property {(byte: number) => boolean} write a byte for it; returns whether it acknowledges
 * @property {() => number} read the next byte out of it
 * @property {() => void} stop the transfer is over, or a new one begins
 * @property {(nanos: number) => void} [dataLow] the data line was low for so long
 */

const BITS_PER_BYTE = 9;

export class I2cBus {
  /** Chips by 7-bit address; change it to take a chip away. @type {Map<number, I2cDevice>} */
  devices = new Map();

  /** @type {I2cDevice | null} */
  #addressed = null;

  /** How many more bytes and conditions end until a chip holds the bus. */
  #endsLeft = Infinity;

  /** Has a chip hold the bus after so many more bytes and conditions. @param {number} count */
  holdAfter(count) {
    this.#endsLeft = count;
  }

  /** Whether a chip holds the bus. */
  get held() {
    return this.#endsLeft === 0;
  }

  /** The bus is free again. */
  release() {
    this.#endsLeft = Infinity;
  }

  /**
   * @param {import('./machine.mjs').Machine} machine
   * @param {number} index of the RP2040's I2C block
   */
  attach(machine, index) {
    const i2c = machine.mcu.i2c[index];
    this.#addressed = null;
    let next = () => {};
    const alarm = machine.clock.createAlarm(() => {
      if (this.held) return;
      this.#endsLeft -= 1;
      if (!this.held) next();
    });
    const bitNanos = () => ((i2c.sclLowPeriod + i2c.sclHighPeriod) * 1e9) / machine.mcu.clkSys;
    const after = (/** @type {number} */ bits, /** @type {() => void} */ action) => {
      next = action;
      alarm.schedule(bits * bitNanos());
    };

    i2c.onStart = () => after(1, () => i2c.completeStart());
    i2c.onConnect = (address, mode) => {
      const read = mode === I2CMode.Read;
      after(BITS_PER_BYTE, () => {
        const acknowledged = this.#start(address, read);
        this.#dataLow((address << 1) | Number(read), acknowledged, bitNanos());
        i2c.completeConnect(acknowledged);
      });
    };
    i2c.onWriteByte = (byte) => {
      after(BITS_PER_BYTE, () => {
        const acknowledged = this.#addressed?.write(byte) ?? false;
        this.#dataLow(byte, acknowledged, bitNanos());
        i2c.completeWrite(acknowledged);
      });
    };
    i2c.onReadByte = (acknowledged) => {
      after(BITS_PER_BYTE, () => {
        const byte = this.#addressed?.read() ?? 0xff;
        this.#dataLow(byte, acknowledged, bitNanos());
        i2c.completeRead(byte);
      });
    };
    i2c.onStop = () => {
      after(1, () => {
        this.#stop();
        i2c.completeStop();
      });
    };
  }

  /**
   * @param {number} address
   * @param {boolean} read
   */
  #start(address, read) {
    this.#stop();
    const device = this.devices.get(address);
    if (device === undefined || !device.start(read)) return false;
    this.#addressed = device;
    return true;
  }

  #stop() {
    this.#addressed?.stop();
    this.#addressed = null;
  }

  /**
   * @param {number} byte
   * @param {boolean} acknowledged
   * @param {number} bitNanos
   */
  #dataLow(byte, acknowledged, bitNanos) {
    const bits = byte.toString(2).padStart(8, '0') + (acknowledged ? '0' : '1');
    const longest = Math.max(...bits.split('1').map((run) => run.length));
    for (const device of this.devices.values()) device.dataLow?.(longest * bitNanos);
  }
}
