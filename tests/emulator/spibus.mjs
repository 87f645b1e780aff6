/**
 * An SPI bus between the RP2040 and simulated chips, in simulated time.
 *
 * PL022, RP2040 datasheet section 4.4: a byte takes eight periods of the clock that the firmware has set. The chip whose
 * select pin is low answers; without one the line floats, read as ones.
 */

/**
 * @typedef {object} SpiDevice
 * @property {(level: boolean) => void} setSelect the level of its chip select pin has changed
 * @property {(byte: number) => number} transfer exchanges one byte
 */

const BITS_PER_BYTE = 8;

/**
 * Connects chips to one of the RP2040's SPI blocks.
 * @param {import('./machine.mjs').Machine} machine
 * @param {number} index of the SPI block
 * @param {Map<number, SpiDevice>} devices by select pin
 */
export function attachSpi(machine, index, devices) {
  const spi = machine.mcu.spi[index];
  const selected = new Set();
  for (const [pin, device] of devices) {
    device.setSelect(true);
    machine.watchPin(pin, (level) => {
      device.setSelect(level !== false);
      if (level === false) selected.add(device);
      else selected.delete(device);
    });
  }
  let answer = 0xff;
  const alarm = machine.clock.createAlarm(() => spi.completeTransmit(answer));
  spi.onTransmit = (byte) => {
    answer = 0xff;
    for (const device of selected) answer &= device.transfer(byte);
    alarm.schedule((BITS_PER_BYTE * 1e9) / spi.clockFrequency);
  };
}
