/** Something that sending takes is missing: what the contacts do meanwhile becomes alerts all the same, without a restart. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { plugged, press } from './cable.mjs';
import { DOOR, FLOOD, build, delivered, outbox, rehearse, settingsFor } from './rehearsal.mjs';

/** @typedef {import('./rehearsal.mjs').Scene} Scene */

/** Where `src/board.rs` has the device key. */
const DEVICE_KEY_SLOT = 2;
const DEVICE_KEY = Buffer.alloc(32, 0x6b);

/** Longer than a contact has to be still, which is 50 ms. */
const PULSE_SECS = 0.1;

/** @type {string} */
let directory;
before(() => {
  build();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'missing-'));
});
after(() => fs.rmSync(directory, { recursive: true }));

/** Closes a contact and opens it again. @param {Scene} scene @param {number} pin */
async function pulse({ board }, pin) {
  board.drive(pin, false);
  await board.run({ seconds: PULSE_SECS });
  board.drive(pin, null);
  await board.run({ seconds: PULSE_SECS });
}

/** @param {Scene} scene */
async function texts({ server }) {
  return (await server.tell()).messages.map(({ text }) => text);
}

for (const [how, silence] of /** @type {[string, (scene: Scene) => () => void][]} */ ([
  ['acknowledges nothing', ({ board: { element } }) => {
    element.refuses = true;
    return () => (element.refuses = false);
  }],
  ['is without its key', ({ board: { element } }) => {
    element.chip.keys.delete(DEVICE_KEY_SLOT);
    return () => element.chip.keys.set(DEVICE_KEY_SLOT, DEVICE_KEY);
  }],
])) {
  test(`a sealed store, and the secure element ${how} for 150 s`, () => {
    const file = path.join(directory, 'device.key');
    fs.writeFileSync(file, DEVICE_KEY, { mode: 0o600 });
    return rehearse(
      async (scene) => {
        const { board, server } = scene;
        board.element.chip.keys.set(DEVICE_KEY_SLOT, DEVICE_KEY);
        const answer = silence(scene);
        board.powerOn();
        await board.expect('nothing is sent: the store is sealed, and');
        await pulse(scene, DOOR);
        await pulse(scene, FLOOD);
        await pulse(scene, DOOR);
        await board.run({ seconds: 150 });
        assert.deepEqual((await server.tell()).requests, []);
        answer();
        await board.expect('custody: sealed', 90);
        for (let alert = 0; alert < 3; alert++) await delivered(scene, 60);
        assert.deepEqual((await texts(scene)).sort(), ['Cellar: water', 'Freezer 2: door open', 'Freezer 2: door open']);
        assert.deepEqual(await outbox(board), { waiting: 0, held: 0, refused: 0, damaged: 0 });
        // In the same life: nothing that was only in memory could be lost.
        assert.deepEqual(board.endings, []);
      },
      { options: ['--device-key-file', file] },
    );
  });
}

test('a sealed store, and both chips silent at the start, as behind a wire that is held: they are found without a restart', () => {
  const file = path.join(directory, 'device.key');
  fs.writeFileSync(file, DEVICE_KEY, { mode: 0o600 });
  return rehearse(
    async (scene) => {
      const { board, network, server } = scene;
      board.element.chip.keys.set(DEVICE_KEY_SLOT, DEVICE_KEY);
      network.services.delete(123);
      const chips = [...board.i2c.devices];
      assert.equal(chips.length, 2);
      board.i2c.devices.clear();
      board.powerOn();
      await board.expect('nothing is sent: the store is sealed, and');
      await pulse(scene, DOOR);
      await board.run({ seconds: 60 });
      assert.deepEqual((await server.tell()).requests, []);
      // The key is back first, so that the time is missing while everything else is there.
      for (const [address, chip] of chips) if (chip === board.element) board.i2c.devices.set(address, chip);
      await board.expect('clock: the clock is not set', 60);
      await board.expect('waits for the clock', 60);
      for (const [address, chip] of chips) board.i2c.devices.set(address, chip);
      await delivered(scene, 60);
      assert.deepEqual(await texts(scene), ['Freezer 2: door open']);
      assert.deepEqual(board.endings, []);
    },
    { options: ['--device-key-file', file] },
  );
});

test('without a credential alerts are in the flash: over a power cut, until it is provisioned', () =>
  rehearse(
    async (scene) => {
      const { board, server } = scene;
      const file = path.join(directory, 'settings.toml');
      fs.writeFileSync(file, settingsFor(server.port));
      board.powerOn();
      await board.expect('nothing is sent: the store is blank');
      await press(scene);
      await plugged(scene, board.console, async (device) => {
        const { code, err } = await device('provision', ['--window', '--settings', file]);
        assert.equal(code, 0, err);
      });
      await board.expect('nothing is sent: there is no credential', 20);
      await pulse(scene, DOOR);
      await board.expect('waits: Freezer 2: door open');
      await pulse(scene, FLOOD);
      await board.expect('waits: Cellar: water');
      board.powerOff();
      board.powerOn();
      await board.expect('outbox: 2 waiting');
      await board.run({ seconds: 150 });
      assert.deepEqual((await server.tell()).requests, []);
      await press(scene);
      await plugged(scene, board.console, async (device) => {
        const { code, err } = await device('provision', ['--window', '--api', 'heymarket']);
        assert.equal(code, 0, err);
      });
      await delivered(scene, 60);
      await delivered(scene, 60);
      assert.deepEqual(await texts(scene), ['Freezer 2: door open', 'Cellar: water']);
      assert.deepEqual(board.endings, []);
    },
    { blank: true },
  ));
