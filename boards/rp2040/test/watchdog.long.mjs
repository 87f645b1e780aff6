/** A hang in which the core is busy all the time, which takes long to emulate. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { before } from 'node:test';

import { EXAMPLE_SECRET } from '../../../tests/emulator/standin.mjs';
import { build, delivered, rehearse } from './rehearsal.mjs';

/** The application is given up after 30 s; then the watchdog counts 8 s. */
const PATIENCE_SECS = 80;

before(build);

test('a chip holds the I2C bus in the middle of a byte: reset, and the bus is clocked free', () =>
  rehearse(
    async (scene) => {
      const { board, server } = scene;
      board.element.chip.keys.set(3, createHash('sha256').update(EXAMPLE_SECRET.join('||')).digest());
      board.powerOn();
      await board.expect('outbox:');
      await board.run({ seconds: 2 });
      // It holds the data line from the fifth byte of an exchange on, until it was clocked three times.
      board.i2c.holdAfter(5);
      let pulses = 0;
      board.watchPin(5, (level) => {
        if (level !== false || !board.i2c.held) return;
        pulses += 1;
        if (pulses === 3) {
          board.i2c.release();
          board.drive(4, null);
        }
      });
      board.console.send('test pump 7 is off\r');
      assert.ok(await board.run({ seconds: 10, until: () => board.i2c.held }));
      board.drive(4, false);
      await board.expect('started by the watchdog', PATIENCE_SECS);
      assert.match(await board.expect('before that'), /the application hung/);
      await board.expect('outbox: 1 waiting');
      await delivered(scene);
      assert.equal(pulses, 3);
      assert.equal((await server.tell()).messages.length, 1);
    },
    { options: ['--hardware-key', '3'], resets: true },
  ));
