/** The `gateway` program at the other end of the serial line: a blank board becomes one that alerts. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { plugged, press } from './cable.mjs';
import { DOOR, SECOND_SECRET, build, delivered, rehearse, settingsFor } from './rehearsal.mjs';

/** @type {string} */
let directory;
before(() => {
  build();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'serial-'));
});
after(() => fs.rmSync(directory, { recursive: true }));

/** @param {import('./rehearsal.mjs').Scene} scene */
function settingsFile({ server }) {
  const file = path.join(directory, `${server.port}.toml`);
  fs.writeFileSync(file, settingsFor(server.port));
  return file;
}

test('a blank board is provisioned over the line, and alerts', () =>
  rehearse(
    async (scene) => {
      const { board, server } = scene;
      board.powerOn();
      await board.expect('nothing is sent');
      const provision = ['--window', '--api', 'heymarket', '--settings', settingsFile(scene)];
      await plugged(scene, board.console, async (device) => {
        // Without the button nothing is taken.
        const refused = await device('provision', provision);
        assert.equal(refused.code, 2, refused.err);
        await press(scene);
        const provisioned = await device('provision', provision);
        assert.equal(provisioned.code, 0, provisioned.err);
        const rebooted = await device('reboot', ['--window']);
        assert.equal(rebooted.code, 0, rebooted.err);
      });
      await board.expect('before that: a restart that was asked for', 20);
      await board.expect('device: gw-0017', 20);
      await board.expect('slot A in use');
      board.drive(DOOR, false);
      await delivered(scene);
      await plugged(scene, board.console, async (device) => {
        const { code, out, err } = await device('status');
        assert.equal(code, 0, err);
        assert.equal(out.name, 'gw-0017', JSON.stringify(out));
      });
      const { messages } = await server.tell();
      assert.deepEqual(messages.map(({ text }) => text), ['Freezer 2: door open']);
      assert.ok(!board.console.text.includes(EXAMPLE_SECRET[1]));
      assert.equal(board.console.lost, 0);
    },
    { blank: true, resets: true },
  ));

test('a device in the field gets a new credential, and the old one can be revoked', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    await server.accept([EXAMPLE_SECRET, SECOND_SECRET]);
    board.powerOn();
    await board.expect('slot A in use');
    board.console.send('test first\r');
    await delivered(scene);
    await press(scene);
    await plugged(scene, board.console, async (device) => {
      const check = ['--base-url', `http://127.0.0.1:${server.port}`];
      const rotated = await device('rotate', ['--window', '--api', 'heymarket', ...check], SECOND_SECRET);
      assert.equal(rotated.code, 0, rotated.err);
    });
    await server.accept([null, SECOND_SECRET]);
    board.console.send('test second\r');
    await delivered(scene, 60);
    const { messages } = await server.tell();
    assert.deepEqual(messages.map(({ text }) => text), ['first', 'second']);
  }));
