/**
 * Simulated time of one machine: counted from core cycles while the core runs, jumped over while it sleeps.
 *
 * It stands in for rp2040js's own clock, which has to be ticked after every instruction. The running loop here compares
 * the cycle counter with `limit` instead, and the time is computed only when something asks for it.
 */

/**
 * @typedef {import('rp2040js').RP2040['clock']} Clock the interface that rp2040js expects
 * @typedef {ReturnType<Clock['createAlarm']>} AlarmInterface
 */

/**
 * A moment at which a callback runs.
 * @implements {AlarmInterface}
 */
class Alarm {
  /** In nanoseconds. */
  due = 0;

  /**
   * @param {SimulatedClock} clock
   * @param {() => void} callback
   */
  constructor(clock, callback) {
    this.clock = clock;
    this.callback = callback;
  }

  /**
   * Runs the callback once after so many nanoseconds; replaces an earlier schedule.
   * @param {number} delay
   */
  schedule(delay) {
    this.clock.insert(this, this.clock.nanos + delay);
  }

  cancel() {
    this.clock.remove(this);
  }
}

/** @implements {Clock} */
export class SimulatedClock {
  /** Cycle count at which the running loop has to call `fire`. */
  limit = 0;

  /** The core whose `cycles` count; set as soon as there is one. */
  core = { cycles: 0 };

  #nanosPerCycle = 8;
  #nanos = 0;
  #cycles = 0;
  #horizon = Infinity;

  /** The moment of the alarm that runs now. @type {number | undefined} */
  #firing;

  /** Scheduled alarms, the earliest first; equal ones in the order of scheduling. @type {Alarm[]} */
  #queue = [];

  /** Nanoseconds since power-on. */
  get nanos() {
    return this.#firing ?? this.#nanos + (this.core.cycles - this.#cycles) * this.#nanosPerCycle;
  }

  /** Sets the core's frequency in Hz. */
  set frequency(/** @type {number} */ hertz) {
    this.#rebase(this.nanos);
    this.#nanosPerCycle = 1e9 / hertz;
    this.#setLimit();
  }

  /** Limits how far time runs before `limit` is reached, in nanoseconds since power-on. */
  set horizon(/** @type {number} */ nanos) {
    this.#horizon = nanos;
    this.#setLimit();
  }

  /** @param {() => void} callback */
  createAlarm(callback) {
    return new Alarm(this, callback);
  }

  /**
   * @param {Alarm} alarm
   * @param {number} due in nanoseconds
   */
  insert(alarm, due) {
    this.remove(alarm);
    alarm.due = due;
    let index = this.#queue.length;
    while (index > 0 && this.#queue[index - 1].due > due) index--;
    this.#queue.splice(index, 0, alarm);
    this.#setLimit();
  }

  /** @param {Alarm} alarm */
  remove(alarm) {
    const index = this.#queue.indexOf(alarm);
    if (index >= 0) this.#queue.splice(index, 1);
  }

  /** Lets a sleeping core's time pass: to the next alarm, or to the horizon. */
  sleep() {
    this.#rebase(Math.max(this.nanos, Math.min(this.#queue[0]?.due ?? Infinity, this.#horizon)));
    this.#setLimit();
  }

  /**
   * Lets time pass while the core is held, as in a boot ROM routine; alarms on the way run in time.
   * @param {number} nanos
   */
  hold(nanos) {
    const end = this.nanos + nanos;
    while (this.#queue.length > 0 && this.#queue[0].due <= end) {
      this.#rebase(Math.max(this.nanos, this.#queue[0].due));
      this.fire();
    }
    this.#rebase(end);
    this.#setLimit();
  }

  /** Runs every alarm that is due. */
  fire() {
    const now = this.nanos;
    for (let alarm = this.#queue[0]; alarm && alarm.due <= now; alarm = this.#queue[0]) {
      this.#queue.shift();
      this.#firing = alarm.due;
      try {
        alarm.callback();
      } finally {
        this.#firing = undefined;
      }
    }
    this.#setLimit();
  }

  /** @param {number} nanos */
  #rebase(nanos) {
    this.#nanos = nanos;
    this.#cycles = this.core.cycles;
  }

  #setLimit() {
    const next = Math.min(this.#queue[0]?.due ?? Infinity, this.#horizon);
    this.limit = this.#cycles + (next - this.#nanos) / this.#nanosPerCycle;
  }
}
