/**
 * Power cuts, and what must hold after each: nothing lost, nothing falsely delivered, nothing sent twice.
 *
 * What is raised is recorded outside the firmware: a contact that the world closed, and a line that was typed and whose
 * receipt a person saw. What arrived, the server tells. A brown-out is the same to the firmware: the chip's detector holds
 * it in reset (RP2040 datasheet 2.10.3), and memory is not to be relied on.
 */

import assert from 'node:assert/strict';

import { PowerCut } from '../../../tests/emulator/flash.mjs';
import { connectionAttempts } from '../../../tests/emulator/tcp.mjs';
import { DOOR, delivered, outbox, rehearse } from './rehearsal.mjs';

const TYPED = 'pump 7 is off';
const DOOR_TEXT = 'Freezer 2: door open';

/** How many boards run at once: they mostly wait for the network. */
const AT_ONCE = 6;

/**
 * @typedef {object} Cut
 * @property {number} [operation] on the flash, counted from power-on
 * @property {import('../../../tests/emulator/flash.mjs').Moment} [moment] of the operation
 * @property {number} [seconds] after power-on, instead of an operation
 * @property {Cut} [again] another one, in the life after it
 */

/** What the cuts of a campaign have hit. */
export class Tally {
  cuts = 0;
  /** Those at an operation on the flash; one that was planned may not come before its life ends. */
  atOperations = 0;
  messages = 0;
  held = 0;
  promised = 0;
}

/** Returns how many operations on the flash a life has in which nothing goes wrong, and how long it takes in seconds. */
export async function fullLife() {
  let operations = 0;
  let seconds = 0;
  await rehearse(async (scene) => {
    const { board } = scene;
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('outbox:');
    board.console.send(`test ${TYPED}\r`);
    await delivered(scene);
    await delivered(scene);
    await board.run({ seconds: 1 });
    operations = board.flash.operations.length;
    seconds = board.nanos / 1e9;
  });
  return { operations, seconds };
}

/**
 * Tries each cut on a board of its own.
 * @param {Cut[]} cuts
 * @returns {Promise<Tally>}
 */
export async function tryCuts(cuts) {
  const tally = new Tally();
  const left = [...cuts];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let cut = left.shift(); cut; cut = left.shift()) await tryCut(cut, tally);
    }),
  );
  return tally;
}

/**
 * @param {Cut} cut
 * @param {Tally} tally
 */
async function tryCut(cut, tally) {
  await rehearse(async (scene) => {
    const { board, network, server } = scene;
    const attempts = connectionAttempts(network);
    board.drive(DOOR, false);
    /** Texts that a person was told are safe, once for each life. @type {string[]} */
    const promised = [];
    let attempted = 0;
    for (let now = /** @type {Cut | undefined} */ (cut); now; now = now.again) {
      const from = board.console.lines.length;
      await liveUntil(board, now);
      tally.cuts += 1;
      promised.push(...told(board, from));
      attempted = attempts.length;
    }
    const from = board.console.lines.length;
    board.powerOn();
    assert.ok(await board.run({ seconds: 30, until: () => told(board, from).includes(DOOR_TEXT) }), 'the door is open');
    let state = await outbox(board);
    for (let patience = 60; patience > 0 && state.waiting > 0; patience--) {
      await board.run({ seconds: 1 });
      state = await outbox(board);
    }
    promised.push(...told(board, from));
    const where = `after ${JSON.stringify(cut)}`;
    const { messages, requests } = await server.tell();
    assert.deepEqual({ ...state, held: 0 }, { waiting: 0, held: 0, refused: 0, damaged: 0 }, where);
    for (const text of new Set(promised)) {
      const raised = promised.filter((each) => each === text).length;
      const sent = messages.filter((message) => message.text === text).length;
      assert.ok(sent + state.held >= raised, `lost: ${text}, ${where}`);
    }
    assert.ok(messages.length + state.held >= promised.length, `lost, ${where}`);
    assert.equal(new Set(messages.map(({ local_id }) => local_id)).size, messages.length, `sent twice, ${where}`);
    assert.ok(state.held <= attempted, `held, but never attempted, ${where}`);
    assert.deepEqual(requests.filter(({ verdict }) => verdict !== 'accepted'), [], where);
    for (const line of board.console.lines) {
      const [, alert, id] = /^alert (\w+) delivered: message (\d+)/.exec(line) ?? [];
      if (alert === undefined) continue;
      const message = messages.find((each) => each.id === Number(id));
      assert.ok(message?.local_id.includes(alert), `falsely delivered: ${line}, ${where}`);
    }
    // What was delivered stays delivered.
    board.drive(DOOR, null);
    board.powerOff();
    board.powerOn();
    await board.expect(`outbox: 0 waiting, ${state.held} held`);
    await board.run({ seconds: 3 });
    assert.equal((await server.tell()).messages.length, messages.length, `sent again, ${where}`);
    tally.atOperations += board.endings.filter((ending) => ending instanceof PowerCut).length;
    tally.messages += messages.length;
    tally.held += state.held;
    tally.promised += promised.length;
  });
}

/**
 * A life that ends with a cut; a line is typed as soon as somebody could.
 * @param {import('../../../tests/emulator/board.mjs').Board} board
 * @param {Cut} cut
 */
async function liveUntil(board, { operation, moment = 'inside', seconds = 30 }) {
  const from = board.console.lines.length;
  const end = board.nanos + seconds * 1e9;
  if (operation !== undefined) board.flash.cutPower({ operation, moment, seed: operation });
  board.powerOn();
  const ready = () => board.console.lines.slice(from).some((line) => line.startsWith('outbox:'));
  if (await board.run({ seconds, until: ready })) board.console.send(`test ${TYPED}\r`);
  await board.run({ seconds: (end - board.nanos) / 1e9, until: () => board.machine === null });
  board.flash.keepPower();
  if (board.machine !== null) board.powerOff();
}

/**
 * The texts of alerts that the console has said are kept.
 * @param {import('../../../tests/emulator/board.mjs').Board} board
 * @param {number} from the line from which on it counts
 */
function told(board, from) {
  return board.console.lines.slice(from).flatMap((line) => /^alert \w+ waits: (.*)$/.exec(line)?.[1] ?? []);
}
