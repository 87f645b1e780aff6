/**
 * Builds the test firmware, and finds what was built. Run as a program it builds: `node firmware.mjs`.
 *
 * Cargo's target directory is `CARGO_TARGET_DIR`, or `target/emulator` of the repository.
 */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { FLASH_BASE } from './bootrom.mjs';
import { Elf } from './elf.mjs';
import { Flash } from './flash.mjs';

const directory = fileURLToPath(new URL('firmware', import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target/emulator', import.meta.url));

/**
 * Loads one program of the test firmware and flashes it.
 * @param {string} name
 */
export function flashed(name) {
  const elf = new Elf(path.join(target, 'thumbv6m-none-eabi', 'release', name));
  const flash = new Flash();
  flash.load(elf, FLASH_BASE);
  return { elf, flash };
}

function build() {
  const cargo = spawnSync('cargo', ['build', '--quiet', '--release', '--locked'], {
    cwd: directory,
    env: { ...process.env, CARGO_TARGET_DIR: target },
    stdio: 'inherit',
  });
  if (cargo.error) throw cargo.error;
  process.exitCode = cargo.status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
