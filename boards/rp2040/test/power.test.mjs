/** Power cuts at every operation on the flash, and between them. */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { fullLife, tryCuts } from './power.mjs';
import { build } from './rehearsal.mjs';

const MOMENTS = /** @type {const} */ (['before', 'inside', 'after']);

before(build);

test('power is cut at every write and in between: nothing lost, nothing falsely delivered', async (t) => {
  const { operations, seconds } = await fullLife();
  assert.ok(operations > 5);
  const writes = Array.from({ length: operations }, (_, operation) => ({ operation, moment: MOMENTS[operation % 3] }));
  const between = Array.from({ length: 12 }, (_, index) => ({ seconds: (seconds * (index + 0.5)) / 12 }));
  const tally = await tryCuts([...writes, ...between]);
  t.diagnostic(JSON.stringify(tally));
  assert.ok(tally.atOperations >= 0.9 * operations, `${tally.atOperations} of ${operations} operations`);
  assert.ok(tally.promised > tally.cuts && tally.messages > tally.cuts);
});
