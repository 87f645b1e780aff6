/** The serial flash, against the W25Q16JV datasheet and against what a torn operation may leave. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Flash, PAGE_BYTES, PowerCut, SECTOR_BYTES } from '../flash.mjs';

const page = (/** @type {number} */ value) => new Uint8Array(PAGE_BYTES).fill(value);

test('programming clears bits, and only an erase sets them', () => {
  const flash = new Flash();
  flash.programPage(0x10000, page(0xf0));
  flash.programPage(0x10000, page(0x3f));
  assert.deepEqual(flash.bytes.subarray(0x10000, 0x10100), page(0x30));
  flash.eraseSector(0x10000);
  assert.deepEqual(flash.bytes.subarray(0x10000, 0x10100), page(0xff));
});

test('what follows a short write in its page stays', () => {
  const flash = new Flash();
  flash.programPage(0, Uint8Array.of(1, 2, 3));
  assert.deepEqual([...flash.bytes.subarray(0, 5)], [1, 2, 3, 0xff, 0xff]);
});

test('operations that are not aligned or out of range are refused', () => {
  const flash = new Flash();
  assert.throws(() => flash.eraseSector(PAGE_BYTES), /aligned/);
  assert.throws(() => flash.programPage(1, page(0)), /aligned/);
  assert.throws(() => flash.eraseSector(flash.bytes.length), /out of range/);
});

test('the power fails at the planned operation', () => {
  for (const moment of /** @type {const} */ (['before', 'inside', 'after'])) {
    const flash = new Flash();
    flash.cutPower({ operation: 1, moment });
    flash.programPage(0, page(0));
    assert.throws(() => flash.programPage(PAGE_BYTES, page(0)), PowerCut);
    const cleared = flash.bytes.subarray(PAGE_BYTES, 2 * PAGE_BYTES).filter((byte) => byte === 0).length;
    if (moment === 'before') assert.equal(cleared, 0);
    if (moment === 'inside') assert.ok(cleared < PAGE_BYTES);
    if (moment === 'after') assert.equal(cleared, PAGE_BYTES);
    flash.programPage(2 * PAGE_BYTES, page(0));
    assert.deepEqual(flash.operations.map(({ cut }) => cut), [null, moment, null]);
  }
});

test('a torn program clears some of the bits that were to be cleared, and no others', () => {
  const wanted = 0x0f;
  const leftovers = new Set();
  for (let seed = 0; seed < 50; seed++) {
    const flash = new Flash();
    flash.programPage(0, page(0x7f));
    flash.cutPower({ operation: 0, moment: 'inside', seed });
    assert.throws(() => flash.programPage(0, page(wanted)), PowerCut);
    for (const byte of flash.bytes.subarray(0, PAGE_BYTES)) {
      assert.equal(byte & wanted, wanted);
      assert.equal(byte & 0x80, 0);
      leftovers.add(byte);
    }
  }
  assert.equal(leftovers.size, 8, 'each combination of the three bits is seen');
});

test('a torn erase leaves bytes that are neither the old ones nor erased, and never the same twice', () => {
  const flash = new Flash();
  const seen = new Set();
  for (let seed = 0; seed < 20; seed++) {
    flash.eraseSector(0);
    flash.programPage(0, page(0xa5));
    flash.cutPower({ operation: 0, moment: 'inside', seed });
    assert.throws(() => flash.eraseSector(0), PowerCut);
    const sector = flash.bytes.slice(0, PAGE_BYTES);
    assert.ok(sector.some((byte) => byte === 0xa5), 'some bytes are still there');
    assert.ok(sector.some((byte) => byte === 0xff), 'some are erased');
    assert.ok(sector.some((byte) => byte !== 0xa5 && byte !== 0xff), 'some are neither');
    seen.add(sector.toString());
  }
  assert.equal(seen.size, 20);
  assert.equal(SECTOR_BYTES, 4096);
});
