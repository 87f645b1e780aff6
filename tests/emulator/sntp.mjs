/**
 * A time server whose time the test sets.
 *
 * RFC 5905, section 7.3 (packet header) and 6 (timestamps: seconds since 1900 with a binary fraction); a client needs no
 * more than RFC 4330 describes.
 */

const PACKET_BYTES = 48;
const [MODE_CLIENT, MODE_SERVER] = [3, 4];
const SECONDS_1900_TO_1970 = 2_208_988_800;

/**
 * Makes a UDP service, for port 123.
 * @param {() => Date} now
 * @param {{ stratum?: number, leap?: number }} [quality] stratum 0 is a refusal, leap 3 an unsynchronised server
 * @returns {import('./udp.mjs').UdpService}
 */
export function timeServer(now, { stratum = 1, leap = 0 } = {}) {
  return (request) => {
    if (request.length < PACKET_BYTES || (request[0] & 7) !== MODE_CLIENT) return null;
    const packet = Buffer.alloc(PACKET_BYTES);
    packet[0] = (leap << 6) | (request[0] & 0x38) | MODE_SERVER;
    packet[1] = stratum;
    packet[2] = request[2];
    packet[3] = 0xec; // precision: 2^-20 seconds
    packet.write('TEST', 12, 'latin1');
    const timestamp = toTimestamp(now());
    timestamp.copy(packet, 16);
    request.copy(packet, 24, 40, 48);
    timestamp.copy(packet, 32);
    timestamp.copy(packet, 40);
    return packet;
  };
}

/** @param {Date} date */
function toTimestamp(date) {
  const millis = date.getTime();
  const timestamp = Buffer.alloc(8);
  timestamp.writeUInt32BE((Math.floor(millis / 1000) + SECONDS_1900_TO_1970) % 2 ** 32, 0);
  timestamp.writeUInt32BE(Math.floor(((millis % 1000) / 1000) * 2 ** 32), 4);
  return timestamp;
}
