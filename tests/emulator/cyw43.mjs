/**
 * Infineon CYW43439 radio: the chip without its firmware, as a driver on gSPI sees it. `cyw43-gspi.mjs` is the bus,
 * `cyw43-firmware.mjs` what Infineon's firmware says and does once it runs.
 *
 * Infineon's Wi-Fi Host Driver 5.3 has the registers of function 0 and the bits of the status word (`whd_spi.h`), those of function 1
 * (`whd_sdio.h`), and the backplane's addresses (`whd_chip_reg.h`, `whd_chip.c`, `whd_chip_constants.c`); the crate cyw43 0.7
 * repeats them in `consts.rs` and `lib.rs`, and has the 29 ms until the fast clock runs (`runner.rs`). Between transfers the crate
 * cyw43-pio 0.10 waits for the interrupt on the data line, where the Pico W has it. The 150 ms without an answer after power-up are
 * what the CYW43438 datasheet, 22.1, asks of hosts on SDIO; the crate waits for 250. The CYW43439's own datasheet was not at hand.
 * Not modelled: Bluetooth, sleep, errors on the bus, the processor: what was loaded is kept and counts as firmware if it has a first
 * word and the length of the board's values is at its end.
 */

import { Gspi } from './cyw43-gspi.mjs';
import { WlanFirmware } from './cyw43-firmware.mjs';

const BUS = { CONTROL: 0x00, STATUS_ENABLE: 0x02, INTERRUPT: 0x04, INTERRUPT_ENABLE: 0x06, STATUS: 0x08, TEST_READ: 0x14, DELAY: 0x1d };
const [WORD_LENGTH_32, BIG_ENDIAN, INTERRUPT_HIGH] = [0x01, 0x02, 0x20];
const TEST_PATTERN = 0xfeedbead;
const STATUS = { F2_RX_READY: 0x20, F2_PACKET: 0x100, F2_LENGTH_SHIFT: 9 };
const F2_PACKET_AVAILABLE = 0x20;

/** Function 1's own registers; below them is a window to the backplane. */
const WINDOW = { LOW: 0x1000a, MID: 0x1000b, HIGH: 0x1000c };
const [WATERMARK, CLOCK, PULL_UP] = [0x10008, 0x1000e, 0x1000f];
/** The bit above is the driver's wish for an access of 32 bits. */
const WINDOW_MASK = 0x7fff;
const [ALP_REQUEST, ALP_AVAILABLE, HT_AVAILABLE] = [0x08, 0x40, 0x80];

const CHIP_COMMON = 0x18000000;
const CHIP_ID = 43439;
const RAM_BYTES = 512 * 1024;
const [BANK_INDEX, BANK_POWER, HOST_INTERRUPT_MASK] = [0x18004010, 0x18004044, 0x18002024];
const [WLAN_CORE, RAM_CORE] = [0x18103000, 0x18104000];
const [CORE_CONTROL, CORE_RESET] = [0x408, 0x800];
const CORE_CLOCK = 0x01;

const MILLISECOND = 1e6;
const [POWER_UP, HT_START] = [150 * MILLISECOND, 29 * MILLISECOND];

export class Cyw43 {
  /** Called with each frame that is sent into the air. @type {(frame: Uint8Array) => void} */
  onFrame = () => {};

  /** Called when the chip changes the level of the data line, which is its interrupt between transfers. */
  onData = () => {};

  /** Whether the chip answers at all. */
  answers = true;

  /** Whether firmware that was loaded starts; `'half'`: but never takes packets. @type {boolean | 'half'} */
  starts = true;

  /** What was loaded. */
  ram = new Uint8Array(RAM_BYTES);

  /** @type {import('./cyw43-air.mjs').AccessPoint[]} */
  air = [];

  #powered = false;
  #poweredAt = 0;
  #level = false;
  #bus = new Uint8Array(0x20);
  #own = new Map();
  #registers = new Map();
  /** When the firmware started. @type {number | null} */
  #started = null;
  /** @type {Uint8Array[]} */
  #packets = [];
  /** @type {{ due: number, go: () => void }[]} */
  #later = [];

