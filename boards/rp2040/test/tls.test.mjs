/** The release ELF speaks TLS: to a server whose CA it was provisioned with, and to no other. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test, { before } from 'node:test';

import { nameServer } from '../../../tests/emulator/dns.mjs';
import { HOST_ADDRESS } from '../../../tests/emulator/network.mjs';
import { connectionAttempts } from '../../../tests/emulator/tcp.mjs';
import { DOOR, FLOOD, build, delivered, outbox, rehearse } from './rehearsal.mjs';

/** @typedef {import('./rehearsal.mjs').Scene} Scene */

/** RP2040 datasheet section 4.7.2: what the watchdog can count to; the firmware asks for 8 s. */
const WATCHDOG_SECONDS = 8;

const DAY = 24 * 60 * 60;

/**
 * Plays a scene with a server that speaks TLS, whose certificate is for `localhost` and valid for a day.
 * @param {(scene: Scene) => Promise<void>} play
 * @param {{ host?: string, trusted?: boolean }} [device]
 */
function rehearseTls(play, { host = 'localhost', trusted = true } = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tls-'));
  const file = path.join(directory, 'ca.pem');
  /** @param {import('../../../tests/emulator/standin.mjs').Standin} server */
  const network = (server) => {
    fs.writeFileSync(file, server.ca ?? '');
    return `host = "${host}"\n${trusted ? `certificates = "${file}"` : ''}`;
  };
  /** @param {Scene} scene */
  const playWithNames = (scene) => {
    const names = new Map([['time.test', '10.0.2.3'], ['localhost', HOST_ADDRESS], ['api.test', HOST_ADDRESS]]);
    scene.network.services.set(53, nameServer(names));
    return play(scene);
  };
  return rehearse(playWithNames, { tls: true, network }).finally(() => fs.rmSync(directory, { recursive: true }));
}

/**
 * Raises an alert and waits for what the console says of the attempt, while nothing reaches the server.
 * @param {Scene} scene
 * @param {string} reason
 */
async function refused({ board, network, server }, reason) {
  const attempts = connectionAttempts(network);
  board.drive(DOOR, false);
  board.powerOn();
  await board.expect('not sent', 30);
  await board.expect(reason);
  assert.ok(attempts.length >= 1);
  assert.deepEqual((await server.tell()).requests, []);
  assert.equal((await outbox(board)).waiting, 1);
}

before(build);

test('an alert arrives by TLS, and contacts count while it does', () =>
  rehearseTls(async (scene) => {
    const { board, network } = scene;
    board.powerOn();
    await board.expect('link: ');
    board.drive(DOOR, false);
    const attempts = connectionAttempts(network);
    assert.ok(await board.run({ seconds: 20, until: () => attempts.length > 0 }));
    const began = board.nanos;

    // From here on TLS computes; the door's alert is on its way, the flood comes and goes.
    let [busySince, longest] = [board.nanos, 0];
    let flooded = false;
    const done = () => {
      const now = board.nanos;
      if (board.machine?.mcu.core.waiting) busySince = now;
      longest = Math.max(longest, now - busySince);
      if (!flooded && now - busySince > 0.2e9) {
        flooded = true;
        board.drive(FLOOD, false);
      }
      if (flooded && now - busySince > 0.4e9) board.drive(FLOOD, null);
      return board.console.lines.some((line) => line.includes('delivered'));
    };
    assert.ok(await board.run({ seconds: 30, until: done }));
    const seconds = (board.nanos - began) / 1e9;
    assert.ok(board.console.lines.some((line) => line.includes('waits: Cellar: water')), 'the flood was missed');
    await delivered(scene);
    await delivered(scene);

    assert.ok(longest < (WATCHDOG_SECONDS / 2) * 1e9);
    assert.deepEqual(board.endings, []);
    board.console.send('status\r');
    const [, memory] = /TLS (.*)/.exec(await board.expect('TLS')) ?? [];
    console.log(`TLS memory: ${memory}`);
    console.log(`from the connection to the answer ${seconds.toFixed(2)} s, busy for ${(longest / 1e9).toFixed(2)} s`);
  }));

test('a CA that was not provisioned is trusted in nothing', () =>
  rehearseTls((scene) => refused(scene, 'from nobody who is trusted'), { trusted: false }));

test('a certificate for another host is refused', () =>
  rehearseTls((scene) => refused(scene, 'for another host'), { host: 'api.test' }));

test('an expired certificate is refused', () =>
  rehearseTls((scene) => {
    scene.board.start = new Date(scene.board.start.getTime() + 2 * DAY * 1000);
    scene.board.clock.set(scene.board.worldTime);
    return refused(scene, 'has expired');
  }));

test('without the time nobody is connected to', () =>
  rehearseTls(async ({ board, network, server }) => {
    const attempts = connectionAttempts(network);
    network.services.delete(123);
    board.clock.losePower();
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('waits for the clock', 30);
    await board.run({ seconds: 5 });
    assert.deepEqual(attempts, []);
    assert.deepEqual((await server.tell()).requests, []);
  }));

test('a server that says a little now and then is given up', async () => {
  /** @type {net.Socket[]} */
  const clients = [];
  const server = net.createServer((client) => clients.push(client.on('error', () => {})));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  /** @param {Scene} scene */
  const play = async ({ board, network }) => {
    network.services.set(53, nameServer(new Map([['time.test', '10.0.2.3'], ['localhost', HOST_ADDRESS]])));
    // Nobody owes an answer here.
    network.answerMillis = 0;
    board.drive(DOOR, false);
    board.powerOn();
    assert.ok(await board.run({ seconds: 20, until: () => clients.length > 0 }));
    const began = board.nanos;
    // The beginning of a handshake's record of 4 KB (RFC 8446, section 5.1), of which the firmware waits 10 s for each byte.
    const record = [0x16, 3, 3, 0x10, 0, ...Array(100).fill(2)];
    let said = 0;
    const done = () => {
      if (board.nanos - began > said * 5e9) clients[0].write(Buffer.from([record[said++]]));
      return board.console.lines.some((line) => line.includes('not sent'));
    };
    assert.ok(await board.run({ seconds: 60, until: done }));
    await board.expect('the server takes too long');
    const seconds = (board.nanos - began) / 1e9;
    assert.ok(seconds > 25 && seconds < 35, `${seconds} s`);
    assert.deepEqual(board.endings, []);
  };
  await rehearse(play, { network: 'host = "localhost"', port }).finally(() => server.close());
});
