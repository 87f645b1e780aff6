/**
 * DS3231 real-time clock, on simulated time.
 *
 * Maxim DS3231 datasheet revision 10 (19-5170): figure 1 (registers), "Clock and Calendar" (BCD, 12/24 hours, century
 * bit, buffered reads, countdown chain), "Control Register (0Eh)", "Status Register (0Fh)", "Aging Offset (10h)",
 * "Temperature Registers (11h-12h)", "Power-On Reset". Alarm registers are stored; their matching and the square wave
 * are not modelled.
 */

export const DS3231_ADDRESS = 0x68;

const REGISTERS = 0x13;
const TIME_REGISTERS = 7;
const [CONTROL, STATUS, AGING, TEMPERATURE] = [0x0e, 0x0f, 0x10, 0x11];
const [CONVERT, ALARM_INTERRUPTS] = [0x20, 0x03];
const [OSCILLATOR_STOPPED, ENABLE_32KHZ, ALARM_FLAGS] = [0x80, 0x08, 0x03];
const TWELVE_HOURS = 0x40;
const AFTERNOON = 0x20;
const CENTURY = 0x80;

/** Typical change of frequency per unit of the aging offset, at 25 °C. */
const AGING_PPM = -0.1;

const YEAR_2000 = Date.UTC(2000, 0, 1);
const DAY_MILLIS = 86_400_000;

const toBcd = (/** @type {number} */ value) => ((value / 10) << 4) | value % 10;
const fromBcd = (/** @type {number} */ value) => (value >> 4) * 10 + (value & 0xf);

/** @implements {Device} @typedef {import('./i2cbus.mjs').I2cDevice} Device */
export class Ds3231 {
  /** How much faster than simulated time the crystal runs, in parts per million, before any aging offset. */
  driftPpm = 0;

  #registers = new Uint8Array(REGISTERS);
  #pointer = 0;
  #expectPointer = false;
  #timeWritten = new Set();

  /** Milliseconds since 1970 on this clock at the moment `#setAt`. */
  #millis = YEAR_2000;
  #setAt = 0;

  /** Day-of-week register minus days since 2000, modulo 7. */
  #dayOffset = 0;
  #twelveHours = false;

  /** @param {() => number} now simulated nanoseconds since some fixed moment */
  constructor(now) {
    this.now = now;
    this.losePower();
  }

  /** Supply and battery fail together: the time is gone, and the oscillator-stop flag says so. */
  losePower() {
    this.#registers.fill(0);
    this.#registers[CONTROL] = 0x1c;
    this.#registers[STATUS] = OSCILLATOR_STOPPED | ENABLE_32KHZ;
    this.#registers[TEMPERATURE] = 25;
    this.#setTime(YEAR_2000);
    this.#dayOffset = 1;
    this.#twelveHours = false;
  }

  /**
   * Sets the clock as a technician would, and clears the oscillator-stop flag.
   * @param {Date} time
   */
  set(time) {
    this.#setTime(time.getTime());
    this.#registers[STATUS] &= ~OSCILLATOR_STOPPED;
  }

