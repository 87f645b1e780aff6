/**
 * The CYW43439's host interface: gSPI, whose one data line carries commands to the chip and answers back.
 *
 * CYW43362 datasheet 4.2.1, of an older chip with this interface (the CYW43439's own was not at hand): a command of 32 bits (write,
 * increment, function, address of 17 bits, length in bytes of 11 bits), then data, of function 1 at most 64 bytes; either side samples a
 * bit at the clock's rising edge, so here it is put out at the falling one; a status can end every transfer. Infineon Wi-Fi Host
 * Driver 5.3 (`whd_bus_spi_protocol.c`, its header, `whd_spi.h`) and the crate cyw43 0.7 (`spi.rs`) send such commands; after power-on
 * in words of 16 bits, the lower half of 32 first; they expect padding before what function 1 answers, and enable the status by a bit.
 * That a word has its high bit first, and the status is one word: the crate cyw43-pio 0.10. Not modelled: big-endian words, a fixed
 * address, a length of 0, which stands for 2048, transfers that are cut short, and whatever the high-speed mode changes.
 */

const WORD_BITS = 32;
/** Bytes of one transfer of function 1. */
const LONGEST_OF_1 = 64;

/**
 * @typedef {object} GspiDevice
 * @property {(area: number, address: number, length: number) => Uint8Array} read
 * @property {(area: number, address: number, bytes: Uint8Array) => void} write
 * @property {() => { halves: boolean, status: number | null, padding: number }} mode whether words have 16 bits, what the status
 *   word is, if there is one, and the words of padding before what function 1 answers
 */

export class Gspi {
  /** The level that the chip puts on the data line in a transfer. */
  level = false;

  /** Whether the select pin is low. */
  selected = false;

  #clock = false;
  #word = 0;
  #bits = 0;
  /** @type {{ area: number, address: number, length: number } | null} */
  #writing = null;
  /** @type {number[]} */
  #received = [];
  /** What is sent from now on; null as long as the host sends. @type {number[] | null} */
  #answer = null;

  /** @param {GspiDevice} device */
  constructor(device) {
    this.device = device;
  }

  /** The level of the select pin; low begins a transfer. @param {boolean} level */
  setSelect(level) {
    this.selected = !level;
    this.#bits = 0;
    this.#writing = null;
    this.#received = [];
    this.#answer = null;
    this.level = false;
  }

  /**
   * The level of the clock pin, with that of the data line if the host drives it.
   * @param {boolean} clock
   * @param {boolean} data
   */
  setClock(clock, data) {
    if (clock === this.#clock) return;
    this.#clock = clock;
    if (!this.selected) return;
    if (clock && this.#answer === null) this.#take(data);
    else if (!clock && this.#answer !== null) this.#put(this.#answer);
  }

  /** @param {boolean} data */
  #take(data) {
    this.#word = (this.#word << 1) | Number(data);
    this.#bits += 1;
    if (this.#bits < WORD_BITS) return;
    this.#bits = 0;
    const { halves } = this.device.mode();
    const word = (halves ? swapHalves(this.#word) : this.#word) >>> 0;
    if (this.#writing === null) this.#command(word);
    else this.#write(this.#writing, word);
  }

  /** @param {number[]} answer */
  #put(answer) {
    if (this.#bits === 0) this.#word = answer.shift() ?? 0;
    this.level = (this.#word & 0x80000000) !== 0;
    this.#word <<= 1;
    this.#bits = (this.#bits + 1) % WORD_BITS;
  }

  /** @param {number} word */
  #command(word) {
    const [area, address, length] = [(word >>> 28) & 3, (word >>> 11) & 0x1ffff, word & 0x7ff];
    if (length === 0 || (area === 1 && length > LONGEST_OF_1)) throw new Error(`CYW43: ${length} bytes of function ${area} at once`);
    if ((word & 0x40000000) === 0) throw new Error('CYW43: a fixed address is not modelled');
    if (word >>> 31) {
      this.#writing = { area, address, length };
      return;
    }
    const padding = area === 1 ? new Array(this.device.mode().padding).fill(0) : [];
    this.#send([...padding, ...toWords(this.device.read(area, address, length))]);
  }

  /** @param {{ area: number, address: number, length: number }} writing @param {number} word */
  #write({ area, address, length }, word) {
    this.#received.push(word);
    if (this.#received.length * 4 < length) return;
    // How the answer is sent is as it was before this took effect.
    const { halves } = this.device.mode();
    this.device.write(area, address, toBytes(this.#received).subarray(0, length));
    this.#send([], halves);
  }

  /** @param {number[]} words @param {boolean} [halves] */
  #send(words, halves = this.device.mode().halves) {
    const { status } = this.device.mode();
    const all = status === null ? words : [...words, status];
    this.#answer = halves ? all.map(swapHalves) : all;
  }
}

/** @param {number} word */
function swapHalves(word) {
  return ((word << 16) | (word >>> 16)) >>> 0;
}

/** @param {Uint8Array} bytes @returns {number[]} */
function toWords(bytes) {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  return Array.from({ length: padded.length / 4 }, (_, index) => view.getUint32(4 * index, true));
}

/** @param {number[]} words @returns {Uint8Array} */
function toBytes(words) {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(4 * index, word, true));
  return bytes;
}
