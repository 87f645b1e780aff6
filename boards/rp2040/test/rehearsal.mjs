/**
 * A rehearsal: the release ELF on a simulated board, provisioned by `gateway provision image` for a server that stands
 * in for the API and judges each token with another JWT library. Run as a program it builds what a rehearsal needs.
 *
 * Cargo's target directory is `CARGO_TARGET_DIR`, or `target` of each workspace.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Board } from '../../../tests/emulator/board.mjs';
import { FLASH_BASE } from '../../../tests/emulator/bootrom.mjs';
import { nameServer } from '../../../tests/emulator/dns.mjs';
import { Elf } from '../../../tests/emulator/elf.mjs';
import { Flash, PowerCut } from '../../../tests/emulator/flash.mjs';
import { HOST_ADDRESS, Network } from '../../../tests/emulator/network.mjs';
import { timeServer } from '../../../tests/emulator/sntp.mjs';
import { EXAMPLE_SECRET, Standin } from '../../../tests/emulator/standin.mjs';

/** What `src/memory.rs` and `gateway provision image` agree on. */
export const STORE_START = 0x1f0000;

/** The firmware believes no time before its build: 2026-01-01T00:00:00Z. */
const BUILD_SECS = '1767225600';

/** Low closes the contact. */
export const [DOOR, FLOOD] = [14, 15];

/** Low presses the button that opens the provisioning window. */
export const BUTTON = 13;

/** How much of the stack a life may take, in parts of one. */
const STACK_SHARE = 0.75;

/** Another secret than the one that a device has at first. @type {import('../../../tests/emulator/standin.mjs').Secret} */
export const SECOND_SECRET = ['0b6c3a3e-6f0d-4b9e-9d0a-6f2f6a1d9c11', 'q7Zr2mWc9KxN4tVb8LpYh3JdS6gFa1Ue'];

/** What a device's settings say of a test server on this host. */
export const TEST_NETWORK = `host = "${HOST_ADDRESS}"\ntest_plain_http = true`;

const root = fileURLToPath(new URL('../../..', import.meta.url));
const target = process.env.CARGO_TARGET_DIR;
export const targetDirectory = target ?? path.join(root, 'target');
const hostPrograms = path.join(targetDirectory, 'debug');
export const gateway = path.join(hostPrograms, 'gateway');
const release = path.join(target ?? path.join(root, 'boards/rp2040/target'), 'thumbv6m-none-eabi', 'release');
export const firmware = path.join(release, 'gateway-rp2040');
/** `examples/header.rs`, built as firmware with an HTTP stack of its own would build it. */
export const headerExample = path.join(release, 'examples', 'header');
const HEADER_OPTIONS = ['--example', 'header', '--no-default-features', '--features', 'last-words'];

/** Builds the programs and the firmware, unless `REHEARSAL_BUILT` says that they are built. */
export function build() {
  if (process.env.REHEARSAL_BUILT) return;
  run('cargo', ['build', '--quiet', '--locked', '--package', 'gateway', '--package', 'emulator-standin'], { cwd: root });
  for (const options of [[], HEADER_OPTIONS]) {
    run('cargo', ['build', '--quiet', '--locked', '--release', ...options], {
      cwd: path.join(root, 'boards/rp2040'),
      env: { ...process.env, SOURCE_DATE_EPOCH: BUILD_SECS },
    });
  }
}

/** @param {{ tls?: boolean }} [options] */
export function startStandin(options) {
  return Standin.start(path.join(hostPrograms, 'emulator-standin'), options);
}

/**
 * Makes the store of a board.
 * @param {object} plan
 * @param {number} plan.port of the server
 * @param {string} [plan.network] more of the settings
 * @param {string[]} [plan.options] more of the options
 * @param {boolean} [plan.second] whether the other slot has the second secret
 */
