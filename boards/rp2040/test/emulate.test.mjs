/** The gateway to play with: a key closes a contact, and the server's view shows the SMS. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { before } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { build, provision } from './rehearsal.mjs';

const CTRL = { C: '\x03', D: '\x04', P: '\x10', S: '\x13' };

before(build);

/**
 * Runs it.
 * @param {string[]} options
 * @param {(shows: (text: string) => Promise<void>, type: (text: string) => void) => Promise<void>} play
 */
async function emulate(options, play) {
  const script = fileURLToPath(new URL('emulate.mjs', import.meta.url));
  const program = spawn(process.execPath, [script, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  program.stdout.on('data', (text) => (shown += text));
  const ended = new Promise((resolve) => program.on('exit', resolve));
  let at = 0;
  const shows = async (/** @type {string} */ text) => {
    for (let patience = 1200; !shown.includes(text, at); patience--) {
      assert.ok(patience > 0 && program.exitCode === null, `never: ${text}\n${shown}`);
      await setTimeout(50);
    }
    at = shown.indexOf(text, at) + text.length;
  };
  try {
    await play(shows, (text) => program.stdin.write(text));
    program.stdin.write(CTRL.C);
    assert.equal(await ended, 0);
  } finally {
    program.kill();
  }
}

test('keys, console and the view of the server', () =>
  emulate([], async (shows, type) => {
    await shows('serial port: /dev/');
    await shows('outbox: 0 waiting');
    type(CTRL.D);
    await shows('the contact for door is closed');
    await shows('[server] 200 accepted; SMS 9000001: Freezer 2: door open');
    type(`${CTRL.S}test pump 7 is off\r`);
    await shows('[server] 503');
    type(`${CTRL.D}${CTRL.S}${CTRL.P}`);
    await shows('outbox: 1 waiting');
    await shows('SMS 9000002: pump 7 is off');
  }));

test('a store that was provisioned elsewhere, and a blank one', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'emulate-'));
  const file = path.join(directory, 'store.bin');
  // Port 9, discard: nobody is there.
  fs.writeFileSync(file, provision({ port: 9 }));
  try {
    await emulate(['--store', file], async (shows, type) => {
      await shows('outbox: 0 waiting');
      type(CTRL.D);
      await shows('not sent, again in');
    });
    await emulate(['--blank'], (shows) => shows('nothing is sent'));
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});
