/**
 * The gateway to play with: its console on the terminal, its world on keys, the server's view in between.
 *
 * `cargo xtask emulate rp2040` builds what it needs and runs it.
 */

import fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { openTerminal } from '../../../tests/emulator/pty.mjs';
import { BUTTON, DOOR, FLOOD, rehearse } from './rehearsal.mjs';

const KEYS = `keys: Ctrl-D door   Ctrl-W water   Ctrl-T heat   Ctrl-B button   Ctrl-L network cable
      Ctrl-S server overloaded   Ctrl-P power cut   Ctrl-C end; all else is typed at the console`;

const { values } = parseArgs({
  options: { store: { type: 'string' }, blank: { type: 'boolean' } },
});

/** @type {[cold: number, hot: number]} degrees Celsius */
const TEMPERATURES = [25, 70];

await rehearse(play, {
  blank: values.blank,
  store: values.store === undefined ? undefined : fs.readFileSync(values.store),
});
process.exit();

/** @param {import('./rehearsal.mjs').Scene} scene */
async function play(scene) {
  const { board, server } = scene;
  const state = { door: false, water: false, hot: false, overloaded: false, off: false, ended: false };
  const terminal = await openTerminal(board.console);
  const toTerminal = board.console.onByte;
  board.console.onByte = (byte) => {
    toTerminal?.(byte);
    process.stdout.write(Uint8Array.of(byte));
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    '\x03': () => (state.ended = true),
    '\x04': () => contact('door', DOOR),
    '\x17': () => contact('water', FLOOD),
    '\x14': () => {
      state.hot = !state.hot;
      board.temperature = TEMPERATURES[Number(state.hot)];
      say(`${TEMPERATURES[Number(state.hot)]} degrees Celsius`);
    },
    '\x02': () => {
      say('the button is pressed');
      board.drive(BUTTON, false);
      void setTimeout(200).then(() => board.drive(BUTTON, null));
    },
    '\x0c': () => {
      board.ethernet.cable = !board.ethernet.cable;
      say(`the network cable is ${board.ethernet.cable ? 'in' : 'out'}`);
    },
    '\x13': () => {
      state.overloaded = !state.overloaded;
      void (state.overloaded ? server.fail({ status: 503 }) : server.behave());
      say(`the server ${state.overloaded ? 'answers nothing but 503' : 'is well'}`);
    },
    '\x10': () => {
      say('the power is off for 2 seconds');
      state.off = true;
    },
  };

  /** @param {'door' | 'water'} name @param {number} pin */
  function contact(name, pin) {
    state[name] = !state[name];
    board.drive(pin, state[name] ? false : null);
    say(`the contact for ${name} is ${state[name] ? 'closed' : 'open'}`);
  }

  console.log(KEYS);
  console.log(`serial port: ${terminal.path}, for gateway device status --port ${terminal.path}`);
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
  process.stdin.on('data', (bytes) => {
    for (const char of bytes.toString('latin1')) {
      if (keys[char]) keys[char]();
      else board.console.send(Buffer.from(char, 'latin1'));
    }
  });
  process.stdin.on('end', () => (state.ended = true));
  try {
    board.realTime = true;
    board.powerOn();
    await Promise.all([live(), watchServer()]);
  } finally {
    state.ended = true;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    terminal.close();
  }

  async function live() {
    while (!state.ended) {
      await board.run({ seconds: Infinity, until: () => state.ended || state.off });
      if (!state.off) continue;
      board.powerOff(2);
      await setTimeout(2000);
      state.off = false;
      board.powerOn();
    }
  }

  async function watchServer() {
    let shown = 0;
    while (!state.ended) {
      const { requests, messages } = await server.tell();
      for (const request of requests.slice(shown)) {
        const message = messages.find(({ request_id }) => request_id === request.request_id);
        const sms = message === undefined ? '' : `; SMS ${message.id}: ${message.text}`;
        line('server', `${request.status} ${request.verdict}${sms}`);
      }
      shown = requests.length;
      await setTimeout(200);
    }
  }
}

/** @param {string} text */
function say(text) {
  line('world', text);
}

/** @param {string} who @param {string} text */
function line(who, text) {
  const shown = `[${who}] ${text}`;
  process.stdout.write(process.stdout.isTTY ? `\r\x1b[36m${shown}\x1b[0m\r\n` : `${shown}\n`);
}
