/**
 * What TLS costs the release ELF: time, the longest step, memory, for each kind of chain.
 *
 * `chains/` holds a key, its certificate for `localhost`, an intermediate and a root in each file, made by OpenSSL and
 * valid until 2056; the files are called by the keys of root, intermediate and server. The keys guard nothing.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

import { nameServer } from '../../../tests/emulator/dns.mjs';
import { HOST_ADDRESS } from '../../../tests/emulator/network.mjs';
import { connectionAttempts } from '../../../tests/emulator/tcp.mjs';
import { DOOR, build, delivered, rehearse } from './rehearsal.mjs';

/** @typedef {import('./rehearsal.mjs').Scene} Scene */

const chains = fileURLToPath(new URL('chains', import.meta.url));

/** The firmware asks the watchdog for 8 s; a real chip waits for its flash besides. */
const LONGEST_SECONDS = 4;

/** @type {string[]} */
const figures = [];

before(build);
after(() => console.log(figures.join('\n')));

for (const file of fs.readdirSync(chains).sort()) {
  for (const version of /** @type {const} */ (['TLSv1.2', 'TLSv1.3'])) {
    const name = `${path.basename(file, '.pem')}, ${version}`;
    test(name, () => shakeHands(name, fs.readFileSync(path.join(chains, file), 'utf8'), version));
  }
}

/**
 * Sends an alert through a TLS server with this chain and notes what it took.
 * @param {string} name
 * @param {string} pem
 * @param {import('node:tls').SecureVersion} version
 */
async function shakeHands(name, pem, version) {
  const [key, certificate, intermediate, root] = pem.match(/-----BEGIN[^]+?-----END [A-Z ]+-----\n/g) ?? [];
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tls-'));
  const ca = path.join(directory, 'ca.pem');
  fs.writeFileSync(ca, root);
  // TLS ends here, and the stand-in behind it hears plain HTTP.
  let behind = 0;
  const cert = certificate + intermediate;
  const front = tls.createServer({ key, cert, minVersion: version, maxVersion: version }, (client) => {
    const server = net.connect(behind, '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => socket.destroy());
    client.pipe(server).pipe(client);
  });
  await new Promise((resolve) => front.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {net.AddressInfo} */ (front.address());
  /** @param {import('../../../tests/emulator/standin.mjs').Standin} server */
  const network = (server) => {
    behind = server.port;
    return `host = "localhost"\ncertificates = "${ca}"`;
  };
  try {
    await rehearse((scene) => measure(name, scene), { network, port });
  } finally {
    front.close();
    fs.rmSync(directory, { recursive: true });
  }
}

/** @param {string} name @param {Scene} scene */
async function measure(name, scene) {
  const { board, network } = scene;
  const names = new Map([['time.test', '10.0.2.3'], ['localhost', HOST_ADDRESS]]);
  network.services.set(53, nameServer(names));
  const attempts = connectionAttempts(network);
  board.drive(DOOR, false);
  board.powerOn();
  assert.ok(await board.run({ seconds: 20, until: () => attempts.length > 0 }));
  let [busySince, longest] = [board.nanos, 0];
  const done = () => {
    if (board.machine?.mcu.core.waiting) busySince = board.nanos;
    longest = Math.max(longest, (board.nanos - busySince) / 1e9);
    return board.console.lines.some((line) => line.includes('delivered'));
  };
  assert.ok(await board.run({ seconds: 30, until: done }));
  const seconds = board.nanos / 1e9 - attempts[0];
  await delivered(scene);
  board.console.send('status\r');
  const [, memory] = /TLS (.*)/.exec(await board.expect('TLS')) ?? [];
  assert.deepEqual(board.endings, []);
  assert.ok(longest < LONGEST_SECONDS, `${longest} s`);
  figures.push(`${name}: ${seconds.toFixed(2)} s, ${longest.toFixed(2)} s without a pause, ${memory}`);
}
