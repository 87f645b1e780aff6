/**
 * What the CYW43439's firmware says and does, as far as a station needs it. Infineon's own never runs here: this is written from
 * the outside, from what its hosts send and expect, and from what was seen of it.
 *
 * Infineon Wi-Fi Host Driver: `whd_sdpcm.h` (headers of the channels), `whd_cdc_bdc.c`, `whd_wlioctl.h` (commands), `whd_events.h`
 * (events); the crate cyw43 0.7, `structs.rs`, `ioctl.rs`, and `runner.rs`, which says what events a join has; their order is taken
 * for that of the states. Seen of the firmware by others: the event of a loss (embassy pull request 5129); a key that is refused
 * while the station is associated (embassy issue 4526); the supplicant's states when a handshake is not begun, or fails (embassy
 * pull request 7041); an access point that drops an idle station, of which there is one event and none of the link (embassy
 * pull request 6355). A disassociation without an association is no error: the Wi-Fi Host Driver sends one after each join
 * that failed, and expects none (`whd_wifi_api.c`). Whether a station stays associated after a handshake that failed isn't
 * known; here it does, which is the harder case. A packet of a header alone gives the host credit (`whd_sdpcm.c`, georgerobotics'
 * cyw43-driver, `cyw43_ll.c`); when the firmware sends one, and by which channel, isn't known: here it is when the host has none left
 * and nothing else has told it of more, by channel 0. Not modelled: scans, access point mode, power saving, roaming, the
 * handshakes: keys are compared.
 */

import { keyOf } from './cyw43-air.mjs';

const [CONTROL, EVENT, DATA] = [0, 1, 2];
const [SDPCM_BYTES, CDC_BYTES, BDC_BYTES, BDC_VERSION] = [12, 16, 4, 0x20];
/** Packets that the host may send beyond the last one. */
const CREDIT = 8;

const COMMAND = {
  UP: 2, SET_INFRASTRUCTURE: 20, SET_AUTHENTICATION: 22, SET_SSID: 26, DISASSOCIATE: 52, SET_ANTENNA: 64, SET_G_MODE: 110,
  SET_SECURITY: 134, SET_BAND: 142, SET_WPA: 165, GET_VARIABLE: 262, SET_VARIABLE: 263, SET_KEY: 268,
};
const SET = 2;
const ERROR = -1;
const [IS_PASSPHRASE, SHORTEST, LONGEST] = [1, 8, 64];

const EVENTS = {
  SET_SSID: 0, JOIN: 1, AUTHENTICATION: 3, ASSOCIATION: 7, DISASSOCIATION: 11, DISASSOCIATED: 12, LINK: 16, KEYS: 46,
};
const [SUCCESS, NO_NETWORKS] = [0, 3];
/** States of the supplicant, as the status of its events: it has keys, or waited for the first or third message. */
const [KEYED, AWAITS_FIRST, AWAITS_THIRD] = [6, 4, 8];
const HANDSHAKE_TIMEOUT = 15;
const [SIGNAL_LOST, SHUT_DOWN] = [1, 2];
/** IEEE 802.11-2020 table 9-49: disassociated due to inactivity. */
const INACTIVE = 4;

/** Milliseconds that things take. */
const TAKES = { scan: 800, step: 20, handshake: 60, supplicant: 2500, beacons: 4000, credit: 5 };

const MULTICAST = 1;

export class WlanFirmware {
  /** The radio's own address: a prefix of Raspberry Pi's. */
  static address = Uint8Array.of(0x28, 0xcd, 0xc1, 0x00, 0x00, 0x01);

  /** What the host set last, by name. @type {Map<string, Uint8Array>} */
  variables = new Map();

  /** Regulatory data that the host has loaded. @type {number[]} */
  regulations = [];

  /** Joins that the host has asked for. */
  attempts = 0;