  /** What the clock shows. */
  get time() {
    return new Date(this.#read());
  }

  /** Whether the oscillator-stop flag is set. */
  get stopped() {
    return (this.#registers[STATUS] & OSCILLATOR_STOPPED) !== 0;
  }

  /** @param {boolean} read */
  start(read) {
    this.#expectPointer = !read;
    this.#latch();
    return true;
  }

  /** @param {number} byte */
  write(byte) {
    if (this.#expectPointer) {
      this.#expectPointer = false;
      this.#pointer = byte % REGISTERS;
    } else {
      this.#writeRegister(this.#pointer, byte);
      this.#advance();
    }
    return true;
  }

  read() {
    const value = this.#registers[this.#pointer];
    this.#advance();
    return value;
  }

  stop() {
    if (this.#timeWritten.size > 0) this.#applyTime();
    this.#timeWritten.clear();
  }

  #advance() {
    this.#pointer = (this.#pointer + 1) % REGISTERS;
    if (this.#pointer === 0) this.#latch();
  }

  /** @param {number} register @param {number} value */
  #writeRegister(register, value) {
    const r = this.#registers;
    if (register < TIME_REGISTERS) {
      r[register] = value;
      this.#timeWritten.add(register);
    } else if (register === CONTROL) {
      if (value & ALARM_INTERRUPTS) throw new Error('DS3231: alarms are not modelled, but one is enabled');
      r[CONTROL] = value & ~CONVERT;
    } else if (register === STATUS) {
      // The oscillator-stop and alarm flags can be cleared, not set.
      const flags = r[STATUS] & value & (OSCILLATOR_STOPPED | ALARM_FLAGS);
      r[STATUS] = flags | (value & ENABLE_32KHZ);
    } else if (register === AGING) {
      this.#setTime(this.#read());
      r[AGING] = value;
    } else if (register < TEMPERATURE) {
      r[register] = value;
    }
  }

  get #rate() {
    const aging = (this.#registers[AGING] << 24) >> 24;
    return 1 + (this.driftPpm + AGING_PPM * aging) * 1e-6;
  }

  #read() {
    return this.#millis + ((this.now() - this.#setAt) / 1e6) * this.#rate;
  }

  /** @param {number} millis */
  #setTime(millis) {
    this.#millis = millis;
    this.#setAt = this.now();
  }

  /** Copies the running time to the registers that are read, as a START does. */
  #latch() {
    const millis = this.#read();
    const date = new Date(millis);
    const days = Math.floor((millis - YEAR_2000) / DAY_MILLIS);
    const hours = date.getUTCHours();
    const hourRegister = this.#twelveHours
      ? TWELVE_HOURS | (hours >= 12 ? AFTERNOON : 0) | toBcd(hours % 12 || 12)
      : toBcd(hours);
    const century = date.getUTCFullYear() >= 2100 ? CENTURY : 0;
    this.#registers.set([
      toBcd(date.getUTCSeconds()),
      toBcd(date.getUTCMinutes()),
      hourRegister,
      (((days + this.#dayOffset - 1) % 7) + 7) % 7 + 1,
      toBcd(date.getUTCDate()),
      toBcd(date.getUTCMonth() + 1) | century,
      toBcd(date.getUTCFullYear() % 100),
    ]);
  }

  /** Takes written time registers over; those that were not written keep running values. */
  #applyTime() {
    const [seconds, minutes, hourRegister, day, date, monthRegister, year] = this.#registers;
    this.#twelveHours = (hourRegister & TWELVE_HOURS) !== 0;
    const hours = this.#twelveHours
      ? (fromBcd(hourRegister & 0x1f) % 12) + (hourRegister & AFTERNOON ? 12 : 0)
      : fromBcd(hourRegister & 0x3f);
    const fullYear = 2000 + fromBcd(year) + (monthRegister & CENTURY ? 100 : 0);
    const fields = [fullYear, fromBcd(monthRegister & 0x1f) - 1, fromBcd(date), hours, fromBcd(minutes), fromBcd(seconds)];
    const millis = Date.UTC(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
    const back = new Date(millis);
    if (back.getUTCMonth() !== fields[1] || back.getUTCHours() !== hours || back.getUTCSeconds() !== fields[5]) {
      throw new Error(`DS3231: no such time: ${fields.join(' ')}, which leaves the chip undefined`);
    }
    // Writing the seconds restarts the countdown chain; otherwise the fraction of a second runs on.
    const fraction = this.#timeWritten.has(0) ? 0 : ((this.#read() % 1000) + 1000) % 1000;
    this.#setTime(millis + fraction);
    this.#dayOffset = day - Math.floor((millis - YEAR_2000) / DAY_MILLIS);
  }
}
