/**
 * Looks at the board's TCP connections on the wire.
 *
 * RFC 894 (Ethernet), 791 (IPv4), 9293 section 3.1 (TCP header). IP options are not expected.
 */

const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;
const [IP_AT, TCP_AT] = [14, 34];
const [FIN, SYN, RST, ACK] = [0x01, 0x02, 0x04, 0x10];

/**
 * Reads the TCP header of a frame.
 * @param {Uint8Array} frame
 * @returns {{ ports: [source: number, destination: number], sequence: number, flags: number } | null} null if there is none
 */
function readTcp(frame) {
  const packet = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (packet.length < TCP_AT + 20 || packet.readUInt16BE(12) !== ETHERTYPE_IPV4) return null;
  if (packet[IP_AT + 9] !== PROTOCOL_TCP) return null;
  return {
    ports: [packet.readUInt16BE(TCP_AT), packet.readUInt16BE(TCP_AT + 2)],
    sequence: packet.readUInt32BE(TCP_AT + 4),
    flags: packet[TCP_AT + 13],
  };
}

/** The connections of which the board may expect something. */
export class OpenConnections {
  /** Their ports on the board. */
  #ports = new Set();

  get any() {
    return this.#ports.size > 0;
  }

  /**
   * Takes note of a frame that was not lost.
   * @param {Uint8Array} frame
   * @param {boolean} fromBoard
   */
  see(frame, fromBoard) {
    const segment = readTcp(frame);
    if (segment === null) return;
    const port = segment.ports[fromBoard ? 0 : 1];
    if (segment.flags & (FIN | RST)) this.#ports.delete(port);
    else if (fromBoard && segment.flags & SYN) this.#ports.add(port);
  }

  /** The board has forgotten them all. */
  clear() {
    this.#ports.clear();
  }
}

/**
 * Notes when the board begins a connection; a SYN that is sent again is none.
 * @param {import('./network.mjs').Network} network
 * @returns {number[]} simulated seconds of each; grows
 */
export function connectionAttempts(network) {
  /** @type {number[]} */
  const at = [];
  const seen = new Set();
  network.listeners.push((frame, direction) => {
    const segment = direction === 'from board' ? readTcp(frame) : null;
    if (segment === null || (segment.flags & (SYN | ACK)) !== SYN) return;
    const connection = `${segment.ports[0]} ${segment.sequence}`;
    if (seen.has(connection)) return;
    seen.add(connection);
    at.push(network.board.nanos / 1e9);
  });
  return at;
}
