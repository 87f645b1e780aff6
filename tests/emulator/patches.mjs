/**
 * Corrections to rp2040js 1.4.1, one function each with its reason. They reach into its internals, which is why the
 * version is pinned.
 */

/**
 * @typedef {import('rp2040js').RP2040} RP2040
 * @typedef {{ readUint32(offset: number): number, writeUint32(offset: number, value: number): void }} Registers
 *
 * @typedef {Registers & { irq: number, interruptStatus: number, interruptMask: number, checkInterrupts(): void,
 *   rxFIFO: { full: boolean } }} Uart
 *
 * @typedef {Registers & { intRaw: number, intEnable: number, rxThreshold: number, txThreshold: number,
 *   checkInterrupts(): void, setInterrupts(mask: number): void, abort(reason: number): void,
 *   rxFIFO: { itemCount: number }, txFIFO: { itemCount: number } }} I2c
 *
 * @typedef {Registers & { timer: { enable: boolean }, alarm: { enable: boolean }, reason: number,
 *   scratchData: Uint32Array, onWatchdogTrigger: () => void }} Watchdog
 *
 * @typedef {Registers & { crtlr0: number, ssienr: number }} Ssi
 */

/** @type {<T>(value: unknown) => T} */
const internals = (value) => /** @type {any} */ (value);

/**
 * UART: the transmit interrupt is raised by a byte sent, not always. As it is, the interrupt of a driver that has
 * nothing to send would be taken for ever. RSR (0x04), IFLS (0x34) and DMACR (0x48) are missing; drivers write them when
 * they start. Bytes are taken at once here, whatever the FIFO levels.
 * @param {RP2040} mcu
 */
export function uartInterrupts(mcu) {
  const [DR, TX_INTERRUPT] = [0x00, 1 << 5];
  for (const uart of mcu.uart.map((each) => internals(each))) {
    patchUart(/** @type {Uart} */ (uart));
  }

  /** @param {Uart} uart */
  function patchUart(uart) {
    const read = uart.readUint32.bind(uart);
    const write = uart.writeUint32.bind(uart);
    const stored = new Map([[0x04, 0], [0x34, 0x12], [0x48, 0]]);
    uart.checkInterrupts = () => mcu.setInterrupt(uart.irq, (uart.interruptStatus & uart.interruptMask) !== 0);
    uart.readUint32 = (offset) => stored.get(offset) ?? read(offset);
    uart.writeUint32 = (offset, value) => {
      if (stored.has(offset)) stored.set(offset, value);
      else write(offset, value);
      if (offset === DR) {
        uart.interruptStatus |= TX_INTERRUPT;
        uart.checkInterrupts();
      }
    };
  }
}

/**
 * I2C, DW_apb_i2c as in RP2040 datasheet section 4.3: after an abort the transmit FIFO is empty and says so, and takes
 * nothing until the abort is cleared; without that, embassy's blocking write spins and sends bytes of a refused
 * transfer. INTR_MASK (0x30) can't be written, so that no interrupt ever fires. The FIFO-level interrupts follow the
 * levels. SDA_HOLD (0x7c), DMA_CR (0x88) and their like are stored.
 * @param {RP2040} mcu
 */
export function i2cAbortAndInterrupts(mcu) {
  const [DATA_CMD, INTR_MASK, RX_TL, TX_TL, SDA_HOLD] = [0x10, 0x30, 0x38, 0x3c, 0x7c];
  const [RX_FULL, TX_EMPTY, TX_ABRT] = [1 << 2, 1 << 4, 1 << 6];
  for (const i2c of mcu.i2c.map((each) => internals(each))) {
    patchI2c(/** @type {I2c} */ (i2c));
  }

  /** @param {I2c} i2c */
  function patchI2c(i2c) {
    const read = i2c.readUint32.bind(i2c);
    const write = i2c.writeUint32.bind(i2c);
    const abort = i2c.abort.bind(i2c);
    const stored = new Map([[SDA_HOLD, 1], [0x88, 0], [0x8c, 0], [0x90, 0]]);
    const followLevels = () => {
      if (i2c.rxFIFO.itemCount > i2c.rxThreshold) i2c.intRaw |= RX_FULL;
      else i2c.intRaw &= ~RX_FULL;
      i2c.checkInterrupts();
    };
    i2c.abort = (reason) => {
      abort(reason);
      i2c.setInterrupts(TX_EMPTY);
    };
    i2c.readUint32 = (offset) => {
      const value = stored.get(offset) ?? read(offset);
      if (offset === DATA_CMD) followLevels();
      return value;
    };
    i2c.writeUint32 = (offset, value) => {
      if (stored.has(offset)) stored.set(offset, value);
      else if (offset === INTR_MASK) i2c.intEnable = value & 0x1fff;
      else if (offset !== DATA_CMD || (i2c.intRaw & TX_ABRT) === 0) write(offset, value);
      if (offset === INTR_MASK) i2c.checkInterrupts();
      if (offset === RX_TL || offset === TX_TL) followLevels();
    };
  }
}

