/**
 * A rehearsal: the release ELF on a simulated board, provisioned by `gateway provision image` for the server that
 * `gateway serve` is, which judges each token with another JWT library.
 *
 * Cargo's target directory is `CARGO_TARGET_DIR`, or `target` of each workspace.
 */

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Board } from '../../../tests/emulator/board.mjs';
import { FLASH_BASE } from '../../../tests/emulator/bootrom.mjs';
import { nameServer } from '../../../tests/emulator/dns.mjs';
import { Elf } from '../../../tests/emulator/elf.mjs';
import { Flash } from '../../../tests/emulator/flash.mjs';
import { HOST_ADDRESS, Network } from '../../../tests/emulator/network.mjs';
import { timeServer } from '../../../tests/emulator/sntp.mjs';

/** What `src/memory.rs` and `gateway provision image` agree on. */
const STORE_START = 0x1f0000;

/**
 * The world of a board is this much behind the server's: its time leaps, and the server takes no token from the future,
 * but any that is younger than five minutes.
 */
const LEEWAY_MILLIS = 150_000;

/** The firmware believes no time before its build, and the world of a board is behind: 2026-01-01T00:00:00Z. */
const BUILD_SECS = '1767225600';

/** Low closes the contact. */
export const [DOOR, FLOOD] = [14, 15];

const root = fileURLToPath(new URL('../../..', import.meta.url));
const target = process.env.CARGO_TARGET_DIR;
const gateway = path.join(target ?? path.join(root, 'target'), 'debug', 'gateway');
const firmware = path.join(
  target ?? path.join(root, 'boards/rp2040/target'), 'thumbv6m-none-eabi', 'release', 'gateway-rp2040',
);

/** Builds the program and the firmware. */
export function build() {
  run('cargo', ['build', '--quiet', '--locked', '--package', 'gateway'], { cwd: root });
  run('cargo', ['build', '--quiet', '--locked', '--release'], {
    cwd: path.join(root, 'boards/rp2040'),
    env: { ...process.env, SOURCE_DATE_EPOCH: BUILD_SECS },
  });
}

/** The server, for as long as the tests run. */
export class Server {
  /** Every request so far. @type {{ status: number, request_id: string, verdict: string }[]} */
  log = [];

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child) {
    this.child = child;
  }

  static async start() {
    const child = spawn(gateway, ['serve', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const server = new Server(child);
    await new Promise((resolve, reject) => {
      child.on('exit', () => reject(new Error('gateway serve has ended')));
      readline.createInterface({ input: child.stdout }).on('line', (line) => {
        const said = JSON.parse(line);
        if (said.base_urls === undefined) return server.log.push(said);
        server.port = Number(new URL(said.base_urls.heymarket).port);
        server.credentials = said.credentials;
        return resolve(undefined);
      });
    });
    return server;
  }

  /** Waits for what the server has to say of a request. @param {string} id */
  async verdict(id) {
    for (let patience = 100; patience > 0; patience--) {
      const entry = this.log.find((entry) => entry.request_id === id);
      if (entry) return entry.verdict;
      await setTimeout(20);
    }
    throw new Error(`the server knows of no request ${id}`);
  }

  stop() {
    this.child.removeAllListeners('exit');
    this.child.kill();
  }
}

/**
 * Makes the store of a board that alerts through the server.
 * @param {Server} server
 * @param {string} [network] more of the settings
 * @param {string[]} [more] of the options
 */
export function provision(server, network = `host = "${HOST_ADDRESS}"\ntest_plain_http = true`, more = []) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rehearsal-'));
  const [settings, image] = [path.join(directory, 'settings.toml'), path.join(directory, 'store.bin')];
  fs.writeFileSync(settings, `
[device]
name = "gw-0017"
inbox = 42
creator = 7
recipients = ["+14155551234"]
[alerts]
door = "Freezer 2: door open"
flood = "Cellar: water"
temperature = "Too hot"
temperature_limit = 60.0
[network]
port = ${server.port}
time_host = "time.test"
${network}
`);
  const options = ['--target', 'rp2040', '--api', 'heymarket', '--settings', settings, '--out', image, ...more];
  run(gateway, ['provision', 'image', ...options], { env: { ...process.env, ...server.credentials } });
  const bytes = fs.readFileSync(image);
  fs.rmSync(directory, { recursive: true });
  return bytes;
}

/**
 * Runs a board with this store; the clock chip is right, but for what `body` does to it before it applies power.
 * @param {Uint8Array | null} store
 * @param {(board: Board, network: Network) => Promise<void>} body
 */
export async function rehearse(store, body) {
  const elf = new Elf(firmware);
  const flash = new Flash();
  flash.load(elf, FLASH_BASE);
  if (store !== null) flash.bytes.set(store, STORE_START);
  const board = new Board({ elf, flash, start: new Date(Date.now() - LEEWAY_MILLIS) });
  board.clock.set(board.worldTime);
  const network = await Network.join(board);
  network.services.set(53, nameServer(new Map([['time.test', '10.0.2.3']])));
  network.services.set(123, timeServer(() => board.worldTime));
  try {
    await body(board, network);
  } finally {
    network.leave();
  }
}

/** @param {string} program @param {string[]} args @param {object} options */
function run(program, args, options) {
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
