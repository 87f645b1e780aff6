/**
 * Puts a serial line behind a pseudo-terminal, so that host programs open it like a serial port.
 *
 * The terminal is held open by `script` of util-linux, which is on every Debian; nothing is recorded.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * @typedef {object} Line a serial line of the board, by a UART or by USB
 * @property {(bytes: Uint8Array) => void} send
 * @property {((byte: number) => void) | null} onByte called with each byte that the firmware sends
 */

/**
 * @param {Line} line
 * @returns {Promise<{ path: string, close: () => void }>} the terminal's device file
 */
export async function openTerminal(line) {
  const holder = spawn('script', ['-qefc', 'stty raw -echo; tty; exec sleep infinity', '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [greeting] = await once(holder.stdout, 'data');
  const path = String(greeting).trim();
  if (!path.startsWith('/dev/')) throw new Error(`no pseudo-terminal: ${path}`);
  holder.stdout.on('data', (bytes) => line.send(bytes));
  line.onByte = (byte) => holder.stdin.write(Uint8Array.of(byte));
  return {
    path,
    close: () => {
      line.onByte = null;
      holder.kill();
    },
  };
}
