//! The console over USB: a serial port (CDC-ACM) beside UART0, with whoever happens to be at its other end.

use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_rp::Peri;
use embassy_rp::bind_interrupts;
use embassy_rp::peripherals::USB;
use embassy_rp::usb::{Driver, InterruptHandler};
use embassy_usb::class::cdc_acm::{CdcAcmClass, State};
use embassy_usb::{Builder, Config, UsbDevice};
use gateway_firmware::SideLine;
use static_cell::{ConstStaticCell, StaticCell};

bind_interrupts!(struct Irqs {
    USBCTRL_IRQ => InterruptHandler<USB>;
});

/// Raspberry Pi's, and its number for a serial port of theirs: a product that is sold needs its own.
const VENDOR: u16 = 0x2e8a;
const PRODUCT: u16 = 0x000a;

/// Bytes of a packet, the most at full speed (USB 2.0, section 5.8.3).
const PACKET_LEN: usize = 64;

/// What is said and heard there.
pub static LINE: SideLine = SideLine::new();

type Port = CdcAcmClass<'static, Driver<'static, USB>>;

/// Starts the port; `serial` tells two boards at one computer apart.
pub fn start(spawner: Spawner, usb: Peri<'static, USB>, serial: &'static str) {
    let mut config = Config::new(VENDOR, PRODUCT);
    config.manufacturer = Some("gateway");
    config.product = Some("gateway console");
    config.serial_number = Some(serial);
    config.max_packet_size_0 = PACKET_LEN as u8;
    static DESCRIPTORS: ConstStaticCell<[[u8; 256]; 2]> = ConstStaticCell::new([[0; 256]; 2]);
    static CONTROL: ConstStaticCell<[u8; PACKET_LEN]> = ConstStaticCell::new([0; PACKET_LEN]);
    static STATE: StaticCell<State<'static>> = StaticCell::new();
    let [configuration, bos] = DESCRIPTORS.take();
    let driver = Driver::new(usb, Irqs);
    let mut builder = Builder::new(driver, config, configuration, bos, &mut [], CONTROL.take());
    let state = STATE.init(State::new());
    let port = CdcAcmClass::new(&mut builder, state, PACKET_LEN as u16);
    spawner.spawn(device(builder.build()).unwrap());
    spawner.spawn(serve(port).unwrap());
}

#[embassy_executor::task]
async fn device(mut device: UsbDevice<'static, Driver<'static, USB>>) {
    device.run().await;
}

#[embassy_executor::task]
async fn serve(port: Port) {
    let (mut sender, mut receiver) = port.split();
    let outward = async {
        let mut packet = [0; PACKET_LEN];
        loop {
            let count = LINE.to_send(&mut packet).await;
            // Nobody has opened the port: what is said is not kept for whoever comes later.
            if !sender.dtr() {
                continue;
            }
            let Some(bytes) = packet.get(..count) else {
                continue;
            };
            // A full packet means that more follows, so an empty one ends the transfer.
            if sender.write_packet(bytes).await.is_ok() && count == PACKET_LEN {
                let _ = sender.write_packet(&[]).await;
            }
        }
    };
    let inward = async {
        let mut packet = [0; PACKET_LEN];
        loop {
            receiver.wait_connection().await;
            while let Ok(count) = receiver.read_packet(&mut packet).await {
                LINE.received(packet.get(..count).unwrap_or_default()).await;
            }
        }
    };
    join(outward, inward).await;
}
