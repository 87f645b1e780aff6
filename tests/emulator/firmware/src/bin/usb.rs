//! Echoes in capitals what comes over a USB serial port.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_rp::bind_interrupts;
use embassy_rp::peripherals::USB;
use embassy_rp::usb::{Driver, InterruptHandler};
use embassy_usb::class::cdc_acm::{CdcAcmClass, State};
use embassy_usb::{Builder, Config};
use emulator_firmware as _;

bind_interrupts!(struct Irqs {
    USBCTRL_IRQ => InterruptHandler<USB>;
});

const PACKET_BYTES: u16 = 64;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let driver = Driver::new(p.USB, Irqs);
    let (mut config_descriptor, mut bos_descriptor) = ([0; 256], [0; 256]);
    let mut control_buffer = [0; 64];
    let mut state = State::new();
    let mut builder = Builder::new(
        driver,
        Config::new(0x1209, 0x0001),
        &mut config_descriptor,
        &mut bos_descriptor,
        &mut [],
        &mut control_buffer,
    );
    let mut class = CdcAcmClass::new(&mut builder, &mut state, PACKET_BYTES);
    let mut device = builder.build();
    let echo = async {
        loop {
            class.wait_connection().await;
            let _ = class.write_packet(b"ready\n").await;
            let mut packet = [0; PACKET_BYTES as usize];
            while let Ok(count) = class.read_packet(&mut packet).await {
                packet.make_ascii_uppercase();
                if class.write_packet(&packet[..count]).await.is_err() {
                    break;
                }
            }
        }
    };
    join(device.run(), echo).await;
}
