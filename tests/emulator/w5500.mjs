/**
 * WIZnet W5500 Ethernet controller, as far as a driver needs it that sends and receives whole frames: socket 0 in
 * MACRAW mode.
 *
 * W5500 datasheet version 1.1.0, section 2.2 (SPI frames), 3.1 and 4.1 (common registers), 3.2 and 4.2 (socket
 * registers and commands), 5.5.2 (reset). Not modelled: its own TCP/IP, sockets 1 to 7, the time that a frame takes on
 * the wire, the fixed-length SPI mode's missing chip select. Two things are not in the datasheet: RECV is raised again
 * while frames remain, which the usual drivers rely on; and a frame sent without a link is lost.
 */

const COMMON = { MR: 0x00, SHAR: 0x09, IR: 0x15, IMR: 0x16, SIR: 0x17, SIMR: 0x18, PHYCFGR: 0x2e, VERSIONR: 0x39 };
const SOCKET = {
  MR: 0x00, CR: 0x01, IR: 0x02, SR: 0x03, RXBUF_SIZE: 0x1e, TXBUF_SIZE: 0x1f, TX_FSR: 0x20, TX_RD: 0x22, TX_WR: 0x24,
  RX_RSR: 0x26, RX_RD: 0x28, RX_WR: 0x2a, IMR: 0x2c,
};
const COMMAND = { OPEN: 0x01, CLOSE: 0x10, SEND: 0x20, RECV: 0x40 };
const INTERRUPT = { RECV: 0x04, SEND_OK: 0x10 };
const MODE_RESET = 0x80;
const PROTOCOL_MACRAW = 0x04;
const STATUS_MACRAW = 0x42;
const [FILTER_MAC, BLOCK_BROADCAST, BLOCK_MULTICAST] = [0x80, 0x40, 0x20];
const [PHY_RESET_VALUE, PHY_LINK_100_FULL] = [0xb8, 0x07];
const BUFFER_BYTES = 16 * 1024;
const MIN_FRAME_BYTES = 60;

/** Block select of an SPI frame, for socket 0. */
const [BLOCK_COMMON, BLOCK_SOCKET, BLOCK_TX, BLOCK_RX] = [0, 1, 2, 3];

export class W5500 {
  /** Called with each frame that is sent while there is a link. @type {(frame: Uint8Array) => void} */
  onFrame = () => {};

  /** Called when the interrupt pin changes; `false` is asserted. @type {(level: boolean) => void} */
  onInterrupt = () => {};

  /** Received frames that did not fit into the buffer. */
  dropped = 0;

  #cable = true;
  #selected = false;
  #inReset = false;
  #interruptLevel = true;
  /** @type {number[]} */
  #header = [];
  #offset = 0;

  #common = new Uint8Array(0x40);
  #socket = new Uint8Array(0x30);
  #tx = new Uint8Array(BUFFER_BYTES);
  #rx = new Uint8Array(BUFFER_BYTES);
  /** Read pointer that RECV has made valid. */
  #rxRead = 0;

  constructor() {
    this.reset();
  }

  /** Whether a cable with a live link is plugged in. */
  get cable() {
    return this.#cable;
  }

  set cable(plugged) {
    this.#cable = plugged;
    this.#common[COMMON.PHYCFGR] = PHY_RESET_VALUE | (plugged ? PHY_LINK_100_FULL : 0);
  }

  /** The level of the interrupt pin. */
  get interruptLevel() {
    return this.#interruptLevel;
  }

  /** Brings every register to its reset value. */
  reset() {
    this.#common.fill(0);
    // RTR 200 ms, RCR 8 retries, PTIMER, PHY, version
    this.#common.set([0x07, 0xd0, 0x08], 0x19);
    this.#common[0x1c] = 0x28;
    this.#common[COMMON.VERSIONR] = 0x04;
    this.cable = this.#cable;
    this.#socket.fill(0);
    this.#socket.fill(0xff, 0x06, 0x0c);
    this.#socket[0x16] = 0x80;
    this.#socket[SOCKET.RXBUF_SIZE] = 2;
    this.#socket[SOCKET.TXBUF_SIZE] = 2;
    this.#socket[SOCKET.IMR] = 0xff;
    this.#socket[0x2d] = 0x40;
    this.#rxRead = 0;
    this.#setWord(SOCKET.TX_FSR, this.#txBytes);
    this.#updateInterrupt();
  }

