/** The console over USB: what a person sees and types there, beside UART0. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { plugged, press } from './cable.mjs';
import { DOOR, build, delivered, rehearse, settingsFor } from './rehearsal.mjs';

/** @type {string} */
let directory;
before(() => {
  build();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'usb-'));
});
after(() => fs.rmSync(directory, { recursive: true }));

test('a person at the USB port sees the status, and raises an alert', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.usbPlugged = true;
    board.powerOn();
    const { usb } = board;
    assert.ok(await board.run({ seconds: 5, until: () => usb.open }));
    await board.expect('outbox: 0 waiting');
    await board.run({ seconds: 1 });
    usb.send('status\r');
    const shown = () => usb.lines.some((line) => line.startsWith('outbox: 0 waiting'));
    assert.ok(await board.run({ seconds: 5, until: shown }), usb.text);
    usb.send('test pump 7 is off\r');
    await delivered(scene);
    assert.ok(await board.run({ seconds: 5, until: () => /delivered: message \d+\r\n/.test(usb.text) }), usb.text);
    assert.equal(usb.lines.filter((line) => line.includes('waits: pump 7 is off')).length, 1);
    // Whole lines: what one console says is what the other does.
    for (const line of usb.lines) assert.ok(board.console.lines.includes(line), line);
  }));

test('a blank board is provisioned over USB, starts again when asked to, and alerts', () =>
  rehearse(
    async (scene) => {
      const { board, server } = scene;
      const { usb } = board;
      board.usbPlugged = true;
      board.powerOn();
      assert.ok(await board.run({ seconds: 5, until: () => usb.open }));
      await board.expect('nothing is sent');
      const file = path.join(directory, 'settings.toml');
      fs.writeFileSync(file, settingsFor(server.port));
      const provision = ['--window', '--api', 'heymarket', '--settings', file];
      await plugged(scene, usb, async (device) => {
        // Without the button nothing is taken.
        const refused = await device('provision', provision);
        assert.equal(refused.code, 2, refused.err);
        await press(scene);
        const provisioned = await device('provision', provision);
        assert.equal(provisioned.code, 0, provisioned.err);
        await board.expect('slot A in use', 20);
        const rebooted = await device('reboot', ['--window']);
        assert.equal(rebooted.code, 0, rebooted.err);
      });
      await board.expect('before that: a restart that was asked for', 20);
      await board.expect('slot A in use', 20);
      assert.ok(await board.run({ seconds: 5, until: () => usb.open }));
      await plugged(scene, usb, async (device) => {
        const { code, out, err } = await device('status');
        assert.equal(code, 0, err);
        assert.equal(out.name, 'gw-0017', JSON.stringify(out));
      });
      board.drive(DOOR, false);
      await delivered(scene);
      const { messages } = await server.tell();
      assert.deepEqual(messages.map(({ text }) => text), ['Freezer 2: door open']);
      // The other console heard nothing of the conversation: it shows text alone, and no secret is in it.
      assert.match(board.console.text, /^[\x20-\x7e\r\n]+$/);
      for (const { text } of [board.console, usb]) assert.ok(!text.includes(EXAMPLE_SECRET[1]));
    },
    { blank: true, resets: true },
  ));
