/** The gateway to play with: a key closes a contact, and the server's view shows the SMS. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test, { before } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { build } from './rehearsal.mjs';

const CTRL = { C: '\x03', D: '\x04', P: '\x10', S: '\x13' };

before(build);

test('keys, console and the view of the server', async () => {
  const program = spawn(process.execPath, [fileURLToPath(new URL('emulate.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  program.stdout.on('data', (text) => (shown += text));
  const ended = new Promise((resolve) => program.on('exit', resolve));
  let at = 0;
  const shows = async (/** @type {string} */ text) => {
    for (let patience = 600; !shown.includes(text, at); patience--) {
      assert.ok(patience > 0 && program.exitCode === null, `never: ${text}\n${shown}`);
      await setTimeout(50);
    }
    at = shown.indexOf(text, at) + text.length;
  };
  try {
    await shows('serial port: /dev/');
    await shows('outbox: 0 waiting');
    program.stdin.write(CTRL.D);
    await shows('the contact for door is closed');
    await shows('[server] 200 accepted; SMS 9000001: Freezer 2: door open');
    program.stdin.write(`${CTRL.S}test pump 7 is off\r`);
    await shows('[server] 503');
    program.stdin.write(`${CTRL.D}${CTRL.S}${CTRL.P}`);
    await shows('outbox: 1 waiting');
    await shows('SMS 9000002: pump 7 is off');
    program.stdin.write(CTRL.C);
    assert.equal(await ended, 0);
  } finally {
    program.kill();
  }
});
