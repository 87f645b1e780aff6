//! Talks to the real-time clock and to the secure element over I2C, with interrupts and without.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_rp::bind_interrupts;
use embassy_rp::i2c::{Async, Config, Error, I2c, InterruptHandler};
use embassy_rp::peripherals::I2C0;
use embassy_time::{Duration, Timer, with_timeout};
use emulator_firmware::{Console, say};

bind_interrupts!(struct Irqs {
    I2C0_IRQ => InterruptHandler<I2C0>;
});

const CLOCK: u16 = 0x68;
const ELEMENT: u16 = 0x60;
const ABSENT: u16 = 0x33;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut console = Console::new(p.UART0, p.PIN_0);
    let mut i2c = I2c::new_async(p.I2C0, p.PIN_5, p.PIN_4, Irqs, Config::default());

    let mut time = [0; 7];
    let read = i2c.blocking_write_read(CLOCK, &[0], &mut time);
    say!(console, "clock {time:02x?} {read:?}");
    let set = i2c.blocking_write(CLOCK, &[0, 0x59, 0x59, 0x23, 1, 0x31, 0x12, 0x26]);
    say!(console, "set {set:?}");
    Timer::after_secs(2).await;
    let read = with_timeout(
        Duration::from_millis(10),
        i2c.write_read_async(CLOCK, [0], &mut time),
    )
    .await;
    say!(console, "clock {time:02x?} {read:?}");

    let absent = i2c.blocking_write_read(ABSENT, &[0, 1, 2], &mut time);
    say!(console, "absent {absent:?}");
    let absent = with_timeout(Duration::from_millis(10), i2c.write_async(ABSENT, [0; 20])).await;
    say!(console, "absent {absent:?}");

    let woken = wake(&mut i2c).await;
    say!(console, "wake {woken:02x?}");
    let mut answer = [0; 35];
    let info = command(&mut i2c, 0x30, 0, 0, &[], &mut answer[..7]).await;
    say!(console, "info {:02x?} {info:?}", &answer[..7]);
    let mac = hmac(&mut i2c, b"Hi There", &mut answer).await;
    say!(console, "hmac {:02x?} {mac:?}", &answer[1..33]);
    say!(console, "end");
    loop {
        Timer::after_secs(1).await;
    }
}

/// Holds the data line low long enough by addressing nobody at 100 kHz; the missing acknowledge is expected.
async fn wake(i2c: &mut I2c<'_, I2C0, Async>) -> [u8; 4] {
    let _ = i2c.blocking_write(0u16, &[0]);
    Timer::after_micros(1600).await;
    let mut answer = [0; 4];
    let _ = i2c.blocking_read(ELEMENT, &mut answer);
    answer
}

async fn hmac(
    i2c: &mut I2c<'_, I2C0, Async>,
    message: &[u8],
    answer: &mut [u8; 35],
) -> Result<(), Error> {
    command(i2c, 0x47, 0x04, 0, &[], &mut answer[..4]).await?;
    command(i2c, 0x47, 0x02, message.len() as u16, message, answer).await
}

async fn command(
    i2c: &mut I2c<'_, I2C0, Async>,
    opcode: u8,
    mode: u8,
    param2: u16,
    data: &[u8],
    answer: &mut [u8],
) -> Result<(), Error> {
    let mut packet = [0; 80];
    let end = 6 + data.len();
    let [low, high] = param2.to_le_bytes();
    packet[..6].copy_from_slice(&[0x03, 7 + data.len() as u8, opcode, mode, low, high]);
    packet[6..end].copy_from_slice(data);
    let crc = crc16(&packet[1..end]).to_le_bytes();
    packet[end..end + 2].copy_from_slice(&crc);
    i2c.write_async(ELEMENT, packet[..end + 2].iter().copied())
        .await?;
    Timer::after_millis(45).await;
    i2c.read_async(ELEMENT, answer).await
}

fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |at| (byte >> at) & 1))
    {
        let feedback = u16::from(bit) ^ (crc >> 15);
        crc = (crc << 1) ^ (feedback * 0x8005);
    }
    crc
}
