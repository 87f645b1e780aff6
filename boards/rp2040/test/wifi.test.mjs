/**
 * The release ELF of the Pico W, whole, on a simulated radio: networks that are there, that go away and that it has no right key
 * for, and a radio that fails. `cargo xtask test "Pico W"` builds it, with stand-ins for the radio's firmware.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { crc32 } from 'node:zlib';

import { AccessPoint } from '../../../tests/emulator/cyw43-air.mjs';
import { HOST_ADDRESS } from '../../../tests/emulator/network.mjs';
import { plugged, press } from './cable.mjs';
import { DOOR, STORE_START, delivered, outbox, rehearse, settingsFor, targetDirectory } from './rehearsal.mjs';

const elf = path.join(targetDirectory, 'pico-w', 'thumbv6m-none-eabi', 'release', 'gateway-rp2040');
const radioFirmware = path.join(targetDirectory, 'pico-w-stand-ins', '43439A0.bin');

const [NAME, PASSPHRASE] = ['plant-2', 'correct horse battery'];

/** The settings of a network to join. @param {string} name @param {boolean} open */
function networkSettings(name, open) {
  return `host = "${HOST_ADDRESS}"\ntest_plain_http = true\nwifi = "${name}"\nwifi_open = ${open}`;
}

/**
 * Plays a board that is to join a network.
 * @param {(scene: import('./rehearsal.mjs').Scene) => Promise<void>} play
 * @param {AccessPoint[]} air
 * @param {string | null} [passphrase]
 * @param {string} [name]
 * @param {boolean} [resets] whether the board resets itself
 */
function joining(play, air, passphrase = PASSPHRASE, name = NAME, resets = false) {
  process.env.WIFI_PASSPHRASE = passphrase ?? '';
  return rehearse(play, { wireless: { elf, air }, network: networkSettings(name, passphrase === null), resets });
}

/**
 * Raises an alert that has to wait.
 * @param {import('./rehearsal.mjs').Scene} scene
 * @returns {Promise<string>} its number
 */
async function waits({ board }) {
  board.console.send('test pump 7 is off\r');
  return /^alert (\w+) waits/.exec(await board.expect('waits: pump 7 is off'))?.[1] ?? '';
}

test('joins a network, and a contact that closes is one message', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  return joining(async (scene) => {
    const { board, server } = scene;
    board.powerOn();
    await board.expect('outbox: 0 waiting');
    board.drive(DOOR, false);
    await delivered(scene);
    assert.equal(board.radio.firmware.accessPoint, point);
    const loaded = fs.readFileSync(radioFirmware);
    assert.ok(loaded.equals(board.radio.ram.subarray(0, loaded.length)), 'the radio has other firmware');
    const { messages } = await server.tell();
    assert.deepEqual(messages.map(({ text }) => text), ['Freezer 2: door open']);
    assert.deepEqual(board.endings, []);
  }, [point]);
});

test('the access point goes away and comes back, and an alert waits for it', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  return joining(async (scene) => {
    const { board } = scene;
    board.powerOn();
    await board.expect('outbox: 0 waiting');
    assert.ok(await board.run({ seconds: 20, until: () => board.radio.firmware.accessPoint === point }));
    point.on = false;
    await board.run({ seconds: 10 });
    const id = await waits(scene);
    await board.run({ seconds: 60 });
    board.console.send('status\r');
    await board.expect('link: down, no such network here');
    point.on = true;
    assert.equal(await delivered(scene, 400), id);
    assert.deepEqual(board.endings, []);
  }, [point]);
});

test('the access point drops the board while it is idle, and the next alert goes out', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  return joining(async (scene) => {
    const { board } = scene;
    board.powerOn();
    await board.expect('outbox: 0 waiting');
    assert.ok(await board.run({ seconds: 20, until: () => board.radio.firmware.accessPoint === point }));
    await board.run({ seconds: 30 });
    board.radio.firmware.drop();
    await board.run({ seconds: 30 });
    const id = await waits(scene);
    assert.equal(await delivered(scene, 60), id);
    assert.deepEqual(board.endings, []);
  }, [point]);
});

test('after a minute of idling SNTP has told the time, and an alert goes out', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  return joining(async (scene) => {
    const { board } = scene;
    board.clock.losePower();
    board.powerOn();
    await board.expect('clock: the clock is not set');
    await board.run({ seconds: 60 });
    board.console.send('status\r');
    await board.expect(/^clock: \d+ by Sntp/);
    assert.ok(!board.console.text.includes("doesn't tell the time"));
    const id = await waits(scene);
    assert.equal(await delivered(scene), id);
    assert.deepEqual(board.endings, []);
  }, [point]);
});

