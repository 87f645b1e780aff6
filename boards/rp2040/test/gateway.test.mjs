/** The release ELF, whole: what a person sees of a board that works, and of one that is not ready. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { before } from 'node:test';

import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { DOOR, FLOOD, build, delivered, outbox, rehearse } from './rehearsal.mjs';

before(build);

test('a contact closes, and one message is sent', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    board.powerOn();
    await board.expect('custody: plain');
    await board.expect('outbox: 0 waiting');
    board.drive(DOOR, false);
    await board.expect('Freezer 2: door open');
    await delivered(scene);
    board.drive(DOOR, null);
    board.drive(FLOOD, false);
    await board.expect('Cellar: water');
    await delivered(scene);
    assert.deepEqual(await outbox(board), { waiting: 0, held: 0, refused: 0, damaged: 0 });
    const { requests, messages } = await server.tell();
    assert.deepEqual(messages.map(({ text }) => text), ['Freezer 2: door open', 'Cellar: water']);
    assert.equal(requests.length, 2);
    assert.equal(board.console.lost, 0);
  }));

test('the temperature and a line on the console', () =>
  rehearse(async (scene) => {
    const { board, server } = scene;
    board.temperature = 70;
    board.powerOn();
    await board.expect('Too hot (70 C)');
    await delivered(scene);
    board.console.send('test pump 7 is off\r');
    await board.expect('waits: pump 7 is off');
    await delivered(scene);
    const { messages } = await server.tell();
    assert.deepEqual(messages.map(({ text }) => text), ['Too hot (70 C)', 'pump 7 is off']);
  }));

test('the cable is out, and an alert waits through a power cut', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.ethernet.cable = false;
    board.powerOn();
    await board.expect('link: down');
    await board.expect('outbox:');
    board.console.send('test pump 7 is off\r');
    const [, id] = /^alert (\w+) waits/.exec(await board.expect('waits: pump 7 is off')) ?? [];
    await board.run({ seconds: 60 });
    board.powerOff(10);
    board.powerOn();
    await board.expect('outbox: 1 waiting');
    board.ethernet.cable = true;
    assert.equal(await delivered(scene), id);
  }));

test('a secure element signs what the server accepts', () =>
  rehearse(
    async (scene) => {
      const { board } = scene;
      board.element.chip.keys.set(3, createHash('sha256').update(EXAMPLE_SECRET.join('||')).digest());
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect('custody: hardware');
      await delivered(scene);
    },
    { options: ['--hardware-key', '3'] },
  ));

test('nothing is sent in the clear but to a test server', () =>
  rehearse(
    async ({ board, network, server }) => {
      let sent = '';
      network.listeners.push((frame, direction) => {
        if (direction === 'from board') sent += Buffer.from(frame).toString('latin1');
      });
      board.drive(DOOR, false);
      board.powerOn();
      await board.expect('not sent, again in');
      await board.run({ seconds: 20 });
      assert.doesNotMatch(sent, /POST|HTTP|[Bb]earer|Freezer|4155551234|eyJ/);
      assert.deepEqual(board.endings, []);
      // The server, which speaks no TLS, was connected to, and was told nothing.
      assert.deepEqual((await server.tell()).requests, []);
    },
    { network: 'host = "10.0.2.2"' },
  ));

test('a blank board says so to whoever asks', () =>
  rehearse(
    async ({ board }) => {
      board.powerOn();
      await board.expect('nothing is sent: the store is blank');
      board.console.send('status\r');
      await board.expect('nothing is sent: the store is blank');
    },
    { blank: true },
  ));
