/**
 * The stand-in of the APIs as a process of its own, with its clock and its failures in the test's hand: `standin/`.
 *
 * What it tells is what really arrived, judged by another JWT library than the firmware's.
 */

import { spawn } from 'node:child_process';
import readline from 'node:readline';

/**
 * @typedef {object} Request as it arrived
 * @property {number} at Unix seconds on the server's clock
 * @property {number} status
 * @property {string} request_id
 * @property {string} verdict
 * @property {{ text?: string, local_id?: string } | null} body
 *
 * @typedef {object} Message an SMS that would have been sent
 * @property {number} id
 * @property {number} at Unix seconds on the server's clock
 * @property {string} request_id
 * @property {string} local_id
 * @property {string} text
 *
 * @typedef {{ status: number } | { retry_after: number } | { request_bytes: number } | { response_bytes: number }
 *   | { late_millis: number }} Failure see `Failure` in `standin/src/main.rs`
 *
 * @typedef {[id: string, key: string]} Secret
 */

/** The vendor's published example, which the stand-in accepts at first. @type {Secret} */
export const EXAMPLE_SECRET = ['74f80a77-9b3f-44ac-b3ad-ab68cfb548fa', 'cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK'];

export class Standin {
  /** Orders that are not answered yet, oldest first. @type {{ resolve: (answer: any) => void, reject: (reason: Error) => void }[]} */
  #waiting = [];

  /**
   * @param {import('node:child_process').ChildProcessWithoutNullStreams} child
   * @param {{ port: number, ca: string | null }} greeting
   */
  constructor(child, { port, ca }) {
    this.child = child;
    /** Where it listens on the host's loopback. */
    this.port = port;
    /** The CA to trust, as PEM, if it speaks TLS. */
    this.ca = ca;
  }

  /**
   * @param {string} program
   * @param {{ tls?: boolean }} [options]
   */
  static async start(program, { tls = false } = {}) {
    const child = spawn(program, tls ? ['--tls'] : [], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = readline.createInterface({ input: child.stdout });
    const greeting = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', () => reject(new Error(`${program} has ended`)));
      lines.once('line', resolve);
    });
    const standin = new Standin(/** @type {any} */ (child), JSON.parse(greeting));
    lines.on('line', (line) => standin.#waiting.shift()?.resolve(JSON.parse(line)));
    // What waits for a program that has ended would wait for ever.
    child.on('exit', () => {
      for (const { reject } of standin.#waiting.splice(0)) reject(new Error(`${program} has ended`));
    });
    return standin;
  }

  /** Sets its clock. @param {number} unixSecs */
  setNow(unixSecs) {
    return this.#order({ now: unixSecs });
  }

  /** The secrets that are accepted from now on; null is one that was revoked. @param {[Secret | null, Secret | null]} secrets */
  accept(secrets) {
    return this.#order({ secrets });
  }

  /**
   * Fails requests from now on, `count` of them or all.
   * @param {Failure} what
   * @param {number | null} [count]
   */
  fail(what, count = null) {
    return this.#order({ fail: { count, what } });
  }

  /** Ends all failures. */
  behave() {
    return this.#order('behave');
  }

  /** Everything that it has seen. @returns {Promise<{ requests: Request[], messages: Message[] }>} */
  tell() {
    return this.#order({ tell: { requests: 0, messages: 0 } });
  }

  stop() {
    this.child.stdin.end();
  }

  /** @param {unknown} order */
  #order(order) {
    if (this.child.exitCode !== null) throw new Error('the stand-in has ended');
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.child.stdin.write(`${JSON.stringify(order)}\n`);
    });
  }
}