test('a network that hands on nothing for three minutes, and the next alert goes out', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  return joining(async (scene) => {
    const { board, network } = scene;
    let [hasAddress, unanswered] = [false, 0];
    network.listeners.push((frame, direction) => {
      // ARP: DHCP is done.
      if (direction === 'from board' && frame[12] === 0x08 && frame[13] === 0x06) hasAddress = true;
      if (hasAddress && direction === 'from board') unanswered += 1;
    });
    network.fate = (_, direction) => ({ drop: hasAddress && direction === 'to board' });
    board.powerOn();
    await board.expect('outbox: 0 waiting');
    await board.run({ seconds: 180 });
    // Thrice what the radio takes before it has to say that it takes more.
    assert.ok(unanswered > 24, `${unanswered} frames`);
    network.fate = () => ({});
    const id = await waits(scene);
    assert.equal(await delivered(scene), id);
    assert.equal(board.radio.firmware.attempts, 1);
    assert.deepEqual(board.endings, []);
  }, [point]);
});

test('a wrong passphrase is tried again, until the line brings the right one', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'wifi-'));
  return joining(async (scene) => {
    const { board, server } = scene;
    board.powerOn();
    await board.expect('outbox: 0 waiting');
    const id = await waits(scene);
    await board.run({ seconds: 60 });
    assert.deepEqual(board.endings, []);
    assert.ok(board.radio.firmware.attempts >= 5, `${board.radio.firmware.attempts} attempts`);
    board.console.send('status\r');
    await board.expect('link: down, the access point takes no keys');
    const file = path.join(directory, 'settings.toml');
    fs.writeFileSync(file, settingsFor(server.port, networkSettings(NAME, false)));
    process.env.WIFI_PASSPHRASE = PASSPHRASE;
    await press(scene);
    await plugged(scene, board.console, async (device) => {
      const { code, err } = await device('provision', ['--window', '--api', 'heymarket', '--settings', file]);
      assert.equal(code, 0, err);
    });
    assert.equal(await delivered(scene, 400), id);
    assert.deepEqual(board.endings, []);
  }, [point], 'correct horse batterie').finally(() => fs.rmSync(directory, { recursive: true }));
});

/** What `docs/store-format.md` says of entries and settings. */
const [HEADER_BYTES, ENTRY_BYTES, NETWORK_SETTINGS, WIFI_PASSPHRASE, UNKNOWN] = [32, 16, 6, 65, 99];

/**
 * Puts another passphrase in the place of a plain store's, which no program of this project would.
 * @param {Uint8Array} store
 * @param {string} passphrase shorter than the one that is there by 3 bytes or more, or as long
 */
function replacePassphrase(store, passphrase) {
  const bytes = Buffer.from(store.buffer, store.byteOffset, store.byteLength);
  for (let at = HEADER_BYTES; bytes[at] !== 0xff; ) {
    const length = bytes.readUInt16LE(at + 6);
    const end = at + ENTRY_BYTES + length;
    for (let setting = at + ENTRY_BYTES; bytes[at] === NETWORK_SETTINGS && setting < end; ) {
      const room = bytes.readUInt16LE(setting + 1);
      if (bytes[setting] === WIFI_PASSPHRASE) {
        const rest = room - passphrase.length;
        const parts = [encodeSetting(WIFI_PASSPHRASE, Buffer.from(passphrase))];
        if (rest > 0) parts.push(encodeSetting(UNKNOWN, Buffer.alloc(rest - 3)));
        Buffer.concat(parts).copy(bytes, setting);
        const checked = Buffer.concat([bytes.subarray(at, at + 12), bytes.subarray(at + ENTRY_BYTES, end)]);
        bytes.writeUInt32LE(crc32(checked), at + 12);
        return;
      }
      setting += 3 + room;
    }
    at += ENTRY_BYTES + Math.ceil(length / ENTRY_BYTES) * ENTRY_BYTES;
  }
  assert.fail('the store has no passphrase');
}

/** @param {number} number @param {Buffer} value */
function encodeSetting(number, value) {
  const head = Buffer.from([number, 0, 0]);
  head.writeUInt16LE(value.length, 1);
  return Buffer.concat([head, value]);
}

