/** The board's chips through embassy's drivers: what firmware sees of I2C, pins, the console, the flash and resets. */

import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import test from 'node:test';

import { Board, PINS } from '../board.mjs';
import { flashed } from '../firmware.mjs';
import { openTerminal } from '../pty.mjs';

/** @param {string} program @param {Partial<import('../board.mjs').BoardOptions>} [options] */
function powered(program, options) {
  const board = new Board({ ...flashed(program), ...options });
  board.powerOn();
  return board;
}

test('I2C: the clock is read and set, by polling and by interrupt', async () => {
  const board = new Board(flashed('i2c'));
  board.clock.set(new Date(Date.UTC(2024, 1, 29, 23, 30, 15)));
  board.powerOn();
  assert.match(await board.expect('clock'), /\[15, 30, 23, \d\d, 29, 02, 24\] Ok\(\(\)\)/);
  assert.match(await board.expect('set'), /Ok/);
  assert.match(await board.expect('clock'), /\[01, 00, 00, 02, 01, 01, 27\] Ok\(Ok\(\(\)\)\)/);
});

test('I2C: an address that nobody acknowledges is an error, not a hang', async () => {
  const board = powered('i2c');
  assert.match(await board.expect('absent'), /^absent Err\(Abort\(NoAcknowledge\)\)/);
  assert.match(await board.expect('absent'), /^absent Ok\(Err\(Abort\(NoAcknowledge\)\)\)/);
  assert.equal(await board.expect(/^end/), 'end');
});

test('I2C: the secure element wakes, gives its revision, and computes the HMAC of RFC 4231 case 1', async () => {
  const board = new Board(flashed('i2c'));
  board.element.chip.keys.set(0, Buffer.concat([Buffer.alloc(20, 0x0b), Buffer.alloc(12)]));
  board.powerOn();
  assert.equal(await board.expect('wake'), 'wake [04, 11, 33, 43]');
  assert.match(await board.expect('info'), /^info \[07, 00, 00, 60, 02, \w\w, \w\w\] Ok/);
  const tag = (await board.expect('hmac')).replaceAll(/hmac|[^0-9a-f]|Ok.*/g, '');
  assert.equal(tag, 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
});

test('I2C: a secure element that refuses, or that is not there, is seen as such', async () => {
  for (const spoil of [
    (/** @type {Board} */ board) => void (board.element.refuses = true),
    (/** @type {Board} */ board) => void board.i2c.devices.delete(0x60),
  ]) {
    const board = new Board(flashed('i2c'));
    spoil(board);
    board.powerOn();
    assert.equal(await board.expect('wake'), 'wake [00, 00, 00, 00]');
    assert.match(await board.expect('info'), /NoAcknowledge/);
    assert.match(await board.expect('hmac'), /NoAcknowledge/);
  }
});

test('I2C: a chip that holds the bus stops the firmware, until the bus is let go', async () => {
  const board = new Board(flashed('i2c'));
  board.i2c.holdAfter(4);
  board.powerOn();
  await board.run({ seconds: 0.05 });
  assert.ok(board.i2c.held);
  assert.deepEqual(board.console.lines, []);
  board.powerOff();
  board.i2c.release();
  board.powerOn();
  await board.expect('clock');
});

test('pins: a contact interrupts, the lamp follows, a pull-up reads high', async () => {
  const board = powered('inputs');
  /** @type {(boolean | null)[]} */
  const lamp = [];
  board.watchPin(PINS.lamp, (level) => lamp.push(level));
  await board.expect('temperature');
  board.drive(2, false);
  await board.expect('closed');
  board.drive(2, null);
  await board.expect('open');
  assert.deepEqual(lamp.slice(-2), [true, false]);
});

test('ADC: the temperature sensor gives what its formula says', async () => {
  const board = new Board(flashed('inputs'));
  board.temperature = 27;
  board.powerOn();
  // 0.706 V of 3.3 V in 12 bits
  assert.equal(await board.expect('temperature'), 'temperature 0876');
});

test('console: typed text arrives at the baud rate, and none of it is lost', async () => {
  const board = powered('inputs');
  await board.expect('temperature');
  const start = board.nanos;
  const line = 'the quick brown fox jumps over the lazy dog, '.repeat(5);
  board.console.send(`${line}\n`);
  assert.equal(await board.expect('THE QUICK'), line.toUpperCase());
  const seconds = (board.nanos - start) / 1e9;
  assert.ok(Math.abs(seconds - (line.length + 1) * 10 / 115_200) < 0.003, `${seconds} s`);
  assert.equal(board.console.lost, 0);
});

test('console: a program opens it as a pseudo-terminal, all bytes pass, and time is real', async () => {
  const board = powered('inputs');
  await board.expect('temperature');
  const terminal = await openTerminal(board.console);
  const port = await open(terminal.path, 'r+');
  try {
    board.realTime = true;
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const expected = Buffer.from(every.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte)));
    await port.write(every);
    const read = port.read(Buffer.alloc(256), 0, 256);
    const start = performance.now();
    await board.run({ seconds: 0.3 });
    assert.ok(performance.now() - start > 250);
    const { buffer, bytesRead } = await read;
    assert.deepEqual(buffer.subarray(0, bytesRead), expected.subarray(0, bytesRead));
    assert.ok(bytesRead > 0);
    assert.equal(board.console.text.slice(-256), expected.toString('latin1'));
  } finally {
    terminal.close();
    await port.close();
  }
});