export function provision({ port, network = TEST_NETWORK, options = [], second = false }) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rehearsal-'));
  const [settings, image] = [path.join(directory, 'settings.toml'), path.join(directory, 'store.bin')];
  fs.writeFileSync(settings, settingsFor(port, network));
  const common = ['--target', 'rp2040', '--api', 'heymarket', '--out', image, ...options];
  try {
    run(gateway, ['provision', 'image', '--settings', settings, ...common], { env: environment(EXAMPLE_SECRET) });
    if (second) run(gateway, ['provision', 'rotate', image, ...common], { env: environment(SECOND_SECRET) });
    return fs.readFileSync(image);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/**
 * The settings file of a device.
 * @param {number} port of the server
 * @param {string} [network] more of the settings
 */
export function settingsFor(port, network = TEST_NETWORK) {
  return `
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
port = ${port}
time_host = "time.test"
${network}
`;
}

/** What the `gateway` program takes a secret from. @param {import('../../../tests/emulator/standin.mjs').Secret} secret */
export function environment([id, key]) {
  return { ...process.env, HEYMARKET_SECRET_ID: id, HEYMARKET_SECRET_KEY: key };
}

/**
 * @typedef {object} Scene
 * @property {Board} board without power, its clock chip right
 * @property {Network} network whose name server knows time.test, and which tells the time
 * @property {Standin} server on the board's time
 *
 * @typedef {object} Setting
 * @property {boolean} [tls] whether the server speaks TLS
 * @property {boolean} [blank] whether the board was never provisioned
 * @property {Uint8Array} [store] of the board, if it was provisioned by somebody else
 * @property {boolean} [second] whether the device has the second secret too
 * @property {number} [port] that the device sends to, if it is not the server's own
 * @property {string | ((server: Standin) => string)} [network] of the device's settings
 * @property {string[]} [options] of the provisioning
 * @property {boolean} [faults] let the firmware handle HardFaults instead of failing at the first
 * @property {boolean} [resets] whether the test has the chip reset: else that fails it, for a panic that nobody brought about
 *   would pass for a restart
 * @property {Wireless} [wireless] plays a Pico W
 *
 * @typedef {object} Wireless
 * @property {string} elf
 * @property {import('../../../tests/emulator/cyw43-air.mjs').AccessPoint[]} air
 */

/**
 * Sets a scene and plays it.
 * @param {(scene: Scene) => Promise<void>} play
 * @param {Setting} [setting]
 */
export async function rehearse(play, setting = {}) {
  const server = await startStandin({ tls: setting.tls });
  try {
    await rehearseWith(server, play, setting);
  } finally {
    server.stop();
  }
}

/**
 * @param {Standin} server
 * @param {(scene: Scene) => Promise<void>} play
 * @param {Setting} setting
 */
async function rehearseWith(server, play, setting) {
  const { blank = false, store, faults, network: given, port = server.port, second, options, wireless, resets } = setting;
  const elf = new Elf(wireless?.elf ?? firmware);
  const flash = new Flash();
  flash.load(elf, FLASH_BASE);
  const settings = typeof given === 'function' ? given(server) : given;
  if (!blank) flash.bytes.set(store ?? provision({ port, network: settings, second, options }), STORE_START);
  // Certificates are dated by the system's clock.
  const board = new Board({ elf, flash, start: new Date(), faults, wireless: wireless !== undefined });
  board.radio.air = wireless?.air ?? [];
  board.clock.set(board.worldTime);
  const network = await Network.join(board);
  network.services.set(53, nameServer(new Map([['time.test', '10.0.2.3']])));
  network.services.set(123, timeServer(() => board.worldTime));
  board.onSecond = () => server.setNow(Math.floor(board.worldTime.getTime() / 1000));
  try {
    await play({ board, network, server });
    const endings = board.endings.filter((ending) => !(ending instanceof PowerCut));
    if (!resets) assert.deepEqual(endings.map(({ message }) => message), []);
    const { stackHighWater = 0, stackSize = 0 } = board.machine ?? {};
    assert.ok(stackHighWater <= STACK_SHARE * stackSize, `${stackHighWater} of ${stackSize} bytes of stack`);
  } catch (error) {
    if (error instanceof Error) error.message += `\nconsole:\n${board.console.text.slice(-4000)}`;
    throw error;
  } finally {
    network.leave();
  }
}

/**
 * Plays a scene with a server that speaks TLS, at `localhost`, whose CA the device trusts.
 * @param {(scene: Scene) => Promise<void>} play
 * @param {string} [more] of the device's settings of the network
 * @param {Setting} [setting]
 */
export async function rehearseTls(play, more = '', setting = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rehearsal-'));
  const file = path.join(directory, 'ca.pem');
  /** @param {Standin} server */
  const network = (server) => {
    fs.writeFileSync(file, server.ca ?? '');
    return `host = "localhost"\ncertificates = "${file}"\n${more}`;
  };
  /** @param {Scene} scene */
  const playWithNames = (scene) => {
    scene.network.services.set(53, nameServer(new Map([['time.test', '10.0.2.3'], ['localhost', HOST_ADDRESS]])));
    return play(scene);
  };
  try {
    await rehearse(playWithNames, { ...setting, tls: true, network });
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/**
 * Waits for a delivery, and checks that the server knows of it.
 * @param {Scene} scene
 * @param {number} [seconds]
 * @returns {Promise<string>} the alert's number
 */
export async function delivered({ board, server }, seconds = 30) {
  const [, alert, message] = /^alert (\w+) delivered: message (\d+)/.exec(await board.expect('delivered', seconds)) ?? [];
  const [, request] = /^ {2}status 200, request (\S+)$/.exec(await board.expect('status')) ?? [];
  const { requests, messages } = await server.tell();
  assert.equal(requests.find(({ request_id }) => request_id === request)?.verdict, 'accepted');
  assert.equal(messages.find(({ request_id }) => request_id === request)?.id, Number(message));
  return alert;
}

/**
 * Asks for the status and returns how many alerts are in which state.
 * @param {Board} board
 */
export async function outbox(board) {
  const from = board.console.lines.length;
  const find = () => board.console.lines.slice(from).find((line) => line.startsWith('outbox:'));
  board.console.send('status\r');
  assert.ok(await board.run({ seconds: 5, until: () => find() !== undefined }), 'the console does not answer');
  const numbers = /(\d+) waiting, (\d+) held, (\d+) refused, (\d+) damaged/.exec(find() ?? '') ?? [];
  const [waiting, held, refused, damaged] = numbers.slice(1).map(Number);
  return { waiting, held, refused, damaged };
}

/** @param {string} program @param {string[]} args @param {object} options */
function run(program, args, options) {
  const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
