/** An address that is provisioned instead of one by DHCP: what is on the wire tells which one the gateway has. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { HOST_ADDRESS } from '../../../tests/emulator/network.mjs';
import { readFrame } from '../../../tests/emulator/wire.mjs';
import { plugged, press } from './cable.mjs';
import { DOOR, TEST_NETWORK, build, delivered, rehearse, rehearseTls, settingsFor } from './rehearsal.mjs';

/** @typedef {import('./rehearsal.mjs').Scene} Scene */

/** What QEMU's DHCP offers: an address, and a name server. The router that it offers is 10.0.2.2. */
const [OFFERED, OFFERED_SERVER] = ['10.0.2.15', '10.0.2.3'];

/**
 * What is provisioned instead. The router is another of the two addresses that QEMU answers ARP for, by an Ethernet address
 * that ends in the same bytes. The name server is in another network, so the way to it is through the router.
 */
const [ADDRESS, ROUTER, NAME_SERVER] = ['10.0.2.77', '10.0.2.3', '192.0.2.53'];
const [ROUTER_STATION, HOST_STATION] = ['52:55:0a:00:02:03', '52:55:0a:00:02:02'];
const FIXED = `address = "${ADDRESS}/24"\nrouter = "${ROUTER}"\nname_server = "${NAME_SERVER}"`;

/** RFC 2131, section 4.1: ports of the server and of the client. */
const [DHCP_SERVER, DHCP_CLIENT] = [67, 68];
const DNS = 53;

/** @type {string} */
let directory;
before(() => {
  build();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'address-'));
});
after(() => fs.rmSync(directory, { recursive: true }));

/** What the board says from now on. @param {Scene} scene @returns {import('../../../tests/emulator/wire.mjs').Said[]} grows */
function overhear({ network }) {
  /** @type {import('../../../tests/emulator/wire.mjs').Said[]} */
  const heard = [];
  network.listeners.push((frame, direction) => {
    const said = direction === 'from board' ? readFrame(frame) : null;
    if (said !== null) heard.push(said);
  });
  return heard;
}

/** Takes the DHCP server away. @param {Scene} scene @returns {() => void} brings it back */
function silenceDhcp({ network }) {
  network.fate = (frame) => {
    const said = readFrame(frame);
    return { drop: said?.kind === 'udp' && (said.port === DHCP_SERVER || said.port === DHCP_CLIENT) };
  };
  return () => (network.fate = () => ({}));
}

/**
 * Waits until the board has asked a name server where the time is told, which may be after an alert has gone out.
 * @param {Scene} scene
 * @param {() => import('../../../tests/emulator/wire.mjs').Said[]} heard
 */
async function untilItAsks({ board }, heard) {
  const asks = () => heard().some(({ kind, port }) => kind === 'udp' && port === DNS);
  assert.ok(await board.run({ seconds: 10, until: asks }), 'no name server was asked');
}

/**
 * Checks that the board spoke from one address, and which name server it asked.
 * @param {import('../../../tests/emulator/wire.mjs').Said[]} heard
 * @param {string} address
 * @param {string} server
 */
function assertSpokeFrom(heard, address, server) {
  const asks = (/** @type {import('../../../tests/emulator/wire.mjs').Said} */ said) => said.port === DHCP_SERVER;
  // ARP probes and DHCP questions have no address yet.
  const from = heard.filter((said) => !asks(said) && said.from !== '0.0.0.0').map((said) => said.from);
  assert.deepEqual([...new Set(from)], [address]);
  assert.ok(heard.some(({ kind }) => kind === 'tcp'));
  const queries = heard.filter(({ kind, port }) => kind === 'udp' && port === DNS);
  assert.deepEqual([...new Set(queries.map(({ to }) => to))], [server]);
}

test('without DHCP: the alert goes out from the address given, by its router, and its name server is asked', () =>
  rehearseTls(
    async (scene) => {
      const { board } = scene;
      const heard = overhear(scene);
      silenceDhcp(scene);
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect('link: ');
      const known = heard.length;
      await delivered(scene, 60);
      board.console.send('status\r');
      await board.expect(`link: up, ${ADDRESS}/24`);
      assertSpokeFrom(heard, ADDRESS, NAME_SERVER);
      // Nobody is asked for an address any more.
      assert.deepEqual(heard.slice(known).filter(({ port }) => port === DHCP_SERVER), []);
      // The way to another network is through the router, the way within this one is not.
      const stations = (/** @type {string} */ to) => new Set(heard.filter((said) => said.to === to).map(({ station }) => station));
      assert.deepEqual([...stations(NAME_SERVER)], [ROUTER_STATION]);
      assert.deepEqual([...stations(HOST_ADDRESS)], [HOST_STATION]);
    },
    FIXED,
  ));

test('an address is provisioned in the field, and taken back', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    const heard = overhear(scene);
    board.powerOn();
    await board.expect('outbox:');
    board.console.send('test first\r');
    await delivered(scene);
    await untilItAsks(scene, () => heard);
    assertSpokeFrom(heard, OFFERED, OFFERED_SERVER);
    for (const [text, network, link, address, asked, dhcp] of /** @type {const} */ ([
      ['second', `${TEST_NETWORK}\n${FIXED}`, `link: up, ${ADDRESS}/24`, ADDRESS, NAME_SERVER, false],
      // The answer to DHCP may be there before this is said, or after.
      ['third', TEST_NETWORK, 'link: up, ', OFFERED, OFFERED_SERVER, true],
    ])) {
      const answerDhcp = silenceDhcp(scene);
      if (dhcp) answerDhcp();
      const file = path.join(directory, `${text}.toml`);
      fs.writeFileSync(file, settingsFor(server.port, network));
      await press(scene);
      const before = heard.length;
      await plugged(scene, board.console, async (device) => {
        const provisioned = await device('provision', ['--window', '--settings', file]);
        assert.equal(provisioned.code, 0, provisioned.err);
      });
      await board.expect(link, 20);
      board.console.send(`test ${text}\r`);
      await delivered(scene);
      const spoke = () => heard.slice(before + heard.slice(before).findIndex((said) => said.from === address));
      await untilItAsks(scene, spoke);
      const [since, after] = [heard.slice(before), spoke()];
      assertSpokeFrom(after, address, asked);
      const questions = (dhcp ? since : after).filter(({ port }) => port === DHCP_SERVER);
      assert.equal(questions.length > 0, dhcp);
    }
    const { messages } = await server.tell();
    assert.deepEqual(messages.map(({ text }) => text), ['first', 'second', 'third']);
    assert.deepEqual(board.endings, []);
  }));
