/**
 * Joins a board's Ethernet to a real TCP/IP stack: QEMU's user-mode network, run without any guest.
 *
 * QEMU documentation, "Network emulation": a `hubport` joins `-netdev user` to `-netdev socket`, whose stream carries
 * each frame behind its length, 32 bits big-endian. The board gets 10.0.2.15 by DHCP; 10.0.2.2 is the host's loopback.
 * Nothing here needs privileges. Names and time are served from the test, see `dns.mjs` and `sntp.mjs`.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

import { OpenConnections } from './tcp.mjs';
import { answerUdp } from './udp.mjs';

/** The host's loopback as the board sees it. */
export const HOST_ADDRESS = '10.0.2.2';

const START_MILLIS = 10_000;

/**
 * @typedef {object} Fate what happens to a frame on its way
 * @property {boolean} [drop]
 * @property {number} [delaySeconds] in simulated time
 *
 * @typedef {'from board' | 'to board'} Direction
 */

export class Network {
  /**
   * For so long after a frame sleep takes as long as in reality, because the other side needs real time to answer.
   * After that, simulated time leaps. A test that waits for the other side's own timers has to raise it.
   */
  settleMillis = 200;

  /** The same while a TCP connection is open: the other side may be a busy machine's. */
  answerMillis = 5000;

  #open = new OpenConnections();

  /** When a frame was last under way, on the host's clock in milliseconds. */
  #lastActivity = -Infinity;

  /** Frames seen in each direction. */
  frames = { 'from board': 0, 'to board': 0 };

  /** Decides on each frame; everything passes at first. @type {(frame: Uint8Array, direction: Direction) => Fate} */
  fate = () => ({});

  /** Told of each frame before its fate is decided. @type {((frame: Uint8Array, direction: Direction) => void)[]} */
  listeners = [];

  /** Services answered from here, by UDP port. @type {Map<number, import('./udp.mjs').UdpService>} */
  services = new Map();

  /** @type {{ due: number, go: () => void }[]} */
  #delayed = [];

  /**
   * @param {import('./board.mjs').Board} board
   * @param {net.Socket} socket
   * @param {() => void} quit
   */
  constructor(board, socket, quit) {
    this.board = board;
    this.socket = socket;
    this.quit = quit;
    readFrames(socket, (frame) => this.#route('to board', frame, () => this.board.link.receive(frame)));
    board.network = this;
  }

  /**
   * Starts QEMU and plugs the board in.
   * @param {import('./board.mjs').Board} board
   */
  static async join(board) {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    const netdevs = [
      'user,id=world,ipv6=off',
      `socket,id=board,connect=127.0.0.1:${port}`,
      'hubport,hubid=0,id=hub-world,netdev=world',
      'hubport,hubid=0,id=hub-board,netdev=board',
    ];
    const options = ['-M', 'none', '-nographic', '-monitor', 'none', '-serial', 'none'];
    const quit = startQemu([...options, ...netdevs.flatMap((netdev) => ['-netdev', netdev])], (message) => {
      server.emit('error', new Error(message));
    });
    try {
      const signal = AbortSignal.timeout(START_MILLIS);
      const [socket] = await once(server, 'connection', { signal });
      return new Network(board, socket, quit);
    } catch (error) {
      quit();
      throw error;
    } finally {
      server.close();
    }
  }

  /** Whether the other side may need real time to answer. */
  get busy() {
    const patience = this.#open.any ? Math.max(this.answerMillis, this.settleMillis) : this.settleMillis;
    return performance.now() - this.#lastActivity < patience;
  }

  /** The board has lost what it knew of connections. */
  forget() {
    this.#open.clear();
  }

  /** Unplugs the board and stops QEMU. */
  leave() {
    this.board.network = null;
    this.socket.destroy();
    this.quit();
  }

  /**
   * Takes a frame from the board.
   * @param {Uint8Array} frame
   */
  send(frame) {
    this.#route('from board', frame, () => {
      const answer = answerUdp(frame, this.services);
      if (answer) this.#route('to board', answer, () => this.board.link.receive(answer));
      if (answer !== undefined) return;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(frame.length);
      this.socket.write(Buffer.concat([length, frame]));
    });
  }

  /**
   * Lets delayed frames go on whose time has come.
   * @param {number} nanos simulated time
   */
  poll(nanos) {
    const due = this.#delayed.filter((entry) => entry.due <= nanos);
    if (due.length === 0) return;
    this.#delayed = this.#delayed.filter((entry) => entry.due > nanos);
    for (const { go } of due) go();
  }

  /**
   * @param {Direction} direction
   * @param {Uint8Array} frame
   * @param {() => void} go
   */
  #route(direction, frame, go) {
    this.#lastActivity = performance.now();
    this.frames[direction] += 1;
    for (const listen of this.listeners) listen(frame, direction);
    const { drop = false, delaySeconds = 0 } = this.fate(frame, direction);
    if (drop) return;
    this.#open.see(frame, direction === 'from board');
    // Frames reach the board between two slices of simulated time, not in the midst of an instruction.
    if (direction === 'from board' && delaySeconds === 0) go();
    else this.#delayed.push({ due: this.board.nanos + delaySeconds * 1e9, go });
  }
}

/**
 * Runs QEMU for as long as this process lives: a shell behind it waits for the end of a pipe and then ends it.
 * @param {string[]} options
 * @param {(message: string) => void} onFailure
 * @returns {() => void} ends it
 */
function startQemu(options, onFailure) {
  const script = '{ read end <&3; kill $$; } & exec "$@" 3<&-';
  const qemu = spawn('sh', ['-c', script, 'sh', 'qemu-system-arm', ...options], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  qemu.stderr?.on('data', (text) => (complaints += text));
  qemu.on('exit', (code) => {
    if (code) onFailure(`qemu-system-arm (Debian package qemu-system-arm) does not run: ${complaints.trim()}`);
  });
  return () => qemu.stdio[3]?.destroy();
}

/**
 * Cuts a stream into frames.
 * @param {net.Socket} socket
 * @param {(frame: Buffer) => void} onFrame
 */
function readFrames(socket, onFrame) {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      onFrame(pending.subarray(4, end));
      pending = pending.subarray(end);
    }
  });
  socket.on('error', () => {});
}