for (const [what, there, passphrase] of [
  ['is too short', PASSPHRASE, 'correct'],
  ['has 64 characters that are no digits', 'f'.repeat(64), 'g'.repeat(64)],
]) {
  test(`a passphrase that ${what} is told, and not tried`, () =>
    joining(async (scene) => {
      const { board } = scene;
      replacePassphrase(board.flash.bytes.subarray(STORE_START), passphrase);
      board.powerOn();
      await board.expect('outbox: 0 waiting');
      await waits(scene);
      await board.run({ seconds: 60 });
      board.console.send('status\r');
      await board.expect('link: down, a passphrase has 8 to 63 bytes, or 64 hex digits');
      assert.equal(board.radio.firmware.attempts, 0);
      assert.deepEqual(await outbox(board), { waiting: 1, held: 0, refused: 0, damaged: 0 });
      assert.deepEqual(board.endings, []);
    }, [new AccessPoint(NAME, PASSPHRASE)], there));
}

test('an open network', () => {
  const points = [new AccessPoint('other', PASSPHRASE), new AccessPoint(NAME, null)];
  return joining(async (scene) => {
    scene.board.powerOn();
    await scene.board.expect('outbox: 0 waiting');
    await waits(scene);
    await delivered(scene);
  }, points, null);
});

test('a key of 64 hexadecimal digits', () => {
  // IEEE 802.11-2020 annex J.4.2: the key of the network "IEEE" with the passphrase "password".
  const key = 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e';
  return joining(async (scene) => {
    scene.board.powerOn();
    await scene.board.expect('outbox: 0 waiting');
    await waits(scene);
    await delivered(scene);
  }, [new AccessPoint('IEEE', 'password')], key, 'IEEE');
});

test('an access point that does not begin the key exchange is asked again', () => {
  const point = new AccessPoint(NAME, PASSPHRASE);
  point.mute = true;
  return joining(async (scene) => {
    const { board } = scene;
    board.powerOn();
    await board.expect('outbox: 0 waiting');
    const id = await waits(scene);
    await board.run({ seconds: 10 });
    point.mute = false;
    assert.equal(await delivered(scene, 400), id);
    assert.deepEqual(board.endings, []);
  }, [point]);
});

/** Whether the radio's driver panics of it, which resets the board. */
const PANICS = true;

/** Seconds between two attempts to start the radio: one that didn't answer, and one that the driver panicked of, once, twice. */
const [REST, DEATH_RESTS] = [60, [240, 480]];

const RESET = 'reset by system reset request';

for (const [what, fail, panics] of /** @type {[string, (radio: import('../../../tests/emulator/cyw43.mjs').Cyw43) => void, boolean][]} */ ([
  ['that does not answer', (radio) => (radio.answers = false), !PANICS],
  ['whose firmware does not start', (radio) => (radio.starts = false), !PANICS],
  ['whose firmware takes no packets', (radio) => (radio.starts = 'half'), PANICS],
])) {
  test(`a radio ${what} is told, and tried again until it does`, () =>
    joining(async (scene) => {
      const { board } = scene;
      fail(board.radio);
      board.powerOn();
      await board.expect("link: down, the radio doesn't answer", 15);
      await board.expect('outbox: 0 waiting');
      const id = await waits(scene);
      await board.run({ seconds: 1.2 * REST });
      const endings = panics ? [RESET] : [];
      assert.deepEqual(board.endings.map(({ message }) => message), endings);
      assert.deepEqual(await outbox(board), { waiting: 1, held: 0, refused: 0, damaged: 0 });
      [board.radio.answers, board.radio.starts] = [true, true];
      assert.equal(await delivered(scene, panics ? DEATH_RESTS[0] : 2 * REST), id);
      assert.deepEqual(board.endings.map(({ message }) => message), endings);
    }, [new AccessPoint(NAME, PASSPHRASE)], PASSPHRASE, NAME, panics));
}

test('a radio that the driver panics of is tried ever less often, and at once after loss of power', () =>
  joining(async (scene) => {
    const { board } = scene;
    board.radio.starts = 'half';
    board.powerOn();
    await board.expect('before that: a panic', 15);
    for (const rest of DEATH_RESTS) {
      const before = board.nanos;
      await board.expect('before that: a panic', rest + 15);
      const seconds = (board.nanos - before) / 1e9;
      assert.ok(seconds > rest - 5 && seconds < rest + 15, `after ${seconds} s`);
    }
    board.radio.starts = true;
    const id = await waits(scene);
    board.powerOff(1);
    board.powerOn();
    assert.equal(await delivered(scene), id);
  }, [new AccessPoint(NAME, PASSPHRASE)], PASSPHRASE, NAME, true));
