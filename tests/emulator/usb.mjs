/**
 * A computer at the USB port that opens a CDC-ACM serial port.
 *
 * USB 2.0, section 9.1 (device states) and 8.5.1 (a host without data sends no packet); CDC PSTN 1.2, section 6.3.12
 * (control line state). rp2040js's own host side enumerates the device, but answers every read with an empty packet,
 * which keeps firmware busy for nothing; reads wait for data here.
 */

import { USBCDC } from 'rp2040js';

const PACKET_BYTES = 64;

/** CDC PSTN 1.2, section 6.3.12: to the interface (0x21) 0, terminal is there (DTR) and carrier is on (RTS). */
const SET_CONTROL_LINE_STATE = Uint8Array.of(0x21, 0x22, 0x03, 0, 0, 0, 0, 0);

/** RP2040 datasheet, section 4.1.2.5.1 and table 388: an endpoint's OUT buffer control, and its bit that says whose the buffer is. */
const outBufferControl = (/** @type {number} */ endpoint) => 0x84 + 8 * endpoint;
const AVAILABLE = 1 << 10;

export class UsbSerial {
  /** Everything received so far, as Latin-1 text. */
  text = '';

  /** Called with each received byte. @type {((byte: number) => void) | null} */
  onByte = null;

  /** Whether the firmware's device has been configured and its port opened. */
  open = false;

  /** @type {number[]} */
  #pending = [];
  /** @type {(() => void) | null} */
  #deliver = null;

  /** Plugs into a machine; has to be done before its firmware starts USB. @param {import('./machine.mjs').Machine} machine */
  attach(machine) {
    const { usbCtrl } = machine.mcu;
    const cdc = new USBCDC(usbCtrl);
    this.open = false;
    // What was on its way to the device that went away is lost with it.
    this.#pending = [];
    this.#deliver = null;
    cdc.onDeviceConnected = () => (this.open = true);
    cdc.onSerialData = (bytes) => {
      this.text += Buffer.from(bytes).toString('latin1');
      for (const byte of bytes) this.onByte?.(byte);
    };
    const endpoint = /** @type {{ outEndpoint: number, cdcSetControlLineState: () => void }} */ (
      /** @type {unknown} */ (cdc)
    );
    endpoint.cdcSetControlLineState = () => usbCtrl.sendSetupPacket(SET_CONTROL_LINE_STATE);
    const memory = machine.mcu.usbDPRAMView;
    const give = (/** @type {number} */ number, /** @type {number} */ bits) => {
      const register = outBufferControl(number);
      memory.setUint32(register, (memory.getUint32(register, true) & ~AVAILABLE) | bits, true);
    };
    const controller = /** @type {{ finishRead: (number: number, bytes: Uint8Array) => void }} */ (
      /** @type {unknown} */ (usbCtrl)
    );
    const finishRead = controller.finishRead.bind(usbCtrl);
    controller.finishRead = (number, bytes) => {
      give(number, 0);
      finishRead(number, bytes);
    };
    usbCtrl.onEndpointRead = (number, size) => {
      if (number !== endpoint.outEndpoint) return;
      give(number, AVAILABLE);
      this.#deliver = () => {
        if (this.#pending.length === 0) return;
        this.#deliver = null;
        const packet = this.#pending.splice(0, Math.min(size, PACKET_BYTES));
        usbCtrl.endpointReadDone(number, Uint8Array.from(packet));
      };
      this.#deliver();
    };
  }

  /** Whole lines received so far, without their ends. */
  get lines() {
    return this.text.split(/\r?\n/).slice(0, -1);
  }

  /** @param {string | Uint8Array} data text is sent as UTF-8 */
  send(data) {
    this.#pending.push(...Buffer.from(data));
    this.#deliver?.();
  }
}
