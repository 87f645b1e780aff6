/**
 * Reads who says something to whom in an Ethernet frame: for tests that want to know what is on the wire.
 *
 * RFC 894 (Ethernet), 826 (ARP), 791 (IPv4), 768 (UDP), 9293 section 3.1 (TCP). IP options are not expected.
 */

const [ETHERTYPE_IPV4, ETHERTYPE_ARP] = [0x0800, 0x0806];
const [ARP_SENDER_AT, IP_AT, IP_SOURCE_AT, IP_DESTINATION_AT, PORTS_AT] = [28, 14, 26, 30, 34];
const [TCP, UDP] = [6, 17];

/**
 * @typedef {object} Said
 * @property {string} station the Ethernet address that it is for, such as `52:55:0a:00:02:02`
 * @property {'arp' | 'tcp' | 'udp' | 'other'} kind
 * @property {string} from the IPv4 address
 * @property {string} [to] the IPv4 address, but for ARP
 * @property {number} [port] that it is for, of TCP and UDP
 */

/** @param {Uint8Array} frame @returns {Said | null} null if it is neither ARP nor IPv4 */
export function readFrame(frame) {
  const packet = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  const station = [...packet.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  const address = (/** @type {number} */ at) => packet.subarray(at, at + 4).join('.');
  const type = packet.readUInt16BE(12);
  if (type === ETHERTYPE_ARP) return { station, kind: 'arp', from: address(ARP_SENDER_AT) };
  if (type !== ETHERTYPE_IPV4) return null;
  const [from, to] = [address(IP_SOURCE_AT), address(IP_DESTINATION_AT)];
  const protocol = packet[IP_AT + 9];
  if (protocol !== TCP && protocol !== UDP) return { station, kind: 'other', from, to };
  return { station, kind: protocol === TCP ? 'tcp' : 'udp', from, to, port: packet.readUInt16BE(PORTS_AT + 2) };
}
