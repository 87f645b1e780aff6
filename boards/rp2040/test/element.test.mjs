/** The secure element's hard days: whatever it does, no bad token goes out and no alert is lost. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { before } from 'node:test';

import { ATECC608_ADDRESS } from '../../../tests/emulator/atecc608.mjs';
import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { DOOR, build, delivered, rehearse } from './rehearsal.mjs';

const SLOT = 3;

before(build);

/** @param {(scene: import('./rehearsal.mjs').Scene) => Promise<void>} play */
function withElement(play) {
  const ready = (/** @type {import('./rehearsal.mjs').Scene} */ scene) => {
    scene.board.element.chip.keys.set(SLOT, createHash('sha256').update(EXAMPLE_SECRET.join('||')).digest());
    return play(scene);
  };
  return rehearse(ready, { options: ['--hardware-key', String(SLOT)] });
}

test('it acknowledges nothing, then works: the alert waits for it', () =>
  withElement(async (scene) => {
    const { board, server } = scene;
    board.element.refuses = true;
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('custody: hardware');
    await board.expect('not sent, again in');
    await board.expect('the secure element');
    assert.deepEqual((await server.tell()).requests, []);
    board.element.refuses = false;
    await delivered(scene, 60);
  }));

test('it is not there, and comes back', () =>
  withElement(async (scene) => {
    const { board, server } = scene;
    board.i2c.devices.delete(ATECC608_ADDRESS);
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('not sent, again in');
    await board.run({ seconds: 60 });
    assert.deepEqual((await server.tell()).requests, []);
    board.i2c.devices.set(ATECC608_ADDRESS, board.element);
    await delivered(scene, 120);
  }));

test('the slot of the device key signs nothing', () =>
  rehearse(
    async ({ board, server }) => {
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect("a place that this board's chip doesn't have");
      await board.run({ seconds: 30 });
      assert.deepEqual((await server.tell()).requests, []);
    },
    { options: ['--hardware-key', '2'] },
  ));

/** Starts the board anew, for a token that is kept from before is not signed again. @param {import('./rehearsal.mjs').Scene} scene */
async function restart({ board }) {
  if (board.machine !== null) board.powerOff();
  board.powerOn();
  await board.expect('outbox:');
}

test('it fails to acknowledge once, whenever in the exchange that is', () =>
  withElement(async (scene) => {
    const { board, server } = scene;
    const { element } = board;
    const start = element.start.bind(element);
    let addressed = 0;
    let refused = -1;
    element.start = (read) => addressed++ !== refused && start(read);
    /** @param {string} text */
    const send = async (text) => {
      await restart(scene);
      addressed = 0;
      board.console.send(`test ${text}\r`);
      await delivered(scene, 60);
    };
    await send('undisturbed');
    const whole = addressed;
    const places = [0, 1, 2, 3, 4, 5, 6, ...[0.1, 0.3, 0.5, 0.7, 0.9].map((part) => Math.floor(part * whole)), whole - 1];
    for (refused of places) {
      await send(`without ${refused}`);
      assert.ok(addressed > refused, `it was addressed ${addressed} times, and should have refused the one after ${refused}`);
    }
    const { requests, messages } = await server.tell();
    assert.deepEqual(new Set(requests.map(({ verdict }) => verdict)), new Set(['accepted']));
    assert.deepEqual(messages.map(({ text }) => text), ['undisturbed', ...places.map((place) => `without ${place}`)]);
  }));

test('a bit of its answer is wrong: the check sum tells, and no wrong token goes out', () =>
  withElement(async (scene) => {
    const { board, server } = scene;
    const { element } = board;
    const read = element.read.bind(element);
    let bytes = 0;
    let spoilt = -1;
    element.read = () => read() ^ (bytes++ === spoilt ? 0x10 : 0);
    // The first answers are short; the MAC is the last one, 35 bytes.
    const places = [1, 4, 9, 13, 20, 30, 40, 45];
    for (const at of places) {
      spoilt = -1;
      await restart(scene);
      bytes = 0;
      spoilt = at;
      board.console.send(`test byte ${at}\r`);
      await delivered(scene, 60);
      assert.ok(bytes > at, `it was asked for ${bytes} bytes, and should have spoilt the one after ${at}`);
    }
    const { requests, messages } = await server.tell();
    assert.deepEqual(new Set(requests.map(({ verdict }) => verdict)), new Set(['accepted']));
    assert.equal(messages.length, places.length);
  }));
