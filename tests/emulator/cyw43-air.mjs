/**
 * What is in the air around the radio: access points.
 *
 * IEEE 802.11-2020 annex J.4: a passphrase and the network's name make the key of 256 bits.
 */

import { pbkdf2Sync } from 'node:crypto';

export class AccessPoint {
  /** Whether it is there. */
  on = true;

  /** Whether it lets a station associate, and then never begins the key exchange. */
  mute = false;

  /**
   * @param {string} name
   * @param {string | null} passphrase `null` if it is open
   */
  constructor(name, passphrase) {
    this.name = name;
    this.passphrase = passphrase;
  }

  /** The key that a station has to have, in hexadecimal digits; `null` if it is open. */
  get key() {
    return this.passphrase === null ? null : keyOf(this.passphrase, this.name);
  }
}

/** @param {string} passphrase @param {string} name @returns {string} */
export function keyOf(passphrase, name) {
  return pbkdf2Sync(passphrase, name, 4096, 32, 'sha1').toString('hex');
}
