/** Many more power cuts: every moment of every write, cuts in the life after a cut, and all over the time between. */

import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { fullLife, tryCuts } from './power.mjs';
import { build } from './rehearsal.mjs';

const MOMENTS = /** @type {const} */ (['before', 'inside', 'after']);
const INSTANTS = 300;

before(build);

/** @type {{ operations: number, seconds: number }} */
let life;
before(async () => (life = await fullLife()));

test('at every moment of every write', async (t) => {
  const all = Array.from({ length: life.operations }, (_, operation) => MOMENTS.map((moment) => ({ operation, moment })));
  const tally = await tryCuts(all.flat());
  t.diagnostic(JSON.stringify(tally));
  assert.ok(tally.atOperations >= 0.9 * tally.cuts);
});

test('inside every write, and again inside one of the life after it', async (t) => {
  const pairs = Array.from({ length: life.operations }, (_, operation) =>
    [0, 1, 2, 3, 5, 8].map((second) => ({ operation, again: { operation: second } })),
  );
  const tally = await tryCuts(pairs.flat());
  t.diagnostic(JSON.stringify(tally));
  assert.ok(tally.atOperations >= 0.7 * tally.cuts);
});

test('at instants all over a life', async (t) => {
  const instants = Array.from({ length: INSTANTS }, (_, index) => ({ seconds: (life.seconds * (index + 0.37)) / INSTANTS }));
  const tally = await tryCuts(instants);
  t.diagnostic(JSON.stringify(tally));
  assert.equal(tally.cuts, INSTANTS);
});
