/**
 * A contact that closes and opens while the store erases a copy: interrupts are off during the erase of a sector, and the
 * watch over the contacts looks in between.
 */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { DOOR, STORE_START, build, delivered, rehearse } from './rehearsal.mjs';

/** @typedef {import('./rehearsal.mjs').Scene} Scene */

/** W25Q16JV datasheet, section 9.6: what the erase of a sector takes as a rule and at the most. */
const [TYPICAL_MILLIS, LONGEST_MILLIS] = [45, 400];

/** `src/memory.rs`: the store has two copies of so many sectors. */
const SECTORS = 8;

/** What the README says is seen, in milliseconds, for either. */
const [SEEN_MILLIS, SEEN_AT_WORST_MILLIS] = [140, 800];

const STORE_END = STORE_START + 2 * SECTORS * 4096;

/** A store in which the next alerts need a refill. @type {Uint8Array} */
let full;

before(async () => {
  build();
  full = await fill();
});

/** Sends alerts until the store has to erase, and returns what was in the flash before the last one. */
async function fill() {
  let store = new Uint8Array();
  await rehearse(async (scene) => {
    const { board } = scene;
    board.powerOn();
    await board.expect('outbox:');
    const erased = () => board.flash.operations.some(({ kind }) => kind === 'erase');
    for (let alert = 0; !erased(); alert++) {
      assert.ok(alert < 1000, 'the store is never full');
      store = board.flash.bytes.slice(STORE_START, STORE_END);
      board.console.send(`test alert ${alert}\r`);
      await delivered(scene);
    }
  });
  return store;
}

/**
 * Closes the contact when an erase begins, and returns whether an alert says so.
 * @param {number} sector on which one of the copy
 * @param {number} afterMillis the beginning of the erase
 * @param {number} closedMillis
 * @param {(sector: number) => number} eraseMillis what the erase of each takes
 */
async function isSeen(sector, afterMillis, closedMillis, eraseMillis) {
  let seen = false;
  await rehearse(
    async (scene) => {
      const { board } = scene;
      const { flash } = board;
      const erase = flash.eraseSector.bind(flash);
      let erases = 0;
      flash.eraseSector = (offset) => {
        erase(offset);
        const { machine } = board;
        assert.ok(machine);
        if (erases === sector) {
          machine.clock.createAlarm(() => board.drive(DOOR, false)).schedule(afterMillis * 1e6);
          machine.clock.createAlarm(() => board.drive(DOOR, null)).schedule((afterMillis + closedMillis) * 1e6);
        }
        return eraseMillis(erases++ % SECTORS) * 1e6;
      };
      // The server is another one than the store knows; what matters is in the flash then.
      board.ethernet.cable = false;
      board.powerOn();
      await board.expect('outbox: 0 waiting');
      let alerts = 0;
      for (; erases === 0; alerts++) {
        assert.ok(alerts < 5, 'the store is not full');
        board.console.send(`test alert ${alerts}\r`);
        await board.expect(`waits: alert ${alerts}`, 20);
      }
      await board.run({ seconds: 2 });
      assert.equal(erases, 2 * SECTORS);
      seen = board.console.lines.some((line) => line.includes('waits: Freezer 2: door open'));
      assert.deepEqual(board.endings, []);
    },
    { store: full },
  );
  return seen;
}

test('a contact that closes for 0.14 s is seen, whenever it does', async () => {
  for (const sector of [0, 3, SECTORS - 1, SECTORS]) {
    for (const after of [0.5, 20, 44]) {
      assert.ok(await isSeen(sector, after, SEEN_MILLIS, () => TYPICAL_MILLIS), `sector ${sector} after ${after} ms`);
    }
  }
});

test('where erasing takes its longest, one that closes for 0.8 s is', async () => {
  for (const after of [0.5, 390]) {
    assert.ok(await isSeen(0, after, SEEN_AT_WORST_MILLIS, () => LONGEST_MILLIS), `after ${after} ms`);
  }
});

test('one that closes for 0.2 s would be missed if a copy were erased in one go', async () => {
  const inOneGo = (/** @type {number} */ sector) => (sector === 0 ? SECTORS * TYPICAL_MILLIS : 0);
  assert.equal(await isSeen(0, 0.5, 200, inOneGo), false);
  assert.equal(await isSeen(0, 0.5, 200, () => TYPICAL_MILLIS), true);
});

test('one that closes for 0.12 s may be missed, so the figure is not too careful', async () => {
  assert.equal(await isSeen(0, 0.5, 120, () => TYPICAL_MILLIS), false);
});