  #up = false;
  #loaded = false;
  /** Settings of a join, by command. @type {Map<number, number>} */
  #settings = new Map();
  /** @type {{ length: number, isPassphrase: boolean, bytes: Uint8Array } | null} */
  #key = null;
  #hostNext = 0;
  #next = 0;
  /** The first packet of the host's that was not allowed when it last heard. */
  #allowed = 1;
  /** @type {import('./cyw43-air.mjs').AccessPoint | null} */
  #associated = null;
  #keyed = false;
  /** Since when the access point is silent. @type {number | null} */
  #silentSince = null;
  /** Counts joins, so that what is under way of an old one is dropped. */
  #attempt = 0;

  /** @param {import('./cyw43.mjs').Cyw43} chip */
  constructor(chip) {
    this.chip = chip;
  }

  /** The access point that the station is associated with. */
  get accessPoint() {
    return this.#associated;
  }

  /** A packet of the host's. @param {Uint8Array} packet */
  take(packet) {
    const view = viewOf(packet);
    const length = view.getUint16(0, true);
    if ((length ^ view.getUint16(2, true)) !== 0xffff || length > packet.length) throw new Error('CYW43: wrong length of a packet');
    const [sequence, channel, offset] = [packet[4], packet[5] & 0x0f, packet[7]];
    if (sequence !== this.#hostNext) throw new Error(`CYW43: packet ${sequence} follows ${this.#hostNext - 1}`);
    this.#hostNext = (sequence + 1) & 0xff;
    const payload = packet.subarray(offset, length);
    if (channel === CONTROL) this.#control(payload);
    else if (channel === DATA) this.#send(payload);
    else throw new Error(`CYW43: channel ${channel} is not modelled`);
    this.#giveCredit();
  }

  /** A frame from the air. @param {Uint8Array} frame */
  receive(frame) {
    if (!this.#joined) return;
    const own = WlanFirmware.address.every((byte, index) => byte === frame[index]);
    if (own || frame[0] & MULTICAST) this.#deliver(DATA, Buffer.concat([bdc(), frame]));
  }

  /** The access point has not heard of the station for long, and drops it. */
  drop() {
    this.#leave();
    this.#event(EVENTS.DISASSOCIATED, { reason: INACTIVE });
  }

  /** Looks whether the access point is still there. */
  poll() {
    if (this.#associated === null || this.#associated.on) {
      this.#silentSince = null;
      return;
    }
    this.#silentSince ??= this.chip.nanos();
    if (this.chip.nanos() < this.#silentSince + TAKES.beacons * 1e6) return;
    this.#leave();
    this.#event(EVENTS.LINK, { reason: SIGNAL_LOST });
  }

  get #joined() {
    const point = this.#associated;
    return point !== null && point.on && (point.passphrase === null || this.#keyed);
  }

  #leave() {
    this.#associated = null;
    this.#keyed = false;
    this.#silentSince = null;
    this.#attempt += 1;
  }

  /** @param {Uint8Array} payload */
  #send(payload) {
    const frame = payload.subarray(BDC_BYTES + 4 * payload[3]);
    if ((payload[0] & 0xf0) !== BDC_VERSION) throw new Error('CYW43: wrong version of a data header');
    if (this.#joined) this.chip.onFrame(frame);
  }

  /** @param {Uint8Array} payload */
  #control(payload) {
    const view = viewOf(payload);
    const [command, length, flags] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint16(8, true)];
    const body = Uint8Array.from(payload.subarray(CDC_BYTES, CDC_BYTES + length));
    const status = this.#execute(command, (flags & SET) !== 0, body);
    const answer = new Uint8Array(CDC_BYTES + body.length);
    answer.set(payload.subarray(0, CDC_BYTES));
    answer.set(body, CDC_BYTES);
    viewOf(answer).setInt32(12, status, true);
    this.#deliver(CONTROL, answer);
  }