/**
 * Watchdog: once it has bitten, its alarm must not fire again, or time never passes it. The trigger then ends the
 * machine, with the reason in the register that the next life reads.
 * @param {RP2040} mcu
 * @param {{ reason: number, scratch: Uint32Array }} kept what a watchdog reset does not clear
 * @param {(reason: number, scratch: Uint32Array) => void} onReset
 */
export function watchdogResets(mcu, kept, onReset) {
  /** @type {Watchdog} */
  const watchdog = internals(mcu.peripherals[0x40058]);
  watchdog.reason = kept.reason;
  watchdog.scratchData.set(kept.scratch);
  watchdog.onWatchdogTrigger = () => {
    watchdog.alarm.enable = false;
    watchdog.timer.enable = false;
    onReset(watchdog.reason, watchdog.scratchData);
  };
}

/**
 * SEV: sets the event register, which makes the next WFE fall through (ARMv6-M reference manual, B1.5.18). rp2040js
 * only logs it. embassy's executor relies on it to see work that a task has queued for another.
 * @param {RP2040} mcu
 */
export function sendEventIsSeen(mcu) {
  const log = mcu.logger;
  const info = log.info.bind(log);
  log.info = (component, message) => {
    if (message === 'SEV') /** @type {{ eventRegistered: boolean }} */ (internals(mcu.core)).eventRegistered = true;
    else info(component, message);
  };
}

/**
 * IO_BANK0: what would wake the chip from dormancy (DORMANT_WAKE_INTE and INTF, RP2040 datasheet 2.19.6.1) is stored; a
 * driver clears it when it gives up a pin. Waking from dormancy is not modelled.
 * @param {RP2040} mcu
 */
export function dormantWakeIsStored(mcu) {
  const [INTE0, INTS0] = [0x160, 0x180];
  /** @type {Registers} */
  const pins = internals(mcu.peripherals[0x40014]);
  const read = pins.readUint32.bind(pins);
  const write = pins.writeUint32.bind(pins);
  const stored = new Uint32Array((INTS0 - INTE0) / 4);
  const holds = (/** @type {number} */ offset) => offset >= INTE0 && offset < INTS0;
  pins.readUint32 = (offset) => (holds(offset) ? stored[(offset - INTE0) / 4] : read(offset));
  pins.writeUint32 = (offset, value) => {
    if (holds(offset)) stored[(offset - INTE0) / 4] = value;
    else write(offset, value);
  };
}

/**
 * SIO: what it does not model (RP2040 datasheet 2.3.1.7: the FIFO to core 1, reserved places) rp2040js tells the host's
 * console, not its logger.
 * @param {RP2040} mcu
 */
export function sioComplains(mcu) {
  const [END, RESERVED] = [0x180, [0x0c, 0x50, 0x54, 0x58, 0x7c]];
  const { sio } = mcu;
  const read = sio.readUint32.bind(sio);
  const write = sio.writeUint32.bind(sio);
  const check = (/** @type {number} */ offset, /** @type {string} */ access) => {
    if (offset < END && (offset & 3) === 0 && !RESERVED.includes(offset)) return;
    mcu.logger.warn('SIO', `Unimplemented peripheral ${access} 0x${offset.toString(16)}`);
  };
  sio.readUint32 = (offset) => {
    check(offset, 'read from');
    return read(offset);
  };
  sio.writeUint32 = (offset, value) => {
    check(offset, 'write to');
    write(offset, value);
  };
}

/**
 * The bus: what is not aligned, and a write to the ROM, are HardFaults on the chip (ARMv6-M, section A3.2; RP2040 datasheet
 * 2.6.1). rp2040js tells of words that are read alone, and lets a write through a null pointer change the ROM.
 * @param {RP2040} mcu
 */
