/** The release ELF, whole: alerts go out, hard days pass, and nothing is lost. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { after, before } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { DOOR, FLOOD, Server, build, provision, rehearse } from './rehearsal.mjs';

/** @type {Server} */
let server;
/** @type {Uint8Array} */
let store;

before(async () => {
  build();
  server = await Server.start();
  store = provision(server);
});
after(() => server.stop());

/** Waits for a delivery, and checks that the server knows of it. @param {import('../../../tests/emulator/board.mjs').Board} board */
async function delivered(board, seconds = 30) {
  const [, id] = /^alert (\w+) delivered: message \d+/.exec(await board.expect('delivered', seconds)) ?? [];
  const [, request] = /^ {2}status 200, request (\S+)$/.exec(await board.expect('status')) ?? [];
  assert.equal(await server.verdict(request), 'accepted');
  return id;
}

/** Asks for the status and returns its line about the outbox. @param {import('../../../tests/emulator/board.mjs').Board} board */
async function outbox(board) {
  const from = board.console.lines.length;
  const find = () => board.console.lines.slice(from).find((line) => line.startsWith('outbox:'));
  board.console.send('status\r');
  assert.ok(await board.run({ seconds: 5, until: () => find() !== undefined }), board.console.text);
  return find() ?? '';
}

test('a contact closes, and one message is sent', () =>
  rehearse(store, async (board) => {
    const before = server.log.length;
    board.powerOn();
    await board.expect('custody: plain');
    await board.expect('outbox: 0 waiting');
    board.drive(DOOR, false);
    await board.expect('Freezer 2: door open');
    await delivered(board);
    board.drive(DOOR, null);
    board.drive(FLOOD, false);
    await board.expect('Cellar: water');
    await delivered(board);
    assert.match(await outbox(board), /0 waiting, 0 held, 0 refused, 0 damaged/);
    assert.equal(server.log.length, before + 2);
    assert.equal(board.console.lost, 0);
  }));

test('the temperature and a line on the console', () =>
  rehearse(store, async (board) => {
    board.temperature = 70;
    board.powerOn();
    await board.expect('Too hot (70 C)');
    await delivered(board);
    board.console.send('test pump 7 is off\r');
    await board.expect('waits: pump 7 is off');
    await delivered(board);
  }));

test('without the time nothing is signed; SNTP tells it, and sets the clock chip', () =>
  rehearse(store, async (board, network) => {
    const before = server.log.length;
    board.clock.losePower();
    const time = network.services.get(123);
    network.services.delete(123);
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('clock: the clock is not set');
    await board.expect('waits for the clock');
    await board.expect("time.test doesn't tell the time", 40);
    assert.equal(server.log.length, before);
    assert.ok(time);
    network.services.set(123, time);
    await delivered(board, 90);
    assert.ok(Math.abs(Number(board.clock.time) - Number(board.worldTime)) < 3000);
  }));

test('a secure element signs what the server accepts; when it is silent, the alert waits for it', () =>
  rehearse(provision(server, undefined, ['--hardware-key', '3']), async (board) => {
    const { HEYMARKET_SECRET_ID: id, HEYMARKET_SECRET_KEY: key } = server.credentials;
    board.element.chip.keys.set(3, createHash('sha256').update(`${id}||${key}`).digest());
    board.element.refuses = true;
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('custody: hardware');
    await board.expect('not sent, again in');
    await board.expect('the secure element');
    board.element.refuses = false;
    await delivered(board, 60);
  }));

test('the cable is out, and an alert waits through a power cut', () =>
  rehearse(store, async (board) => {
    board.ethernet.cable = false;
    board.powerOn();
    await board.expect('link: down');
    await board.expect('outbox:');
    board.console.send('test pump 7 is off\r');
    const [, id] = /^alert (\w+) waits/.exec(await board.expect('waits: pump 7 is off')) ?? [];
    await board.run({ seconds: 60 });
    board.powerOff(10);
    board.powerOn();
    await board.expect('outbox: 1 waiting');
    board.ethernet.cable = true;
    assert.equal(await delivered(board), id);
  }));

test('power is cut at every write: nothing is lost, nothing falsely delivered', async () => {
  let operations = 0;
  await rehearse(store, async (board) => {
    board.drive(DOOR, false);
    board.powerOn();
    await delivered(board);
    await board.run({ seconds: 1 });
    operations = board.flash.operations.length;
  });
  assert.ok(operations > 5);
  const moments = /** @type {const} */ (['before', 'inside', 'after']);
  for (let operation = 0; operation < operations; operation++) {
    await rehearse(store, async (board) => {
      await setTimeout(200);
      const accepted = server.log.filter((entry) => entry.verdict === 'accepted').length;
      board.flash.cutPower({ operation, moment: moments[operation % 3], seed: operation });
      board.drive(DOOR, false);
      board.powerOn();
      await board.run({ seconds: 30, until: () => board.machine === null });
      assert.equal(board.endings.length, 1);
      const from = board.console.text.length;
      board.powerOn();
      // The door is still open, which raises an alert in each life.
      const again = () => /waits: Freezer 2: door open/.test(board.console.text.slice(from));
      assert.ok(await board.run({ seconds: 30, until: again }), board.console.text);
      for (let patience = 20; patience > 0 && !(await outbox(board)).includes(' 0 waiting'); patience--) {
        await board.run({ seconds: 1 });
      }
      const [, waiting, held, refused, damaged] =
        /(\d+) waiting, (\d+) held, (\d+) refused, (\d+) damaged/.exec(await outbox(board)) ?? [];
      assert.deepEqual([waiting, refused, damaged], ['0', '0', '0'], board.console.text);
      const found = (/** @type {RegExp} */ line) => [...board.console.text.matchAll(line)].map((match) => match[1]);
      for (const request of found(/status 200, request (\S+)/g)) assert.equal(await server.verdict(request), 'accepted');
      // The server tells of a request within a tenth of a second. What it took, the board may not have lived to tell.
      await setTimeout(200);
      const taken = server.log.filter((entry) => entry.verdict === 'accepted').length - accepted;
      const raised = new Set(found(/alert (\w+) waits: /g)).size;
      assert.ok(taken + Number(held) >= raised, `lost after a cut at operation ${operation}:\n${board.console.text}`);
      assert.ok(taken <= 2, `sent twice after a cut at operation ${operation}:\n${board.console.text}`);
    });
  }
});

test('nothing is sent in the clear but to a test server', async () => {
  const before = server.log.length;
  const elsewhere = [`host = "10.0.2.2"`, `host = "203.0.113.7"`];
  for (const network of elsewhere) {
    await rehearse(provision(server, network), async (board, net) => {
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect('nothing is sent: this build has no TLS');
      await board.run({ seconds: 20 });
      assert.ok(net.frames['from board'] < 10);
      assert.deepEqual(board.endings, []);
    });
  }
  assert.equal(server.log.length, before);
});

test('a blank board says so to whoever asks', () =>
  rehearse(null, async (board) => {
    board.powerOn();
    await board.expect('nothing is sent: the store is blank');
    board.console.send('status\r');
    await board.expect('nothing is sent: the store is blank');
  }));