  /** @param {() => number} nanos the world's time */
  constructor(nanos) {
    this.nanos = nanos;
    this.gspi = new Gspi({
      read: (area, address, length) => this.#read(area, address, length),
      write: (area, address, bytes) => this.#write(area, address, bytes),
      mode: () => ({
        halves: (this.#bus[BUS.CONTROL] & WORD_LENGTH_32) === 0,
        status: this.#bus[BUS.STATUS_ENABLE] & 1 ? this.#status : null,
        padding: this.#bus[BUS.DELAY] / 4,
      }),
    });
    this.firmware = new WlanFirmware(this);
  }

  /** The level on the data line, as far as it is the chip's to say. */
  get level() {
    return this.#level;
  }

  /** The level of the power pin; low takes everything from the chip. @param {boolean} level */
  setPower(level) {
    if (level === this.#powered) return;
    this.#powered = level;
    this.#poweredAt = this.nanos();
    this.ram.fill(0);
    this.#bus.fill(0);
    this.#own.clear();
    this.#registers.clear();
    this.#started = null;
    this.#packets = [];
    this.#later = [];
    this.firmware = new WlanFirmware(this);
    this.#settle();
  }

  /** @param {boolean} level */
  setSelect(level) {
    this.gspi.setSelect(level);
    this.#settle();
  }

  /** @param {boolean} clock @param {boolean} data */
  setClock(clock, data) {
    if (!this.#awake) return;
    this.gspi.setClock(clock, data);
    this.#settle();
  }

  /** A frame from the air. @param {Uint8Array} frame */
  receive(frame) {
    if (this.#ready) this.firmware.receive(frame);
  }

  /** Hands a packet to the host. @param {Uint8Array} packet */
  deliver(packet) {
    this.#packets.push(packet);
    this.#settle();
  }

  /**
   * Does something after a while, unless the power fails first.
   * @param {number} millis
   * @param {() => void} go
   */
  later(millis, go) {
    this.#later.push({ due: this.nanos() + millis * MILLISECOND, go });
  }

  /** Lets what is due happen. */
  poll() {
    const due = this.#later.filter((entry) => entry.due <= this.nanos());
    if (due.length > 0) this.#later = this.#later.filter((entry) => !due.includes(entry));
    for (const { go } of due) go();
    if (this.#ready) this.firmware.poll();
  }

  get #awake() {
    return this.answers && this.#powered && this.nanos() >= this.#poweredAt + POWER_UP;
  }

  get #clocked() {
    return this.#started !== null && this.nanos() >= this.#started + HT_START;
  }

  get #ready() {
    return this.#clocked && this.starts === true;
  }

  get #status() {
    const [packet] = this.#packets;
    const waiting = packet ? STATUS.F2_PACKET | (packet.length << STATUS.F2_LENGTH_SHIFT) : 0;
    return (this.#ready ? STATUS.F2_RX_READY : 0) | waiting;
  }

  /** Works out the level of the data line. */
  #settle() {
    const pending = this.#packets.length > 0 && (this.#bus[BUS.INTERRUPT_ENABLE] & F2_PACKET_AVAILABLE) !== 0;
    const interrupt = this.#awake && pending === ((this.#bus[BUS.CONTROL] & INTERRUPT_HIGH) !== 0);
    const level = this.gspi.selected ? this.gspi.level : interrupt && this.#started !== null;
    if (level === this.#level) return;
    this.#level = level;
    this.onData();
  }

  /** @param {number} area @param {number} address @param {number} length @returns {Uint8Array} */
  #read(area, address, length) {
    if (area === 0) return this.#readBus(address, length);
    if (area === 2) return this.#takePacket(length);
    if (area !== 1) throw new Error(`CYW43: function ${area} is not modelled`);
    if (address >= 0x10000) return Uint8Array.of(this.#readOwn(address));
    return littleEndian(this.#readBackplane(this.#window | (address & WINDOW_MASK)), length);
  }

  /** @param {number} area @param {number} address @param {Uint8Array} bytes */
  #write(area, address, bytes) {
    if (area === 0) return this.#writeBus(address, bytes);
    if (area === 2) {
      if (!this.#ready) throw new Error('CYW43: a packet is written before function 2 is ready');
      return this.firmware.take(bytes);
    }
    if (area !== 1) throw new Error(`CYW43: function ${area} is not modelled`);
    if (address >= 0x10000) return this.#writeOwn(address, bytes[0]);
    return this.#writeBackplane(this.#window | (address & WINDOW_MASK), bytes);
  }

  /** @param {number} address @param {number} length */
  #readBus(address, length) {
    const view = new DataView(this.#bus.buffer);
    view.setUint16(BUS.INTERRUPT, this.#packets.length > 0 ? F2_PACKET_AVAILABLE : 0, true);
    view.setUint32(BUS.STATUS, this.#status, true);
    view.setUint32(BUS.TEST_READ, TEST_PATTERN, true);
    return this.#bus.slice(address, address + length);
  }

  /** @param {number} address @param {Uint8Array} bytes */
  #writeBus(address, bytes) {
    this.#bus.set(bytes, address);
    if (this.#bus[BUS.CONTROL] & BIG_ENDIAN) throw new Error('CYW43: big-endian words are not modelled');
  }

  /** @param {number} length */
  #takePacket(length) {
    const packet = this.#packets.shift();
    if (packet?.length !== length) throw new Error(`CYW43: ${length} bytes are read, of a packet of ${packet?.length}`);
    return packet;
  }

  get #window() {
    const byte = (/** @type {number} */ address) => this.#own.get(address) ?? 0;
    return ((byte(WINDOW.HIGH) << 24) | (byte(WINDOW.MID) << 16) | (byte(WINDOW.LOW) << 8)) >>> 0;
  }

  /** @param {number} address */
  #readOwn(address) {
    if (address === CLOCK) return this.#clocks;
    if (address === WATERMARK || address === PULL_UP) return this.#own.get(address) ?? 0;
    throw new Error(`CYW43: reading 0x${address.toString(16)} of function 1 is not modelled`);
  }

  get #clocks() {
    const asked = this.#own.get(CLOCK) ?? 0;
    return asked | (asked & ALP_REQUEST ? ALP_AVAILABLE : 0) | (this.#clocked ? HT_AVAILABLE | ALP_AVAILABLE : 0);
  }

  /** @param {number} address @param {number} value */
  #writeOwn(address, value) {
    const known = [CLOCK, WATERMARK, PULL_UP, ...Object.values(WINDOW)];
    if (!known.includes(address)) throw new Error(`CYW43: writing 0x${address.toString(16)} of function 1 is not modelled`);
    this.#own.set(address, value);
  }

  /** @param {number} address */
  #readBackplane(address) {
    if (address === CHIP_COMMON) return CHIP_ID;
    if (isCoreRegister(address)) return this.#registers.get(address) ?? 0;
    throw new Error(`CYW43: reading 0x${address.toString(16)} of the backplane is not modelled`);
  }

