//! The console: UART0 always, and the chip's own USB serial port beside it where there is one.

use embassy_executor::SendSpawner;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_time::Timer;
use embedded_io_async::{ErrorType, Read};
use esp_hal::gpio::AnyPin;
use esp_hal::peripherals::UART0;
use esp_hal::uart::{Config, Uart, UartRx, UartTx};
use esp_hal::{Async, Blocking};

/// Bytes that come in before the application reads them: a frame and then some.
const HEARD_LEN: usize = 512;

static HEARD: Pipe<CriticalSectionRawMutex, HEARD_LEN> = Pipe::new();

/// The sending half.
pub type Mouth = UartTx<'static, Async>;

/// The receiving half: what comes in while the application is busy waits here.
pub struct Ear;

impl ErrorType for Ear {
    type Error = core::convert::Infallible;
}

impl Read for Ear {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(HEARD.read(buf).await)
    }
}

/// Takes UART0 at 115,200 baud; what comes in is taken by an executor that the application can't hold up.
pub fn start(
    spawner: SendSpawner,
    uart: UART0<'static>,
    tx: AnyPin<'static>,
    rx: AnyPin<'static>,
) -> (Ear, Mouth) {
    let uart = Uart::new(uart, Config::default()).unwrap();
    let (receiver, sender) = uart.with_tx(tx).with_rx(rx).split();
    spawner.spawn(hear(receiver).unwrap());
    (Ear, sender.into_async())
}

#[embassy_executor::task]
async fn hear(receiver: UartRx<'static, Blocking>) {
    let mut receiver = receiver.into_async();
    let mut bytes = [0; 64];
    loop {
        match receiver.read_async(&mut bytes).await {
            Ok(count) => {
                let heard = bytes.get(..count).unwrap_or_default();
                HEARD.write_all(heard).await;
            }
            // Noise on the line costs the bytes around it: a line of text is garbled, a frame's checksum fails. The pause
            // leaves time for everything else if there is nothing but noise.
            Err(_) => Timer::after_millis(1).await,
        }
    }
}

/// The chip's own USB serial port.
#[cfg(not(feature = "esp32"))]
pub mod usb {
    use embassy_executor::Spawner;
    use embassy_futures::join::join;
    use embassy_time::{Duration, with_timeout};
    use embedded_io_async::{Read, Write};
    use esp_hal::peripherals::USB_DEVICE;
    use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;
    use gateway_firmware::SideLine;

    /// Bytes of a packet, the most at full speed (USB 2.0, section 5.8.3).
    const PACKET_LEN: usize = 64;

    /// How long a computer may take to fetch a packet; without one, what is said is dropped.
    const PATIENCE: Duration = Duration::from_millis(50);

    /// What is said and heard there.
    pub static LINE: SideLine = SideLine::new();

    /// Starts the port.
    pub fn start(spawner: Spawner, usb: USB_DEVICE<'static>) {
        spawner.spawn(serve(usb).unwrap());
    }

    #[embassy_executor::task]
    async fn serve(usb: USB_DEVICE<'static>) {
        let (mut receiver, mut sender) = UsbSerialJtag::new(usb).into_async().split();
        let outward = async {
            let mut packet = [0; PACKET_LEN];
            loop {
                let count = LINE.to_send(&mut packet).await;
                let bytes = packet.get(..count).unwrap_or_default();
                let _ = with_timeout(PATIENCE, async {
                    sender.write_all(bytes).await?;
                    sender.flush().await
                })
                .await;
            }
        };
        let inward = async {
            let mut packet = [0; PACKET_LEN];
            loop {
                let Ok(count) = receiver.read(&mut packet).await;
                LINE.received(packet.get(..count).unwrap_or_default()).await;
            }
        };
        join(outward, inward).await;
    }
}
