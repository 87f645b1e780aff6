/**
 * Figures of the release ELF, printed and kept as JSON in the target directory.
 *
 * Cycles exclude flash wait states: they are those of a cache that always hits, so lower bounds.
 */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { Meter } from '../../../tests/emulator/calls.mjs';
import { functionRanges } from '../../../tests/emulator/dwarf.mjs';
import { Elf } from '../../../tests/emulator/elf.mjs';
import { DOOR, build, delivered, firmware, rehearse, rehearseTls, targetDirectory } from './rehearsal.mjs';

/** Mangled names of what makes a template, and of what signs by it. */
const [NEW, SIGN] = [/^_ZN8jwt_core8template.*3new17h/, /^_ZN8jwt_core8template.*4sign17h/];

/** `compress256(state, blocks)`: the third register has the number of blocks. */
const COMPRESS = /^_ZN4sha26sha256.*compress256/;
const blocks = (/** @type {Uint32Array} */ registers) => registers[2];

/** SHA-256 compressions of the API's token: the template absorbs one block, a token by it takes three (jwt-core's promise). */
const [COMPRESSIONS_NEW, COMPRESSIONS_SIGN] = [1, 3];

/** How well what the README states has to agree: it is not written anew for every change. */
const STATED_WITHIN = 0.05;

/** @type {Record<string, number>} */
const figures = {};

before(build);

after(() => {
  fs.writeFileSync(path.join(targetDirectory, 'rp2040-figures.json'), `${JSON.stringify(figures, null, 2)}\n`);
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(width)} ${String(value).padStart(10)}`);
});

test('flash and RAM', () => {
  const { sections } = new Elf(firmware);
  const sum = (/** @type {string[]} */ names) => names.reduce((total, name) => total + (sections.get(name) ?? 0), 0);
  const known = ['.boot2', '.vector_table', '.text', '.rodata', '.data', '.gnu.sgstubs', '.bss', '.uninit'];
  assert.deepEqual([...sections.keys()].filter((name) => !known.includes(name) && sections.get(name)), []);
  figures.flash_bytes = sum(known.slice(0, 6));
  figures.static_ram_bytes = sum(['.data', '.bss', '.uninit']);
});

test('cycles to sign: the first token, and again by the template', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.powerOn();
    assert.ok(board.machine);
    const { machine } = board;
    const make = new Meter(machine, functionRanges(board.elf, NEW), COMPRESS, blocks);
    await board.expect('outbox:');
    make.stop();
    assert.equal(make.calls, COMPRESSIONS_NEW);
    /** @type {number[]} */
    const cycles = [];
    for (const text of ['first', 'second', 'third']) {
      const meter = new Meter(machine, functionRanges(board.elf, SIGN), COMPRESS, blocks);
      board.console.send(`test ${text}\r`);
      await delivered(scene);
      meter.stop();
      assert.equal(meter.calls, COMPRESSIONS_SIGN);
      cycles.push(meter.cycles);
      // A token serves as long as the API takes it, which is less than 5 minutes.
      await board.run({ seconds: 300 });
    }
    figures.cycles_first_token = make.cycles + cycles[0];
    figures.cycles_next_token = Math.max(...cycles.slice(1));
    assert.ok(figures.cycles_next_token < figures.cycles_first_token);
    // What is not hashing should be less than half of it: design figure of 11,140 cycles a compression.
    assert.ok(figures.cycles_next_token < 1.5 * COMPRESSIONS_SIGN * 11_140, `${figures.cycles_next_token} cycles`);
  }));

test('from power to the first alert, and the stack that it took', () =>
  rehearse(async (scene) => {
    const { board } = scene;
    board.drive(DOOR, false);
    board.powerOn();
    await board.expect('outbox:');
    figures.millis_to_ready = Math.round(board.nanos / 1e6);
    await delivered(scene);
    figures.millis_to_first_alert = Math.round(board.nanos / 1e6);
    assert.ok(board.machine);
    figures.stack_bytes = board.machine.stackHighWater;
    figures.stack_limit_bytes = board.machine.stackSize;
  }));

test('the same by TLS', () =>
  rehearseTls(async (scene) => {
    const { board } = scene;
    board.drive(DOOR, false);
    board.powerOn();
    await delivered(scene, 60);
    assert.ok(board.machine);
    figures.millis_to_first_alert_tls = Math.round(board.nanos / 1e6);
    figures.million_cycles_to_first_alert_tls = Math.round(board.machine.cycles / 1e6);
    figures.stack_bytes_tls = board.machine.stackHighWater;
  }));

test('the README states what was measured, but for times that depend on the host', () => {
  const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, ...texts] =
    /^\| first token: [^|]*\| ([\d,]+) cycles \|\n\| each next token \| ([\d,]+) cycles \|\n\| stack, [^|]*\| ([\d,]+) bytes \|\n\| flash, static RAM \| (\d+) KB, (\d+) KB \|$/m.exec(readme) ?? [];
  const stated = texts.map((text) => Number(text.replace(',', '')));
  const { cycles_first_token, cycles_next_token, stack_bytes_tls, flash_bytes, static_ram_bytes } = figures;
  const measured = [cycles_first_token, cycles_next_token, stack_bytes_tls, flash_bytes / 1024, static_ram_bytes / 1024];
  assert.equal(stated.length, measured.length);
  measured.forEach((figure, index) => {
    assert.ok(Math.abs(stated[index] / figure - 1) < STATED_WITHIN, `${stated[index]} is stated, ${figure} was measured`);
  });
});
