/** The `gateway` program at a cable to the board: over a pseudo-terminal, in real time. */

import { spawn } from 'node:child_process';

import { openTerminal } from '../../../tests/emulator/pty.mjs';
import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { BUTTON, environment, gateway } from './rehearsal.mjs';

/**
 * @callback Device runs `gateway device`, with JSON out
 * @param {string} command
 * @param {string[]} [options]
 * @param {import('../../../tests/emulator/standin.mjs').Secret} [secret]
 * @returns {Promise<{ code: number | null, out: any, err: string }>}
 */

/**
 * Plugs a cable in for a while.
 * @param {import('./rehearsal.mjs').Scene} scene
 * @param {import('../../../tests/emulator/pty.mjs').Line} line
 * @param {(device: Device) => Promise<void>} use
 */
export async function plugged({ board }, line, use) {
  const terminal = await openTerminal(line);
  board.realTime = true;
  try {
    await use(async (command, options = [], secret = EXAMPLE_SECRET) => {
      const args = ['device', command, '--json', '--port', terminal.path, ...options];
      const program = spawn(gateway, args, { env: environment(secret), stdio: ['ignore', 'pipe', 'pipe'] });
      let [out, err] = ['', ''];
      program.stdout.on('data', (text) => (out += text));
      program.stderr.on('data', (text) => (err += text));
      /** @type {number | null | undefined} */
      let code;
      program.on('close', (status) => (code = status));
      await board.run({ seconds: 60, until: () => code !== undefined });
      program.kill();
      return { code: code ?? null, out: out === '' ? null : JSON.parse(out), err };
    });
  } finally {
    board.realTime = false;
    terminal.close();
  }
}

/** Presses the button that opens the provisioning window. @param {import('./rehearsal.mjs').Scene} scene */
export async function press({ board }) {
  board.drive(BUTTON, false);
  await board.run({ seconds: 0.2 });
  board.drive(BUTTON, null);
}