  /** The level of the reset pin; low holds the chip in reset. @param {boolean} level */
  setReset(level) {
    if (!level) this.reset();
    this.#inReset = !level;
  }

  /** The level of the chip select pin. @param {boolean} level */
  setSelect(level) {
    this.#selected = !level;
    this.#header = [];
  }

  /**
   * Exchanges one byte over SPI.
   * @param {number} byte
   * @returns {number}
   */
  transfer(byte) {
    if (!this.#selected || this.#inReset) return 0;
    if (this.#header.length < 3) {
      this.#header.push(byte);
      this.#offset = (this.#header[0] << 8) | this.#header[1];
      return 0;
    }
    const control = this.#header[2];
    const block = control >> 3;
    const address = this.#offset;
    this.#offset = (this.#offset + 1) & 0xffff;
    if ((control & 0x04) === 0) return this.#read(block, address);
    this.#write(block, address, byte);
    return 0;
  }

  /**
   * Takes a frame from the wire.
   * @param {Uint8Array} frame without its check sequence
   */
  receive(frame) {
    if (!this.#cable || this.#socket[SOCKET.SR] !== STATUS_MACRAW || !this.#accepts(frame)) return;
    // In MACRAW mode each frame is preceded by its length, which counts these two bytes.
    const length = frame.length + 2;
    const write = this.#word(SOCKET.RX_WR);
    if (length > this.#rxBytes - this.#received) {
      this.dropped += 1;
      return;
    }
    [length >> 8, length & 0xff, ...frame].forEach((byte, index) => {
      this.#rx[(write + index) % this.#rxBytes] = byte;
    });
    this.#setWord(SOCKET.RX_WR, write + length);
    this.#updateReceived();
    this.#raise(INTERRUPT.RECV);
  }

  get #txBytes() {
    return this.#socket[SOCKET.TXBUF_SIZE] * 1024;
  }

  get #rxBytes() {
    return this.#socket[SOCKET.RXBUF_SIZE] * 1024;
  }

  get #received() {
    return (this.#word(SOCKET.RX_WR) - this.#rxRead) & 0xffff;
  }

  /** @param {Uint8Array} frame */
  #accepts(frame) {
    const mode = this.#socket[SOCKET.MR];
    if (!(mode & FILTER_MAC)) return true;
    const destination = frame.subarray(0, 6);
    if (destination.every((byte) => byte === 0xff)) return !(mode & BLOCK_BROADCAST);
    if (destination[0] & 1) return !(mode & BLOCK_MULTICAST);
    return destination.every((byte, index) => byte === this.#common[COMMON.SHAR + index]);
  }