  /** @param {number} address @param {Uint8Array} bytes */
  #writeBackplane(address, bytes) {
    if (address + bytes.length <= RAM_BYTES) return this.ram.set(bytes, address);
    if (isCoreRegister(address)) return this.#writeCore(address, bytes[0]);
    if ([BANK_INDEX, BANK_POWER, HOST_INTERRUPT_MASK].includes(address)) return undefined;
    throw new Error(`CYW43: writing 0x${address.toString(16)} of the backplane is not modelled`);
  }

  /** @param {number} address @param {number} value */
  #writeCore(address, value) {
    const before = this.#registers.get(address) ?? 0;
    this.#registers.set(address, value);
    if (address !== WLAN_CORE + CORE_RESET) return;
    if (value === 1) this.#started = null;
    else if (before === 1 && this.#isLoaded) this.#started = this.nanos();
  }

  /** The board's values lie at the end of the RAM, before a word that has their length, and its complement above. */
  get #isLoaded() {
    const view = new DataView(this.ram.buffer);
    const end = view.getUint32(RAM_BYTES - 4, true);
    const words = end & 0xffff;
    const clocked = ((this.#registers.get(WLAN_CORE + CORE_CONTROL) ?? 0) & CORE_CLOCK) !== 0;
    return clocked && words > 0 && end >>> 16 === (~words & 0xffff) && view.getUint32(0, true) !== 0 && this.starts !== false;
  }
}

/** @param {number} address */
function isCoreRegister(address) {
  return [WLAN_CORE, RAM_CORE].some((core) => address === core + CORE_CONTROL || address === core + CORE_RESET);
}

/** @param {number} value @param {number} length */
function littleEndian(value, length) {
  return Uint8Array.from({ length }, (_, index) => (value >>> (8 * index)) & 0xff);
}
