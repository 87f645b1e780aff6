/**
 * Answers UDP datagrams that a board sends, out of JavaScript: for services that a test wants to control, such as names
 * and time.
 *
 * RFC 894 (Ethernet), 791 (IPv4), 768 (UDP), 1071 (checksum). Fragments and IP options are left to others.
 */

const ETHERTYPE_IPV4 = 0x0800;
const IP_HEADER_NO_OPTIONS = 0x45;
const PROTOCOL_UDP = 17;
const FRAGMENT = 0x3fff;
const [IP_AT, UDP_AT, PAYLOAD_AT] = [14, 34, 42];

/** @typedef {(payload: Buffer) => Buffer | null} UdpService answers a datagram, or does not */

/**
 * Lets a service answer a frame.
 * @param {Uint8Array} frame sent by the board
 * @param {Map<number, UdpService>} services by destination port
 * @returns {Buffer | null | undefined} the answering frame; null if the service keeps silent; undefined if it is none of
 *   these services' business
 */
export function answerUdp(frame, services) {
  const packet = Buffer.from(frame);
  if (packet.length < PAYLOAD_AT || packet.readUInt16BE(12) !== ETHERTYPE_IPV4) return undefined;
  if (packet[IP_AT] !== IP_HEADER_NO_OPTIONS || packet[IP_AT + 9] !== PROTOCOL_UDP) return undefined;
  if (packet.readUInt16BE(IP_AT + 6) & FRAGMENT) return undefined;
  const service = services.get(packet.readUInt16BE(UDP_AT + 2));
  if (service === undefined) return undefined;
  const payload = service(packet.subarray(PAYLOAD_AT, UDP_AT + packet.readUInt16BE(UDP_AT + 4)));
  return payload && reply(packet, payload);
}

/**
 * @param {Buffer} packet
 * @param {Buffer} payload
 */
function reply(packet, payload) {
  const answer = Buffer.concat([packet.subarray(0, PAYLOAD_AT), payload]);
  swap(answer, 0, 6, 6);
  swap(answer, IP_AT + 12, IP_AT + 16, 4);
  swap(answer, UDP_AT, UDP_AT + 2, 2);
  answer.writeUInt16BE(answer.length - IP_AT, IP_AT + 2);
  answer[IP_AT + 8] = 64;
  answer.writeUInt16BE(0, IP_AT + 10);
  answer.writeUInt16BE(checksum(answer.subarray(IP_AT, UDP_AT)), IP_AT + 10);
  answer.writeUInt16BE(answer.length - UDP_AT, UDP_AT + 4);
  answer.writeUInt16BE(0, UDP_AT + 6);
  const pseudo = Buffer.alloc(12);
  answer.copy(pseudo, 0, IP_AT + 12, IP_AT + 20);
  pseudo[9] = PROTOCOL_UDP;
  pseudo.writeUInt16BE(answer.length - UDP_AT, 10);
  const sum = checksum(Buffer.concat([pseudo, answer.subarray(UDP_AT)]));
  // A sum of zero is sent as all ones: zero means that there is none.
  answer.writeUInt16BE(sum || 0xffff, UDP_AT + 6);
  return answer;
}

/**
 * @param {Buffer} buffer
 * @param {number} first
 * @param {number} second
 * @param {number} length
 */
function swap(buffer, first, second, length) {
  const kept = Buffer.from(buffer.subarray(first, first + length));
  buffer.copy(buffer, first, second, second + length);
  kept.copy(buffer, second);
}

/**
 * The Internet checksum.
 * @param {Buffer} bytes
 */
export function checksum(bytes) {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index] << 8) | (bytes[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
