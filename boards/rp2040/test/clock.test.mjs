/** The clock's hard days. When a token was judged, and how, the server tells. */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { DOOR, build, delivered, outbox, rehearse, rehearseTls } from './rehearsal.mjs';

const HOUR_MILLIS = 3_600_000;

before(build);

/** Takes the time server away. @param {import('./rehearsal.mjs').Scene} scene @returns {() => void} brings it back */
function silenceTime({ network }) {
  const time = network.services.get(123);
  assert.ok(time);
  network.services.delete(123);
  return () => network.services.set(123, time);
}

test('without the time nothing is signed; SNTP tells it, and sets the clock chip', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    board.clock.losePower();
    const bringTime = silenceTime(scene);
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('clock: the clock is not set');
    await board.expect('waits for the clock');
    await board.expect("time.test doesn't tell the time", 40);
    assert.deepEqual((await server.tell()).requests, []);
    bringTime();
    await delivered(scene, 90);
    assert.ok(Math.abs(Number(board.clock.time) - Number(board.worldTime)) < 3000);
    // The clock chip has the time now: no SNTP is needed in the next life.
    silenceTime(scene);
    board.drive(DOOR, null);
    board.powerOff(3600);
    board.powerOn();
    await board.expect('by Rtc');
    board.console.send('test second life\r');
    await delivered(scene);
    assert.equal((await server.tell()).messages.length, 2);
  }));

for (const [name, millis] of /** @type {[string, number][]} */ ([['fast', HOUR_MILLIS], ['slow', -HOUR_MILLIS]])) {
  test(`a clock chip an hour ${name}: the server refuses, nothing is lost, and SNTP puts it right`, () =>
    rehearse(async (scene) => {
      const { board, server } = scene;
      board.clock.set(new Date(board.worldTime.getTime() + millis));
      const bringTime = silenceTime(scene);
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect('no credential is accepted');
      await board.run({ seconds: 30 });
      const { requests, messages } = await server.tell();
      assert.match(requests[0].verdict, millis > 0 ? /issued 3\d\d\d s in the future/ : /issued 3\d\d\d s ago/);
      // A Date that came in the clear is not believed: the clock stays as it is, and is not suspected.
      assert.deepEqual(messages, []);
      assert.equal((await outbox(board)).waiting, 1);
      bringTime();
      await delivered(scene, 120);
      assert.ok(Math.abs(Number(board.clock.time) - Number(board.worldTime)) < 3000);
      assert.equal((await server.tell()).messages.length, 1);
    }));
}

for (const [name, millis] of /** @type {[string, number][]} */ ([['fast', HOUR_MILLIS], ['slow', -HOUR_MILLIS]])) {
  test(`a clock chip an hour ${name}, and no SNTP: the Date of a refusal that came by TLS puts it right`, () =>
    rehearseTls(async (scene) => {
      const { board, server } = scene;
      board.clock.set(new Date(board.worldTime.getTime() + millis));
      silenceTime(scene);
      board.drive(DOOR, false);
      board.powerOn();
      await delivered(scene, 120);
      const { requests, messages } = await server.tell();
      assert.equal(requests[0].status, 401);
      assert.equal(messages.length, 1);
      const off = Number(board.clock.time) - Number(board.worldTime);
      assert.ok(Math.abs(off) < 3000, `the clock chip is ${off} ms off`);
    }));
}

test('no clock chip at all: SNTP alone will do', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.i2c.devices.delete(0x68);
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('clock: the clock is not set');
    await delivered(scene, 60);
  }));
