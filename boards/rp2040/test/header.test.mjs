/**
 * `examples/header.rs`, the release ELF: what it shows on UART0 is what each API documents, by Node's own HMAC.
 *
 * Cycles exclude flash wait states, so they are lower bounds.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { ATECC608_ADDRESS } from '../../../tests/emulator/atecc608.mjs';
import { Board } from '../../../tests/emulator/board.mjs';
import { FLASH_BASE } from '../../../tests/emulator/bootrom.mjs';
import { Meter } from '../../../tests/emulator/calls.mjs';
import { DS3231_ADDRESS } from '../../../tests/emulator/ds3231.mjs';
import { functionRanges } from '../../../tests/emulator/dwarf.mjs';
import { Elf } from '../../../tests/emulator/elf.mjs';
import { Flash } from '../../../tests/emulator/flash.mjs';
import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { SECOND_SECRET, STORE_START, build, firmware, gateway, headerExample, targetDirectory } from './rehearsal.mjs';

/** The slots of the ATECC608: of the device key, and of a key that signs. */
const [DEVICE_KEY_SLOT, SLOT] = [2, 3];

const START = new Date(Date.UTC(2026, 10, 1));

/** `iat` is put back by what the clock chip may be wrong by: after it was set, and if nobody knows when that was. */
const [SET_ERROR_SECS, UNKNOWN_ERROR_SECS] = [2, 75];

/** What signs each block, called with it and their number. */
const COMPRESS = /^_ZN4sha26sha256.*compress256/;

const KID = 'f1e4ad35-f4ce-4dba-9a34-5c8c1b3c9f33';
const KEY_ID_SECRET = 'Zk3vQ8sT1nB6yW0xR5mJ2cL9dH4gF7pA';

/**
 * @typedef {object} Provided
 * @property {string} api
 * @property {Record<string, string>} names what `gateway` takes the credential from
 * @property {string} key that signs, or the value that is always sent
 * @property {object} [header] of the token, in the API's order of members; an API without tokens has none
 * @property {(claims: any, from: number, to: number, error: number) => boolean} [judge]
 *   whether the claims are those of a token that was made between two Unix seconds
 */

/** @type {Record<string, Provided>} */
const APIS = Object.fromEntries(/** @type {Provided[]} */ ([
  {
    api: 'heymarket',
    names: { HEYMARKET_SECRET_ID: EXAMPLE_SECRET[0], HEYMARKET_SECRET_KEY: EXAMPLE_SECRET[1] },
    key: EXAMPLE_SECRET.join('||'),
    header: { alg: 'HS256', typ: 'JWT' },
    judge: ({ iss, iat, ...rest }, from, to, error) =>
      iss === EXAMPLE_SECRET[0] && iat >= from - error && iat <= to - error && Object.keys(rest).length === 0,
  },
  {
    api: 'key-id',
    names: { KEY_ID_JWT_KID: KID, KEY_ID_JWT_SECRET: KEY_ID_SECRET },
    key: KEY_ID_SECRET,
    header: { alg: 'HS256', kid: KID, typ: 'JWT' },
    judge: ({ exp, ...rest }, from, to) => exp >= from + 3600 && exp <= to + 3600 && Object.keys(rest).length === 0,
  },
  { api: 'key-id-static', names: { KEY_ID_API_TOKEN: 'kst-8f2b7c61d0' }, key: 'kst-8f2b7c61d0' },
  { api: 'heyoo', names: { HEYOO_API_KEY: 'hey_4f1c9b27a0' }, key: 'Bearer hey_4f1c9b27a0' },
  { api: 'hookmesh', names: { HOOKMESH_API_KEY: 'sk_live_9b27a04f1c' }, key: 'Bearer sk_live_9b27a04f1c' },
  { api: 'heymarket-bearer', names: { HEYMARKET_API_KEY: 'team-4f1c9b27a0' }, key: 'Bearer team-4f1c9b27a0' },
  {
    api: 'heymarket-basic',
    names: { HEYMARKET_API_KEY: 'team-4f1c9b27a0' },
    key: `Basic ${Buffer.from('team-4f1c9b27a0:').toString('base64')}`,
  },
]).map((api) => [api.api, api]));