export function badAccessesComplain(mcu) {
  const ROM_BYTES = 4 * mcu.bootrom.length;
  const check = (/** @type {string} */ access, /** @type {number} */ address, /** @type {number} */ bytes) => {
    const place = (address >>> 0).toString(16);
    if (address & (bytes - 1)) mcu.logger.error('bus', `${access} of ${bytes} bytes at ${place}, which is not aligned`);
    if (access === 'write' && address >>> 0 < ROM_BYTES) mcu.logger.error('bus', `write to the ROM at ${place}`);
  };
  const [read16, write8] = [mcu.readUint16.bind(mcu), mcu.writeUint8.bind(mcu)];
  const [write16, write32] = [mcu.writeUint16.bind(mcu), mcu.writeUint32.bind(mcu)];
  mcu.readUint16 = (address) => {
    check('read', address, 2);
    return read16(address);
  };
  mcu.writeUint8 = (address, value) => {
    check('write', address, 1);
    write8(address, value);
  };
  mcu.writeUint16 = (address, value) => {
    check('write', address, 2);
    write16(address, value);
  };
  mcu.writeUint32 = (address, value) => {
    check('write', address, 4);
    write32(address, value);
  };
}

/**
 * DMA: CHAN_ABORT reads 0 as soon as the abort is done (RP2040 datasheet 2.5.7), which is at once here. It can only be
 * written in rp2040js; drivers read it too.
 * @param {RP2040} mcu
 */
export function dmaAbortIsDone(mcu) {
  const CHAN_ABORT = 0x444;
  const read = mcu.dma.readUint32.bind(mcu.dma);
  mcu.dma.readUint32 = (offset) => (offset === CHAN_ABORT ? 0 : read(offset));
}

/**
 * AIRCR.SYSRESETREQ: resets the chip; the watchdog keeps its registers. Here every other peripheral is reset too, which
 * the silicon leaves alone.
 * @param {RP2040} mcu
 * @param {(reason: number, scratch: Uint32Array) => void} onReset
 */
export function systemResetRequest(mcu, onReset) {
  const [AIRCR, KEY_READ, SYSRESETREQ] = [0xd0c, 0xfa050000, 1 << 2];
  const ppb = /** @type {Registers} */ (mcu.ppb);
  /** @type {Watchdog} */
  const watchdog = internals(mcu.peripherals[0x40058]);
  const read = ppb.readUint32.bind(ppb);
  const write = ppb.writeUint32.bind(ppb);
  ppb.readUint32 = (offset) => (offset === AIRCR ? KEY_READ : read(offset));
  ppb.writeUint32 = (offset, value) => {
    if (offset !== AIRCR) write(offset, value);
    else if (value >>> 16 === 0x05fa && value & SYSRESETREQ) onReset(watchdog.reason, watchdog.scratchData);
  };
}

/**
 * SSI: out of execute-in-place it is a plain serial port to the flash, through which drivers read its identity
 * (W25Q16JV datasheet 8.2.28 and 8.2.29: 0x9f JEDEC ID, 0x4b unique ID after four dummy bytes). Back in 32-bit frames it
 * serves the memory map again.
 * @param {RP2040} mcu
 * @param {bigint} uniqueId
 * @param {(executeInPlace: boolean) => void} setExecuteInPlace
 * @returns {() => void} to be called when the boot ROM leaves execute-in-place
 */
export function serialFlashCommands(mcu, uniqueId, setExecuteInPlace) {
  const [SSIENR, DR0, EIGHT_BIT_FRAMES] = [0x08, 0x60, 7 << 16];
  // Status registers read 0: ready, nothing in progress.
  const IDLE = 0;
  /** @type {Ssi} */
  const ssi = internals(mcu.peripherals[0x18000]);
  const read = ssi.readUint32.bind(ssi);
  const write = ssi.writeUint32.bind(ssi);
  const frameBits = () => ((ssi.crtlr0 >>> 16) & 0x1f) + 1;
  const unique = Array.from({ length: 8 }, (_, index) => Number((uniqueId >> BigInt(56 - 8 * index)) & 0xffn));
  /** @type {Record<number, number[]>} */
  const answers = { 0x9f: [0xef, 0x40, 0x15], 0x4b: [0, 0, 0, 0, ...unique] };
  let serial = false;
  /** @type {number[]} */
  let answer = [];
  ssi.readUint32 = (offset) => (serial && offset === DR0 ? (answer.shift() ?? IDLE) : read(offset));
  ssi.writeUint32 = (offset, value) => {
    if (serial && offset === DR0) answer = [...(answers[value & 0xff] ?? [])];
    else write(offset, value);
    if (offset === SSIENR && value === 1 && frameBits() === 32) {
      serial = false;
      setExecuteInPlace(true);
    }
  };
  return () => {
    serial = true;
    ssi.crtlr0 = EIGHT_BIT_FRAMES;
  };
}
