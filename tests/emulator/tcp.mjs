/**
 * Watches the board's TCP connections on the wire.
 *
 * RFC 894 (Ethernet), 791 (IPv4), 9293 section 3.1 (TCP header). IP options are not expected.
 */

const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;
const [IP_AT, TCP_AT] = [14, 34];
const [SYN, ACK] = [0x02, 0x10];

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
    const packet = Buffer.from(frame);
    if (direction !== 'from board' || packet.length < TCP_AT + 20) return;
    if (packet.readUInt16BE(12) !== ETHERTYPE_IPV4 || packet[IP_AT + 9] !== PROTOCOL_TCP) return;
    if ((packet[TCP_AT + 13] & (SYN | ACK)) !== SYN) return;
    // Port and initial sequence number.
    const connection = `${packet.readUInt16BE(TCP_AT)} ${packet.readUInt32BE(TCP_AT + 4)}`;
    if (seen.has(connection)) return;
    seen.add(connection);
    at.push(network.board.nanos / 1e9);
  });
  return at;
}
