/** The board's Ethernet through embassy's driver and stack, QEMU's network, and a server on this host's loopback. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test, { after, before } from 'node:test';

import { Board } from '../board.mjs';
import { nameServer } from '../dns.mjs';
import { flashed } from '../firmware.mjs';
import { HOST_ADDRESS, Network } from '../network.mjs';
import { timeServer } from '../sntp.mjs';

/** Answers a line `... COUNT` with so many bytes, and closes. */
const server = net.createServer((socket) => {
  let line = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    line += chunk;
    if (!line.endsWith('\n')) return;
    lines.push(line.trim());
    socket.end(Buffer.alloc(Number(line.trim().split(' ').at(-1)), 'z'));
  });
});
/** @type {string[]} */
const lines = [];
let port = 0;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = /** @type {net.AddressInfo} */ (server.address()).port;
});
after(() => server.close());

/** @param {(board: Board, network: Network) => Promise<void>} body */
async function joined(body) {
  const board = new Board(flashed('network'));
  const network = await Network.join(board);
  try {
    network.services.set(53, nameServer(new Map([['server.test', HOST_ADDRESS], ['time.test', '10.0.2.3']])));
    network.services.set(123, timeServer(() => board.worldTime));
    board.powerOn();
    assert.equal(await board.expect('address'), 'address 10.0.2.15/24');
    await body(board, network);
  } finally {
    network.leave();
  }
}

test('an address by DHCP, a name by DNS, and a line to a server by TCP', () =>
  joined(async (board) => {
    board.console.send(`get server.test ${port} hello 5\n`);
    assert.match(await board.expect('received'), /^received 5 bytes, the last 7a/);
    assert.equal(lines.at(-1), 'hello 5');
  }));

test('200 KB arrive whole, through a buffer of 16 KB', () =>
  joined(async (board) => {
    board.console.send(`get server.test ${port} much 200000\n`);
    assert.match(await board.expect('received', 30), /^received 200000 bytes/);
  }));

test('time by SNTP is the time of the simulated world', () =>
  joined(async (board) => {
    board.console.send('time time.test\n');
    const seconds = Number((await board.expect('seconds')).split(' ')[1]);
    const world = board.worldTime.getTime() / 1000 + 2_208_988_800;
    assert.ok(Math.abs(seconds - world) < 2, `${seconds} and ${world}`);
  }));

test('a name that is not known, and a port where nobody listens', () =>
  joined(async (board) => {
    board.console.send(`get nobody.test ${port} x\n`);
    assert.equal(await board.expect('failed'), 'failed: resolve');
    board.console.send('get server.test 1 x\n');
    assert.equal(await board.expect('failed'), 'failed: connect');
  }));

test('lost frames are sent again: every seventh is dropped, and all arrives', () =>
  joined(async (board, network) => {
    let count = 0;
    network.fate = () => ({ drop: ++count % 7 === 0 });
    network.settleMillis = 3000;
    board.console.send(`get server.test ${port} lossy 8000\n`);
    assert.match(await board.expect('received', 60), /^received 8000 bytes/);
    assert.ok(count > 14);
  }));

test('a slow network takes simulated time, not real time', () =>
  joined(async (board, network) => {
    network.fate = (_, direction) => (direction === 'to board' ? { delaySeconds: 2 } : {});
    const host = performance.now();
    board.console.send(`get server.test ${port} slow 5\n`);
    const [, millis] = (await board.expect('received', 60)).match(/in (\d+) ms/) ?? [];
    assert.ok(Number(millis) >= 6000, `${millis} ms`);
    assert.ok(performance.now() - host < 6000);
  }));

test('a cable that is pulled ends the connection, and one that is put back serves again', () =>
  joined(async (board) => {
    board.ethernet.cable = false;
    await board.run({ seconds: 1 });
    board.console.send(`get server.test ${port} unplugged 5\n`);
    assert.match(await board.expect('failed', 60), /^failed/);
    board.ethernet.cable = true;
    await board.run({ seconds: 2 });
    board.console.send(`get server.test ${port} plugged 5\n`);
    assert.match(await board.expect('received', 30), /^received 5 bytes/);
    assert.ok(!lines.includes('unplugged 5'));
  }));
