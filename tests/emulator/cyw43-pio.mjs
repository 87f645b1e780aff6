/**
 * Wires a CYW43439 to an RP2040's PIO, as on the Pico W: power GPIO 23, data 24, select 25, clock 29.
 *
 * Raspberry Pi Pico W datasheet, appendix B (schematic); RP2040 datasheet, chapter 3 (PIO). rp2040js 1.4.1 executes the
 * instructions of the PIO, but in the host's time, stopped machines too, and one that stalled goes on as soon as a word is put
 * into its FIFO even though it is stopped. Here they execute in simulated time, in bursts of one word's bits, whose effects show at a
 * burst's end: so nothing is done too early, and a transfer takes up to a burst too long. The two pins of the bus are read from the
 * PIO directly: telling every pin's listeners of every clock edge would take ten times as long.
 */

/**
 * @typedef {object} StateMachine as rp2040js has it
 * @property {boolean} enabled
 * @property {boolean} waiting
 * @property {number} waitType
 * @property {number} outputShiftCount
 * @property {number} clockDivInt
 * @property {number} clockDivFrac
 * @property {number} execCtrl
 * @property {() => void} checkWait
 * @property {() => void} step
 * @property {(value: number) => void} writeFIFO
 * @property {() => number} readFIFO
 * @property {(offset: number, value: number) => void} writeUint32
 *
 * @typedef {object} Pio as rp2040js has it
 * @property {StateMachine[]} machines
 * @property {boolean} stopped
 * @property {number} pinValues
 * @property {number} pinDirections
 * @property {() => void} run
 */

export const RADIO_PINS = Object.freeze({ power: 23, data: 24, select: 25, clock: 29 });

const PIO_FUNCTION = 6;
const BURST_CYCLES = 64;
/** Offset of a machine's INSTR register from its first one. */
const INSTRUCTION = 0x10;
/** Bits that are gone of the output shift register. */
const EMPTY = 32;
const WAITS_FOR_OUT = 5;

/**
 * Connects the radio to PIO 0.
 * @param {import('./machine.mjs').Machine} machine
 * @param {import('./cyw43.mjs').Cyw43} radio
 */
export function attachRadio(machine, radio) {
  const { mcu, clock } = machine;
  /** @type {Pio} */
  const pio = /** @type {any} */ (mcu.pio[0]);
  /** Whether a burst is to come, so that none has to be begun. */
  let running = false;

  const burst = () => {
    running = false;
    const active = pio.machines.filter(({ enabled }) => enabled);
    const wired = [RADIO_PINS.data, RADIO_PINS.clock].every((pin) => mcu.gpio[pin].functionSelect === PIO_FUNCTION);
    let cycles = 0;
    while (cycles < BURST_CYCLES && advance(active)) {
      cycles += 1;
      if (wired) radio.setClock(bit(pio.pinValues, RADIO_PINS.clock), drivesData(pio) && bit(pio.pinValues, RADIO_PINS.data));
    }
    if (cycles > 0) goOn();
  };
  const alarm = clock.createAlarm(burst);
  const goOn = () => {
    if (running || pio.stopped) return;
    running = true;
    const divider = Math.max(...pio.machines.filter(({ enabled }) => enabled).map(dividerOf));
    alarm.schedule((BURST_CYCLES * divider * 1e9) / mcu.clkSys);
  };
  for (const state of pio.machines) executeWhenEnabled(state, goOn);
  pio.run = goOn;

  radio.onData = () => {
    machine.drive(RADIO_PINS.data, radio.level);
    goOn();
  };
  // A chip that begins a life lets go of its pins, and pulls them down.
  radio.setPower(false);
  radio.setSelect(true);
  machine.watchPin(RADIO_PINS.power, (level) => radio.setPower(level === true));
  machine.watchPin(RADIO_PINS.select, (level) => radio.setSelect(level !== false));
  machine.drive(RADIO_PINS.data, radio.level);
}

/**
 * Executes one instruction of each machine that doesn't wait.
 * @param {StateMachine[]} machines
 * @returns {boolean} whether there was any
 */
function advance(machines) {
  let any = false;
  for (const machine of machines) {
    machine.checkWait();
    if (machine.waiting) continue;
    machine.step();
    any = true;
  }
  return any;
}

/**
 * RP2040 datasheet 3.5.4 and 3.7 (SMx_INSTR): the output shift register is empty after a reset, a machine that is stopped takes
 * nothing out of its FIFO, and an instruction that is written to it takes the place of one that stalled.
 * @param {StateMachine} machine
 * @param {() => void} goOn
 */
function executeWhenEnabled(machine, goOn) {
  machine.outputShiftCount = EMPTY;
  const checkWait = machine.checkWait.bind(machine);
  machine.checkWait = () => {
    if (machine.enabled) checkWait();
  };
  const writeFifo = machine.writeFIFO.bind(machine);
  machine.writeFIFO = (value) => {
    writeFifo(value);
    goOn();
  };
  const readFifo = machine.readFIFO.bind(machine);
  machine.readFIFO = () => {
    const value = readFifo();
    goOn();
    return value;
  };
  const write = machine.writeUint32.bind(machine);
  machine.writeUint32 = (offset, value) => {
    if (offset === INSTRUCTION && machine.waiting) {
      machine.waiting = false;
      // rp2040js counts the register as full from the moment that it waits for a word.
      if (machine.waitType === WAITS_FOR_OUT) machine.outputShiftCount = EMPTY;
    }
    write(offset, value);
  };
}

/** @param {Pio} pio */
function drivesData(pio) {
  return bit(pio.pinDirections, RADIO_PINS.data);
}

/** @param {StateMachine} machine */
function dividerOf({ clockDivInt, clockDivFrac }) {
  return (clockDivInt || 65536) + clockDivFrac / 256;
}

/** @param {number} value @param {number} index */
function bit(value, index) {
  return ((value >>> index) & 1) !== 0;
}
