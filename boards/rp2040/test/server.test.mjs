/** The server's hard days: what it does to requests, and what arrived in the end, as the server itself tells. */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { connectionAttempts } from '../../../tests/emulator/tcp.mjs';
import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { DOOR, SECOND_SECRET, build, delivered, outbox, rehearse } from './rehearsal.mjs';

/** `Backoff::DEFAULT` of sms-alert: delays are below a ceiling that doubles from 1 s to 5 min. */
const CEILING_SECS = 300;

before(build);

test('a revoked secret gives way to the other, and stays given up over a power cut', () =>
  rehearse(
    async (scene) => {
      const { board, server } = scene;
      await server.accept([null, SECOND_SECRET]);
      board.powerOn();
      await board.expect('slot A in use');
      board.console.send('test first\r');
      await board.expect('now with slot B');
      await delivered(scene);
      board.powerOff();
      board.powerOn();
      await board.expect('slot B in use');
      board.console.send('test second\r');
      await delivered(scene);
      const { requests, messages } = await server.tell();
      assert.deepEqual(requests.map(({ verdict }) => verdict), [
        'unknown or revoked credential',
        'accepted',
        'accepted',
      ]);
      assert.deepEqual(messages.map(({ text }) => text), ['first', 'second']);
    },
    { second: true },
  ));

test('both secrets revoked: the alert waits, and goes out when one is accepted again', () =>
  rehearse(
    async (scene) => {
      const { board, server } = scene;
      await server.accept([null, null]);
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect('no credential is accepted');
      await board.run({ seconds: 120 });
      assert.equal((await outbox(board)).waiting, 1);
      await server.accept([EXAMPLE_SECRET, null]);
      await delivered(scene, 900);
      assert.equal((await server.tell()).messages.length, 1);
    },
    { second: true },
  ));

test('429 with retry_after: nobody asks again before that, not even for another alert', () =>
  rehearse(async (scene) => {
    const { board, network, server } = scene;
    const attempts = connectionAttempts(network);
    await server.fail({ retry_after: 90 }, 1);
    board.powerOn();
    await board.expect('outbox:');
    board.console.send('test first\r');
    await board.expect('not sent, again in');
    board.console.send('test second\r');
    await board.expect('waits: second');
    await delivered(scene, 120);
    await delivered(scene, 120);
    const { requests, messages } = await server.tell();
    assert.equal(requests[0].status, 429);
    assert.ok(requests[1].at - requests[0].at >= 90, `again after ${requests[1].at - requests[0].at} s`);
    assert.ok(attempts[1] - attempts[0] >= 90, `connected after ${attempts[1] - attempts[0]} s`);
    assert.deepEqual(messages.map(({ text }) => text).sort(), ['first', 'second']);
  }));

/** Checks the pauses of an outage of ten minutes. @param {number[]} at when each attempt was made, in seconds */
function checkBackoff(at) {
  const pauses = at.slice(1).map((time, index) => time - at[index]);
  // What an attempt itself takes comes on top of a delay: a SYN that nobody answers is given up after 10 s.
  const slack = 12;
  pauses.forEach((pause, index) => {
    assert.ok(pause < Math.min(2 ** index, CEILING_SECS) + slack, `pause ${index} was ${pause} s of ${pauses}`);
  });
  assert.ok(at.length >= 4 && at.length <= 30, `${at.length} attempts`);
  assert.ok(Math.max(...pauses) > 10, `the pauses do not grow: ${pauses}`);
}

test('the server cannot be reached for ten minutes: pauses grow, then the alert is delivered once', () =>
  rehearse(async (scene) => {
    const { board, network, server } = scene;
    const attempts = connectionAttempts(network);
    network.fate = (frame) => ({ drop: frame[12] === 0x08 && frame[13] === 0x00 && frame[23] === 6 });
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('waits: Freezer 2: door open');
    await board.run({ seconds: 600 });
    checkBackoff(attempts);
    assert.deepEqual(board.endings, []);
    network.fate = () => ({});
    await delivered(scene, CEILING_SECS + 40);
    assert.equal((await server.tell()).messages.length, 1);
  }));

test('the server is overloaded for ten minutes: pauses grow, then the alert is delivered once', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    await server.fail({ status: 503 });
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('waits: Freezer 2: door open');
    await board.run({ seconds: 600 });
    checkBackoff((await server.tell()).requests.map(({ at }) => at));
    await server.behave();
    await delivered(scene, CEILING_SECS + 40);
    assert.equal((await server.tell()).messages.length, 1);
  }));

for (const [where, failure, carriedOut] of /** @type {const} */ ([
  ['request', { request_bytes: 40 }, 0],
  ['response', { response_bytes: 12 }, 1],
])) {
  test(`the connection breaks inside the ${where}: the alert is held until a person decides`, () =>
    rehearse(async (scene) => {
      const { board, server } = scene;
      await server.fail(failure, 1);
      board.powerOn();
      await board.expect('outbox:');
      board.console.send('test once\r');
      await board.expect('may have been sent');
      await board.run({ seconds: 300 });
      // The board can't tell the two apart; the server can.
      assert.equal((await server.tell()).messages.length, carriedOut);
      assert.deepEqual(await outbox(board), { waiting: 0, held: 1, refused: 0, damaged: 0 });
      board.console.send('resend\r');
      await delivered(scene);
      const { messages } = await server.tell();
      assert.equal(messages.length, carriedOut + 1);
      assert.equal(new Set(messages.map(({ local_id }) => local_id)).size, 1);
    }));
}
