/**
 * The far end of a UART: collects what the firmware writes, sends what the test types.
 *
 * PL011, RP2040 datasheet section 4.2: a receive FIFO of 32 bytes; a byte that arrives while it is full is lost. Bytes
 * arrive at the baud rate that the firmware has set; bytes that it sends take no time.
 */

/**
 * @typedef {{ enabled: boolean, baudRate: number, rxFIFO: { full: boolean }, onByte?: (value: number) => void,
 *   feedByte(value: number): void }} Uart
 */

const BITS_PER_BYTE = 10;

/** One serial line; outlives the machines that it is attached to. */
export class SerialLine {
  /** Everything received so far, as Latin-1 text. */
  text = '';

  /** Bytes lost because the firmware did not take them in time, or was not listening. */
  lost = 0;

  /** Called with each received byte. @type {((byte: number) => void) | null} */
  onByte = null;

  /** @type {number[]} */
  #pending = [];

  /** @type {{ schedule(nanos: number): void } | null} */
  #alarm = null;

  /** @type {Uart | null} */
  #uart = null;

  /** `lines` as it was asked for last: that is often. @type {{ text: string, lines: string[] }} */
  #split = { text: '', lines: [] };

  /**
   * @param {import('./machine.mjs').Machine} machine
   * @param {number} index of the UART
   */
  attach(machine, index) {
    const uart = /** @type {Uart} */ (/** @type {unknown} */ (machine.mcu.uart[index]));
    uart.onByte = (byte) => {
      this.text += String.fromCharCode(byte);
      this.onByte?.(byte);
    };
    this.#uart = uart;
    this.#alarm = machine.clock.createAlarm(() => this.#deliver());
    if (this.#pending.length > 0) this.#alarm.schedule(this.#byteNanos);
  }

  /** Whole lines received so far, without their ends. */
  get lines() {
    if (this.#split.text !== this.text) this.#split = { text: this.text, lines: this.text.split(/\r?\n/).slice(0, -1) };
    return this.#split.lines;
  }

  /**
   * Queues bytes to be sent to the firmware.
   * @param {string | Uint8Array} data text is sent as UTF-8
   */
  send(data) {
    const idle = this.#pending.length === 0;
    this.#pending.push(...Buffer.from(data));
    if (idle && this.#pending.length > 0) this.#alarm?.schedule(this.#byteNanos);
  }

  get #byteNanos() {
    const baudRate = this.#uart?.enabled ? this.#uart.baudRate : 115200;
    return (BITS_PER_BYTE * 1e9) / baudRate;
  }

  #deliver() {
    const byte = this.#pending.shift();
    const uart = this.#uart;
    if (byte === undefined || uart === null) return;
    if (uart.enabled && !uart.rxFIFO.full) uart.feedByte(byte);
    else this.lost += 1;
    if (this.#pending.length > 0) this.#alarm?.schedule(this.#byteNanos);
  }
}
