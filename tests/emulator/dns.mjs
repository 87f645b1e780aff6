/**
 * A name server for a handful of names.
 *
 * RFC 1035, section 4.1 (messages): one question, class IN. Names that are not listed do not exist.
 */

const HEADER_BYTES = 12;
const TYPE_A = 1;
const [NO_ERROR, NAME_ERROR] = [0, 3];
const RESPONSE_AUTHORITATIVE = 0x8400;
const RECURSION_AVAILABLE = 0x0080;
const RECURSION_DESIRED = 0x0100;
/** A pointer to the name in the question. */
const NAME_POINTER = 0xc00c;
const TTL_SECONDS = 60;

/**
 * Makes a UDP service, for port 53.
 * @param {Map<string, string>} names IPv4 addresses in dotted form; may change while it serves
 * @returns {import('./udp.mjs').UdpService}
 */
export function nameServer(names) {
  return (query) => {
    if (query.length < HEADER_BYTES || query.readUInt16BE(4) !== 1) return null;
    const { name, end } = readName(query, HEADER_BYTES);
    const type = query.readUInt16BE(end);
    const question = query.subarray(HEADER_BYTES, end + 4);
    const address = names.get(name);
    const answers = address !== undefined && type === TYPE_A ? [answer(address)] : [];
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    const wanted = query.readUInt16BE(2) & RECURSION_DESIRED;
    const code = address === undefined ? NAME_ERROR : NO_ERROR;
    header.writeUInt16BE(RESPONSE_AUTHORITATIVE | RECURSION_AVAILABLE | wanted | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    return Buffer.concat([header, question, ...answers]);
  };
}

/** @param {string} address */
function answer(address) {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(NAME_POINTER, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  record.set(address.split('.').map(Number), 12);
  return record;
}

/**
 * @param {Buffer} message
 * @param {number} start
 */
function readName(message, start) {
  const labels = [];
  let at = start;
  while (message[at] !== 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]).toLowerCase());
    at += 1 + message[at];
  }
  return { name: labels.join('.'), end: at + 1 };
}