  /** @param {number} block @param {number} address @returns {number} */
  #read(block, address) {
    switch (block) {
      case BLOCK_COMMON: return this.#common[address] ?? 0;
      case BLOCK_SOCKET: return this.#socket[address] ?? 0;
      case BLOCK_TX: return this.#tx[address % this.#txBytes];
      case BLOCK_RX: return this.#rx[address % this.#rxBytes];
      default: throw new Error(`W5500: block ${block} is not modelled`);
    }
  }

  /** @param {number} block @param {number} address @param {number} value */
  #write(block, address, value) {
    switch (block) {
      case BLOCK_COMMON: return this.#writeCommon(address, value);
      case BLOCK_SOCKET: return this.#writeSocket(address, value);
      case BLOCK_TX: this.#tx[address % this.#txBytes] = value; return undefined;
      default: throw new Error(`W5500: writing to block ${block} is not modelled`);
    }
  }

  /** @param {number} address @param {number} value */
  #writeCommon(address, value) {
    if (address === COMMON.MR && value & MODE_RESET) return this.reset();
    if (address === COMMON.IR) this.#common[COMMON.IR] &= ~value;
    else if (![COMMON.SIR, COMMON.PHYCFGR, COMMON.VERSIONR].includes(address)) this.#common[address] = value;
    return this.#updateInterrupt();
  }

  /** @param {number} address @param {number} value */
  #writeSocket(address, value) {
    if (address === SOCKET.CR) return this.#command(value);
    if (address === SOCKET.IR) this.#socket[SOCKET.IR] &= ~value;
    else if (!isReadOnly(address)) this.#socket[address] = value;
    if (address === SOCKET.TXBUF_SIZE) this.#setWord(SOCKET.TX_FSR, this.#txBytes);
    return this.#updateInterrupt();
  }

  /** @param {number} command */
  #command(command) {
    const socket = this.#socket;
    switch (command) {
      case COMMAND.OPEN:
        if ((socket[SOCKET.MR] & 0x0f) !== PROTOCOL_MACRAW) throw new Error('W5500: only MACRAW is modelled');
        socket[SOCKET.SR] = STATUS_MACRAW;
        for (const pointer of [SOCKET.TX_RD, SOCKET.TX_WR, SOCKET.RX_RD, SOCKET.RX_WR]) this.#setWord(pointer, 0);
        this.#rxRead = 0;
        return this.#updateReceived();
      case COMMAND.CLOSE:
        socket[SOCKET.SR] = 0;
        return undefined;
      case COMMAND.SEND:
        return this.#send();
      case COMMAND.RECV:
        this.#rxRead = this.#word(SOCKET.RX_RD);
        this.#updateReceived();
        return this.#received > 0 ? this.#raise(INTERRUPT.RECV) : undefined;
      default:
        throw new Error(`W5500: socket command 0x${command.toString(16)} is not modelled`);
    }
  }

  #send() {
    const [start, end] = [this.#word(SOCKET.TX_RD), this.#word(SOCKET.TX_WR)];
    const length = (end - start) & 0xffff;
    if (length > this.#txBytes) throw new Error(`W5500: ${length} bytes are sent out of a smaller buffer`);
    const frame = new Uint8Array(Math.max(length, MIN_FRAME_BYTES));
    for (let index = 0; index < length; index++) frame[index] = this.#tx[(start + index) % this.#txBytes];
    this.#setWord(SOCKET.TX_RD, end);
    if (this.#cable) this.onFrame(frame);
    this.#raise(INTERRUPT.SEND_OK);
  }

  #updateReceived() {
    this.#setWord(SOCKET.RX_RSR, this.#received);
  }

  /** @param {number} interrupt */
  #raise(interrupt) {
    this.#socket[SOCKET.IR] |= interrupt;
    this.#updateInterrupt();
  }

  #updateInterrupt() {
    const socketPending = (this.#socket[SOCKET.IR] & this.#socket[SOCKET.IMR]) !== 0;
    this.#common[COMMON.SIR] = Number(socketPending);
    const pending = (this.#common[COMMON.SIR] & this.#common[COMMON.SIMR]) | (this.#common[COMMON.IR] & this.#common[COMMON.IMR]);
    const level = pending === 0;
    if (level === this.#interruptLevel) return;
    this.#interruptLevel = level;
    this.onInterrupt(level);
  }

  /** @param {number} address */
  #word(address) {
    return (this.#socket[address] << 8) | this.#socket[address + 1];
  }

  /** @param {number} address @param {number} value modulo 65,536 */
  #setWord(address, value) {
    this.#socket[address] = (value >> 8) & 0xff;
    this.#socket[address + 1] = value & 0xff;
  }
}

/** @param {number} address of a socket register */
function isReadOnly(address) {
  const readOnly = [SOCKET.SR, SOCKET.TX_FSR, SOCKET.TX_RD, SOCKET.RX_RSR, SOCKET.RX_WR];
  return readOnly.includes(address) || [SOCKET.TX_FSR, SOCKET.TX_RD, SOCKET.RX_RSR, SOCKET.RX_WR].includes(address - 1);
}
