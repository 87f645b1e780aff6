/** The Ethernet controller, against its datasheet. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { W5500 } from '../w5500.mjs';

const COMMON = 0;
const SOCKET = 1;
const TX = 2;
const RX = 3;
const MAC = [0x02, 0, 0, 0, 0, 0x2a];

function makeChip() {
  const chip = new W5500();
  /** @type {Uint8Array[]} */
  const sent = [];
  /** @type {boolean[]} */
  const levels = [];
  chip.onFrame = (frame) => sent.push(frame);
  chip.onInterrupt = (level) => levels.push(level);
  const exchange = (/** @type {number} */ block, /** @type {number} */ address, /** @type {boolean} */ write, /** @type {number[]} */ data) => {
    chip.setSelect(false);
    [address >> 8, address & 0xff, (block << 3) | (write ? 4 : 0)].forEach((byte) => chip.transfer(byte));
    const answer = data.map((byte) => chip.transfer(byte));
    chip.setSelect(true);
    return answer;
  };
  const read = (/** @type {number} */ block, /** @type {number} */ address, /** @type {number} */ count) =>
    exchange(block, address, false, new Array(count).fill(0));
  const write = (/** @type {number} */ block, /** @type {number} */ address, /** @type {number[]} */ ...data) => {
    exchange(block, address, true, data);
  };
  const word = (/** @type {number} */ address) => {
    const [high, low] = read(SOCKET, address, 2);
    return (high << 8) | low;
  };
  /** As a driver does: 16 KB for socket 0, RECV interrupt alone, filtered MACRAW. */
  const open = (mode = 0x84) => {
    write(COMMON, 0x18, 1);
    write(COMMON, 0x09, ...MAC);
    write(SOCKET, 0x2c, 0x04);
    write(SOCKET, 0x1e, 16);
    write(SOCKET, 0x1f, 16);
    write(SOCKET, 0x00, mode);
    write(SOCKET, 0x01, 0x01);
  };
  const send = (/** @type {number[]} */ frame) => {
    const start = word(0x24);
    write(TX, start, ...frame);
    write(SOCKET, 0x24, ((start + frame.length) >> 8) & 0xff, (start + frame.length) & 0xff);
    write(SOCKET, 0x01, 0x20);
  };
  const take = () => {
    const start = word(0x28);
    const [high, low] = read(RX, start, 2);
    const length = (high << 8) | low;
    const frame = read(RX, (start + 2) & 0xffff, length - 2);
    const next = start + length;
    write(SOCKET, 0x28, (next >> 8) & 0xff, next & 0xff);
    write(SOCKET, 0x01, 0x40);
    return frame;
  };
  return { chip, sent, levels, read, write, word, open, send, take };
}

/** @param {number[]} destination @param {number} length @param {number} fill */
const frameTo = (destination, length, fill = 0x55) => Uint8Array.from([...destination, ...new Array(length - 6).fill(fill)]);

test('reset values are those of the datasheet', () => {
  const { read } = makeChip();
  assert.deepEqual(read(COMMON, 0x39, 1), [0x04], 'VERSIONR');
  assert.deepEqual(read(COMMON, 0x19, 3), [0x07, 0xd0, 0x08], 'RTR and RCR');
  assert.deepEqual(read(COMMON, 0x2e, 1), [0xbf], 'PHYCFGR with a link');
  assert.deepEqual(read(SOCKET, 0x16, 1), [0x80], 'Sn_TTL');
  assert.deepEqual(read(SOCKET, 0x1e, 2), [2, 2], 'Sn_RXBUF_SIZE, Sn_TXBUF_SIZE');
  assert.deepEqual(read(SOCKET, 0x20, 2), [0x08, 0x00], 'Sn_TX_FSR');
  assert.deepEqual(read(SOCKET, 0x2c, 3), [0xff, 0x40, 0x00], 'Sn_IMR, Sn_FRAG');
});

