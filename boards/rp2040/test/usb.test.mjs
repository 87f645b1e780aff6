/** The console over USB: what a person sees and types there, beside UART0. */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { build, delivered, rehearse } from './rehearsal.mjs';

before(build);

test('a person at the USB port sees the status, and raises an alert', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.usbPlugged = true;
    board.powerOn();
    const { usb } = board;
    assert.ok(await board.run({ seconds: 5, until: () => usb.open }));
    await board.expect('outbox: 0 waiting');
    await board.run({ seconds: 1 });
    usb.send('status\r');
    const shown = () => usb.lines.some((line) => line.startsWith('outbox: 0 waiting'));
    assert.ok(await board.run({ seconds: 5, until: shown }), usb.text);
    usb.send('test pump 7 is off\r');
    await delivered(scene);
    assert.ok(await board.run({ seconds: 5, until: () => /delivered: message \d+\r\n/.test(usb.text) }), usb.text);
    assert.equal(usb.lines.filter((line) => line.includes('waits: pump 7 is off')).length, 1);
    // Whole lines: what one console says is what the other does.
    for (const line of usb.lines) assert.ok(board.console.lines.includes(line), line);
  }));