  /**
   * @param {number} command
   * @param {boolean} set
   * @param {Uint8Array} body what the host sent, and then what it gets
   * @returns {number} 0, or an error
   */
  #execute(command, set, body) {
    if (command === COMMAND.GET_VARIABLE && !set) return this.#getVariable(body);
    if (!set) throw new Error(`CYW43: getting ${command} is not modelled`);
    switch (command) {
      case COMMAND.SET_VARIABLE: return this.#setVariable(body);
      case COMMAND.UP: this.#up = true; return 0;
      case COMMAND.SET_KEY: return this.#setKey(body);
      case COMMAND.SET_SSID: return this.#join(body);
      case COMMAND.DISASSOCIATE: return this.#disassociate();
      case COMMAND.SET_ANTENNA: case COMMAND.SET_G_MODE: case COMMAND.SET_BAND: case COMMAND.SET_INFRASTRUCTURE:
      case COMMAND.SET_AUTHENTICATION: case COMMAND.SET_SECURITY: case COMMAND.SET_WPA:
        this.#settings.set(command, viewOf(body).getUint32(0, true));
        return 0;
      default: throw new Error(`CYW43: command ${command} is not modelled`);
    }
  }

  /** @param {Uint8Array} body */
  #getVariable(body) {
    const name = nameIn(body);
    if (name === 'clmload_status') body.fill(0, 0, 4);
    else if (name === 'cur_etheraddr') body.set(WlanFirmware.address);
    else throw new Error(`CYW43: getting ${name} is not modelled`);
    return 0;
  }

  /** @param {Uint8Array} body */
  #setVariable(body) {
    const known = [
      'clmload', 'bus:txglom', 'apsta', 'country', 'ampdu_ba_wsize', 'ampdu_mpdu', 'bsscfg:event_msgs', 'bsscfg:sup_wpa',
      'bsscfg:sup_wpa2_eapver', 'bsscfg:sup_wpa_tmo', 'sae_password', 'mfp',
    ];
    const name = nameIn(body);
    if (!known.includes(name)) throw new Error(`CYW43: setting ${name} is not modelled`);
    const value = body.slice(name.length + 1);
    this.variables.set(name, value);
    if (name === 'clmload') this.#load(value);
    return 0;
  }

  /** @param {Uint8Array} chunk of the regulatory data, behind a header that marks the first and the last */
  #load(chunk) {
    const [HEADER, BEGIN, END] = [12, 2, 4];
    const view = viewOf(chunk);
    const flags = view.getUint16(0, true);
    if (flags & BEGIN) this.regulations = [];
    this.regulations.push(...chunk.subarray(HEADER, HEADER + view.getUint32(4, true)));
    if (flags & END) this.#loaded = true;
  }

  /** @param {Uint8Array} body */
  #setKey(body) {
    const view = viewOf(body);
    const [length, flags] = [view.getUint16(0, true), view.getUint16(2, true)];
    if (this.#associated !== null || length < SHORTEST || length > LONGEST) return ERROR;
    this.#key = { length, isPassphrase: (flags & IS_PASSPHRASE) !== 0, bytes: body.slice(4, 4 + length) };
    return 0;
  }

  #disassociate() {
    const associated = this.#associated !== null;
    this.#leave();
    if (associated) {
      this.#event(EVENTS.DISASSOCIATION, {});
      this.#event(EVENTS.LINK, { reason: SHUT_DOWN });
    }
    return 0;
  }

  /** @param {Uint8Array} body */
  #join(body) {
    if (!this.#up || !this.#loaded || !this.variables.has('country')) throw new Error('CYW43: a join before the radio is set up');
    this.attempts += 1;
    const name = Buffer.from(body.subarray(4, 4 + viewOf(body).getUint32(0, true))).toString('utf8');
    this.#leave();
    this.#then(TAKES.scan, () => {
      const point = this.chip.air.find((candidate) => candidate.on && candidate.name === name && this.#suits(candidate));
      if (point === undefined) return this.#event(EVENTS.SET_SSID, { status: NO_NETWORKS });
      return this.#associate(point);
    });
    return 0;
  }

  /** Goes on with the join that is under way, if it still is. @param {number} millis @param {() => void} go */
  #then(millis, go) {
    const attempt = this.#attempt;
    this.chip.later(millis, () => attempt === this.#attempt && go());
  }

  /** Whether the host's settings are for such a network. @param {import('./cyw43-air.mjs').AccessPoint} point */
  #suits(point) {
    const secured = (this.#settings.get(COMMAND.SET_WPA) ?? 0) !== 0 && (this.#settings.get(COMMAND.SET_SECURITY) ?? 0) !== 0;
    return secured === (point.passphrase !== null);
  }

  /** @param {import('./cyw43-air.mjs').AccessPoint} point */
  #associate(point) {
    this.#associated = point;
    this.#event(EVENTS.AUTHENTICATION, {});
    this.#then(TAKES.step, () => {
      this.#event(EVENTS.ASSOCIATION, {});
      this.#event(EVENTS.LINK, { flags: 1 });
      this.#event(EVENTS.JOIN, {});
      this.#event(EVENTS.SET_SSID, {});
      if (point.key !== null) this.#exchangeKeys(point, point.key);
    });
  }

  /** @param {import('./cyw43-air.mjs').AccessPoint} point @param {string} key */
  #exchangeKeys(point, key) {
    const failed = (/** @type {number} */ status) => this.#event(EVENTS.KEYS, { status, reason: HANDSHAKE_TIMEOUT });
    if (point.mute) return this.#then(TAKES.supplicant, () => failed(AWAITS_FIRST));
    if (this.#keyFor(point.name) !== key) return this.#then(TAKES.supplicant, () => failed(AWAITS_THIRD));
    return this.#then(TAKES.handshake, () => {
      this.#keyed = true;
      this.#event(EVENTS.KEYS, { status: KEYED });
    });
  }

  /** @param {string} name of the network */
  #keyFor(name) {
    if (this.#key === null) return null;
    const text = Buffer.from(this.#key.bytes).toString('latin1');
    return this.#key.isPassphrase ? keyOf(text, name) : text.toLowerCase();
  }

  /**
   * Tells the host of an event, unless it wants to hear none of the kind.
   * @param {number} type
   * @param {{ flags?: number, status?: number, reason?: number }} event
   */
  #event(type, { flags = 0, status = SUCCESS, reason = 0 }) {
    const mask = this.variables.get('bsscfg:event_msgs') ?? new Uint8Array(28);
    if ((mask[4 + (type >> 3)] & (1 << (type & 7))) === 0) return;
    const frame = Buffer.alloc(14 + 10 + 48);
    Buffer.from(WlanFirmware.address).copy(frame, 0);
    Buffer.from(WlanFirmware.address).copy(frame, 6);
    frame.writeUInt16BE(0x886c, 12);
    // A vendor's own kind, Broadcom's, an event.
    frame.writeUInt16BE(0x8001, 14);
    frame.writeUInt16BE(frame.length - 18, 16);
    frame.set([0, 0x00, 0x10, 0x18, 0, 1], 18);
    frame.writeUInt16BE(2, 24);
    frame.writeUInt16BE(flags, 26);
    [type, status, reason].forEach((value, index) => frame.writeUInt32BE(value, 28 + 4 * index));
    frame.write('wl0', 54, 'latin1');
    this.#deliver(EVENT, Buffer.concat([bdc(), frame]));
  }

  /** Tells a host that has no credit left of more, if nothing else has by then. */
  #giveCredit() {
    const isSpent = () => this.#allowed === this.#hostNext;
    if (isSpent()) this.chip.later(TAKES.credit, () => isSpent() && this.#deliver(CONTROL, new Uint8Array(0)));
  }

  /** @param {number} channel @param {Uint8Array} payload */
  #deliver(channel, payload) {
    const packet = Buffer.alloc(SDPCM_BYTES + payload.length);
    packet.writeUInt16LE(packet.length, 0);
    packet.writeUInt16LE(~packet.length & 0xffff, 2);
    this.#allowed = (this.#hostNext + CREDIT) & 0xff;
    packet.set([this.#next, channel, 0, SDPCM_BYTES, 0, this.#allowed], 4);
    packet.set(payload, SDPCM_BYTES);
    this.#next = (this.#next + 1) & 0xff;
    this.chip.deliver(packet);
  }
}

function bdc() {
  return Uint8Array.of(BDC_VERSION, 0, 0, 0);
}

/** @param {Uint8Array} body that begins with a name, and a zero behind it */
function nameIn(body) {
  return Buffer.from(body.subarray(0, body.indexOf(0))).toString('latin1');
}

/** @param {Uint8Array} bytes */
function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