test('the mode register resets the chip, and so does its pin', () => {
  const { chip, write, read, open } = makeChip();
  open();
  assert.deepEqual(read(SOCKET, 0x03, 1), [0x42]);
  write(COMMON, 0x00, 0x80);
  assert.deepEqual(read(SOCKET, 0x03, 1), [0x00]);
  assert.deepEqual(read(COMMON, 0x00, 1), [0x00]);
  open();
  chip.setReset(false);
  chip.setReset(true);
  assert.deepEqual(read(COMMON, 0x09, 6), [0, 0, 0, 0, 0, 0]);
});

test('a sent frame comes out once, padded to the minimum length', () => {
  const { sent, open, send, word, read } = makeChip();
  open();
  send([1, 2, 3]);
  assert.equal(sent.length, 1);
  assert.deepEqual([...sent[0]], [1, 2, 3, ...new Array(57).fill(0)]);
  assert.equal(word(0x20), 16 * 1024, 'all of the buffer is free again');
  assert.equal(read(SOCKET, 0x02, 1)[0] & 0x10, 0x10, 'SEND_OK');
});

test('a received frame is preceded by its length, which counts itself', () => {
  const { chip, open, word, read, take } = makeChip();
  open();
  const frame = frameTo(MAC, 100);
  chip.receive(frame);
  assert.equal(word(0x26), 102);
  assert.deepEqual(read(RX, 0, 2), [0, 102]);
  assert.deepEqual(take(), [...frame]);
  assert.equal(word(0x26), 0);
});

test('frames wrap around both buffers, and pointers around 16 bits', () => {
  const { chip, sent, open, send, take } = makeChip();
  open();
  for (let index = 0; index < 100; index++) {
    const frame = frameTo(MAC, 1514 - index, index);
    send([...frame]);
    chip.receive(frame);
    assert.deepEqual(take(), [...frame]);
    assert.deepEqual(sent.pop(), frame);
  }
});

test('a frame that does not fit is dropped', () => {
  const { chip, open, take, word } = makeChip();
  open();
  for (let index = 0; index < 11; index++) chip.receive(frameTo(MAC, 1514, index));
  assert.equal(chip.dropped, 1);
  assert.equal(word(0x26), 10 * 1516);
  take();
  chip.receive(frameTo(MAC, 1514));
  assert.equal(chip.dropped, 1);
});

test('the interrupt pin is low while a frame waits', () => {
  const { chip, levels, open, write, take } = makeChip();
  open();
  chip.receive(frameTo(MAC, 60, 1));
  chip.receive(frameTo(MAC, 60, 2));
  assert.deepEqual(levels, [false]);
  write(SOCKET, 0x02, 0x04);
  take();
  assert.deepEqual(levels, [false, true, false], 'raised again for the second frame');
  write(SOCKET, 0x02, 0x04);
  take();
  assert.deepEqual(levels, [false, true, false, true]);
});

test('SEND_OK does not reach the pin when only RECV is enabled', () => {
  const { levels, open, send } = makeChip();
  open();
  send([...frameTo(MAC, 60)]);
  assert.deepEqual(levels, []);
});

test('the filter passes its own address and broadcasts', () => {
  const other = [0x02, 0, 0, 0, 0, 0x2b];
  const { chip, open, word } = makeChip();
  open();
  chip.receive(frameTo(other, 60));
  assert.equal(word(0x26), 0);
  chip.receive(frameTo([0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 60));
  assert.equal(word(0x26), 62);
  open(0x04);
  chip.receive(frameTo(other, 60));
  assert.equal(word(0x26), 62);
});

test('without a cable the PHY says so, and no frame passes either way', () => {
  const { chip, sent, open, send, read, word } = makeChip();
  open();
  chip.cable = false;
  assert.deepEqual(read(COMMON, 0x2e, 1), [0xb8]);
  send([...frameTo(MAC, 60)]);
  chip.receive(frameTo(MAC, 60));
  assert.equal(sent.length, 0);
  assert.equal(word(0x26), 0);
  chip.cable = true;
  assert.deepEqual(read(COMMON, 0x2e, 1), [0xbf]);
});