/** @type {Record<string, number>} */
const figures = {};
/** @type {string} */
let directory;

before(() => {
  build();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'header-'));
});

after(() => {
  fs.rmSync(directory, { recursive: true });
  fs.writeFileSync(path.join(targetDirectory, 'rp2040-header-figures.json'), `${JSON.stringify(figures, null, 2)}\n`);
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(24)} ${String(value).padStart(10)}`);
});

/**
 * The image that `gateway provision` makes.
 * @param {Provided} provided
 * @param {string[]} options
 * @param {Provided} [second] for the other slot
 */
function provision(provided, options, second) {
  const image = path.join(directory, 'store.bin');
  /** @param {string[]} command @param {Provided} provided */
  const run = (command, { api, names }) => {
    const args = ['provision', ...command, '--target', 'rp2040', '--api', api, '--out', image, ...options];
    const { status, stderr } = spawnSync(gateway, args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...names } });
    assert.equal(status, 0, stderr);
  };
  run(['image'], provided);
  if (second) run(['rotate', image], second);
  const store = fs.readFileSync(image);
  fs.rmSync(image);
  return store;
}

/** A file with the device key of a board, and the option that seals a store under it. @param {Board} board */
function deviceKey({ element }) {
  const file = path.join(directory, 'device.key');
  const key = createHash('sha256').update(`device key ${Math.random()}`).digest();
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, key, { mode: 0o600 });
  element.chip.keys.set(DEVICE_KEY_SLOT, key);
  return ['--device-key-file', file];
}

/** Puts a key that signs into the secure element, as it is known to HMAC: hashed if it is longer than a slot. @param {Board} board @param {string} key */
function burn({ element }, key) {
  const bytes = Buffer.from(key);
  element.chip.keys.set(SLOT, bytes.length > 32 ? createHash('sha256').update(bytes).digest() : bytes);
  return ['--hardware-key', String(SLOT)];
}

/** A board without power whose clock chip is right. @param {string} [program] */
function makeBoard(program = headerExample) {
  const elf = new Elf(program);
  const flash = new Flash();
  flash.load(elf, FLASH_BASE);
  const board = new Board({ elf, flash, start: START });
  board.clock.set(board.worldTime);
  return board;
}

/**
 * A board that was provisioned.
 * @param {Provided} provided
 * @param {(board: Board) => string[]} [options] of the provisioning
 */
function provisioned(provided, options = () => []) {
  const board = makeBoard();
  board.flash.bytes.set(provision(provided, options(board)), STORE_START);
  return board;
}

const now = (/** @type {Board} */ board) => Math.floor(board.worldTime.getTime() / 1000);

/** Waits for the header's value. @param {Board} board @param {number} [seconds] */
async function shown(board, seconds = 5) {
  const line = await board.expect(/^Authorization: /, seconds);
  return line.slice('Authorization: '.length);
}

/**
 * Judges a header by what the API documents.
 * @param {string} value
 * @param {Provided} provided
 * @param {number} from the Unix second in which it may have been made first
 * @param {number} to the last one
 * @param {number} [error] by which `iat` is put back
 */
function judge(value, { key, header, judge }, from, to, error = UNKNOWN_ERROR_SECS) {
  if (header === undefined || judge === undefined) return assert.equal(value, key);
  const [, head, payload, mac] = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]{43})$/.exec(value) ?? [];
  assert.equal(mac, createHmac('sha256', key).update(`${head}.${payload}`).digest('base64url'));
  assert.equal(Buffer.from(head, 'base64url').toString(), JSON.stringify(header));
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  assert.ok(judge(claims, from, to, error), `${JSON.stringify(claims)} between ${from} and ${to}`);
}

/** Starts a board and judges its first header. @param {Board} board @param {Provided} provided @param {number} [error] */
async function shows(board, provided, error) {
  const from = now(board);
  board.powerOn();
  const value = await shown(board);
  judge(value, provided, from, now(board), error);
  return value;
}

for (const provided of Object.values(APIS)) {
  test(`${provided.api}, plain`, async () => {
    const board = provisioned(provided);
    await shows(board, provided);
    assert.match(board.console.text, /^custody: plain/m);
  });

  test(`${provided.api}, sealed`, async () => {
    const board = provisioned(provided, deviceKey);
    await shows(board, provided);
    assert.match(board.console.text, /^custody: sealed/m);
  });
}

for (const provided of Object.values(APIS).filter(({ header }) => header)) {
  for (const sealed of [false, true]) {
    test(`${provided.api}, a key in the secure element, the store ${sealed ? 'sealed' : 'plain'}`, async () => {
      const board = provisioned(provided, (board) => [...burn(board, provided.key), ...(sealed ? deviceKey(board) : [])]);
      await shows(board, provided);
      assert.match(board.console.text, /^custody: hardware/m);
      const { length } = board.element.commands;
      board.console.send('\r');
      await shown(board);
      assert.equal(board.element.commands.length, length, 'a token that is still good is not signed again');
    });
  }
}

test('a header serves until the server would refuse it soon, and then there is another', async () => {
  const board = provisioned(APIS.heymarket);
  const first = await shows(board, APIS.heymarket);
  await board.run({ seconds: 60 });
  board.console.send('\r');
  assert.equal(await shown(board), first);
  await board.run({ seconds: 90 });
  const from = now(board);
  board.console.send('\r');
  judge(await shown(board), APIS.heymarket, from, now(board));
});

test('the clock chip was without power: nothing is signed until somebody tells the time, which the chip keeps', async () => {
  const board = provisioned(APIS.heymarket);
  board.clock.losePower();
  board.powerOn();
  await board.expect('the DS3231 was without power: set it');
  await board.expect('no token is signed: the clock is not set');
  // A year before the firmware was built.
  board.console.send('1735689600\r');
  await board.expect('before this software was built: set it');
  await board.expect('no token is signed');
  const from = now(board);
  board.console.send(`${from}\r`);
  judge(await shown(board), APIS.heymarket, from, now(board), SET_ERROR_SECS - 1);
  assert.ok(!board.clock.stopped);
  board.powerOff(3600);
  await shows(board, APIS.heymarket, SET_ERROR_SECS);
});

for (const sealed of [false, true]) {
  test(`a secret that a server refuses gives way to the other, and stays given up over a power cut, ${sealed ? 'sealed' : 'plain'}`, async () => {
    const board = makeBoard();
    const [id, key] = SECOND_SECRET;
    const second = {
      ...APIS.heymarket,
      names: { HEYMARKET_SECRET_ID: id, HEYMARKET_SECRET_KEY: key },
      key: SECOND_SECRET.join('||'),
      judge: (/** @type {any} */ { iss }) => iss === id,
    };
    const options = sealed ? deviceKey(board) : [];
    board.flash.bytes.set(provision(APIS.heymarket, options, second), STORE_START);
    await shows(board, APIS.heymarket);
    board.console.send('200\r');
    await board.expect('Accepted');
    await shown(board);
    board.console.send('401\r');
    await board.expect('SwitchSecret { to: B }');
    judge(await shown(board), second, 0, 0);
    board.powerOff();
    await shows(board, second);
    // Both are refused: one rests, and nobody hammers the server.
    board.console.send('401\r');
    await board.expect('SwitchSecret { to: A }');
    await shown(board);
    board.console.send('401\r');
    await board.expect('Refused { after_secs: 300 }');
  });
}

test('a key that is sent needs no time', async () => {
  const board = provisioned(APIS.heyoo);
  board.clock.losePower();
  await shows(board, APIS.heyoo);
});

test('the clock chip is absent, or years behind', async () => {
  const absent = provisioned(APIS.heymarket);
  absent.i2c.devices.delete(DS3231_ADDRESS);
  absent.powerOn();
  await absent.expect("the DS3231 doesn't answer: check its wiring");
  await absent.expect('no token is signed: the clock is not set');
  const behind = provisioned(APIS['key-id']);
  behind.clock.set(new Date(Date.UTC(2000, 0, 1)));
  behind.powerOn();
  await behind.expect(/no token is signed: the clock says 9466848\d\d, before this software was built: set it/);
  for (const { console } of [absent, behind]) assert.doesNotMatch(console.text, /Authorization/);
});

test('a secure element that is not there is said, and tried again', async () => {
  const sealed = provisioned(APIS.heymarket, deviceKey);
  sealed.i2c.devices.delete(ATECC608_ADDRESS);
  sealed.powerOn();
  await sealed.expect("the store is sealed, and the device key can't be used");
  await sealed.expect("the store is sealed, and the device key can't be used", 20);
  sealed.i2c.devices.set(ATECC608_ADDRESS, sealed.element);
  judge(await shown(sealed, 20), APIS.heymarket, now(sealed) - 2, now(sealed));

  const hardware = provisioned(APIS.heymarket, (board) => burn(board, APIS.heymarket.key));
  hardware.element.refuses = true;
  hardware.powerOn();
  await hardware.expect('custody: hardware');
  await hardware.expect('the secure element');
  hardware.element.refuses = false;
  hardware.console.send('\r');
  judge(await shown(hardware), APIS.heymarket, now(hardware) - 2, now(hardware));
});

test('stores that give no header are told by what is to be done', async () => {
  const blank = makeBoard();
  const otherKey = provisioned(APIS.heymarket, deviceKey);
  deviceKey(otherKey);
  const plain = provisioned(APIS.heymarket);
  deviceKey(plain);
  for (const [board, says] of /** @type {[Board, string][]} */ ([
    [blank, 'the store is blank: provision the device'],
    [otherKey, "another device's key"],
    [plain, 'provision it with the device key'],
  ])) {
    board.powerOn();
    await board.expect(says);
    assert.doesNotMatch(board.console.text, /Authorization/);
  }
});

test('the gateway sends no SMS by an API that has none', async () => {
  const board = makeBoard(firmware);
  board.flash.bytes.set(provision(APIS['key-id'], ['--settings', settings()]), STORE_START);
  board.powerOn();
  await board.expect('nothing is sent: the credential is of an API that sends no SMS');
});

/** A device's settings, in a file. */
function settings() {
  const file = path.join(directory, 'settings.toml');
  fs.writeFileSync(file, '[device]\nname = "gw-0017"\ninbox = 42\ncreator = 7\nrecipients = ["+14155551234"]\n');
  return file;
}

test('flash, RAM, stack and cycles', async () => {
  const { sections } = new Elf(headerExample);
  const sum = (/** @type {string[]} */ names) => names.reduce((total, name) => total + (sections.get(name) ?? 0), 0);
  figures.flash_bytes = sum(['.boot2', '.vector_table', '.text', '.rodata', '.data']);
  figures.static_ram_bytes = sum(['.data', '.bss', '.uninit']);
  const board = provisioned(APIS.heymarket, deviceKey);
  board.powerOn();
  const { machine } = board;
  assert.ok(machine);
  /** Counts the cycles of functions until the next header. @param {RegExp} functions @param {number} compressions */
  const untilShown = async (functions, compressions) => {
    const meter = new Meter(machine, functionRanges(board.elf, functions), COMPRESS, ([, , blocks]) => blocks);
    await shown(board);
    meter.stop();
    assert.equal(meter.calls, compressions);
    return meter.cycles;
  };
  figures.cycles_first_token = await untilShown(/^_ZN8jwt_core8template.*(3new|4sign)17h/, 4);
  figures.millis_to_header = Math.round(board.nanos / 1e6);
  await board.run({ seconds: 300 });
  board.console.send('\r');
  figures.cycles_next_token = await untilShown(/^_ZN8jwt_core8template.*4sign17h/, 3);
  figures.stack_bytes = machine.stackHighWater;
  assert.ok(figures.stack_bytes < 0.9 * machine.stackSize, `${figures.stack_bytes} bytes of stack`);
});

test("the README's program is the example's", () => {
  const read = (/** @type {string} */ file) => fs.readFileSync(new URL(file, import.meta.url), 'utf8');
  const [, shown] = /\n## Only the header\n[^]*?```rust\n([^]*?)```/.exec(read('../README.md')) ?? [];
  const [main] = /^async fn main[^]*?^}\n/m.exec(read('../examples/header.rs')) ?? [];
  assert.equal(shown, main);
});