test('USB: a serial port is enumerated, opened and echoes; without a computer the firmware sleeps', async () => {
  const board = new Board(flashed('usb'));
  board.usbPlugged = true;
  board.powerOn();
  const { usb } = board;
  assert.ok(await board.run({ seconds: 1, until: () => usb.lines.includes('ready') }));
  usb.send('hello\n');
  assert.ok(await board.run({ seconds: 1, until: () => usb.lines.includes('HELLO') }));

  const alone = powered('usb');
  await alone.run({ seconds: 5 });
  assert.ok(alone.machine && alone.machine.cycles < 100_000);
});

test('flash: identity, erase and program through the boot ROM', async () => {
  const board = powered('flash');
  assert.equal(await board.expect('unique'), 'unique [e6, 61, 41, 03, e7, a5, 2b, 28] Ok(())');
  assert.equal(await board.expect('jedec'), 'jedec Ok(ef4015)');
  assert.equal(await board.expect('sector'), 'sector ----------------');
  await board.expect('wrote 15 Ok');
  assert.deepEqual([...board.flash.bytes.subarray(0x1f0000 + 0x4f0, 0x1f0000 + 0x510)], [
    ...new Array(16).fill(4), ...new Array(16).fill(5),
  ]);
});

test('flash: what a power cut leaves is what the next life finds', async () => {
  // Operation 0 is the first erase, 1 to 16 are pages, 17 the second erase.
  const expectations = [
    { operation: 4, moment: 'before', found: /^www-{13}$/ },
    { operation: 4, moment: 'inside', found: /^wwwt-{12}$/ },
    { operation: 4, moment: 'after', found: /^wwww-{12}$/ },
    { operation: 17, moment: 'before', found: /^w{16}$/ },
    { operation: 17, moment: 'inside', found: /^t{16}$/ },
    { operation: 17, moment: 'after', found: /^-{16}$/ },
  ];
  for (const { operation, moment, found } of expectations) {
    const board = new Board(flashed('flash'));
    board.flash.cutPower({ operation, moment: /** @type {'before' | 'inside' | 'after'} */ (moment) });
    board.powerOn();
    await board.run({ seconds: 2 });
    assert.equal(board.machine, null, 'the power is off');
    assert.match(board.endings[0].message, new RegExp(`power was cut ${moment}`));
    board.console.text = '';
    board.powerOn();
    await board.run({ seconds: 0.05 });
    const sector = board.console.lines.find((line) => line.startsWith('sector'))?.slice(7) ?? '';
    assert.match(sector, found, `${moment} operation ${operation}`);
  }
});

test('resets: each kind is told from the others, and keeps what the chip keeps', async () => {
  const board = powered('reset', { faults: true });
  assert.match(await board.expect('reason'), /^reason None scratch 0 mark (?!cafe)/);
  assert.equal(await board.expect('reason'), 'reason Some(TimedOut) scratch 1 mark cafe0000');
  assert.equal(await board.expect('reason'), 'reason Some(Forced) scratch 2 mark cafe0001');
  assert.equal(await board.expect('reason'), 'reason Some(Forced) scratch 3 mark cafe0002');
  assert.deepEqual(board.endings.map(({ message }) => message), [
    'reset by watchdog',
    'reset by watchdog trigger',
    'reset by system reset request',
  ]);
  board.powerOff(5);
  board.powerOn();
  assert.match(await board.expect('reason'), /^reason None scratch 0 mark (?!cafe)/);
});

test('a panic fails the run, unless the test lets the firmware handle it', async () => {
  const board = powered('reset');
  await assert.rejects(board.run({ seconds: 10 }), /HardFault, at 0x1000\w+ \(.*rust_begin_unwind/);
});

test('the clock runs on while the power is off', async () => {
  const board = powered('hello');
  board.clock.set(board.worldTime);
  await board.run({ seconds: 0.1 });
  board.powerOff(3600);
  board.powerOn();
  await board.run({ seconds: 0.1 });
  assert.equal(board.clock.time.getTime(), board.worldTime.getTime());
  assert.equal(board.worldTime.getTime() - board.start.getTime(), 3_600_200);
});
