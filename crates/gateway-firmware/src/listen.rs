//! What comes in over a console: a person's lines, and the frames of whoever provisions.

use device_link::{DeviceLink, Received};
use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Timer};
use embedded_io_async::Read;

use crate::board::Board;
use crate::common::{Change, Common};
use crate::console::{Place, Typed};
use crate::provisioning::Provisioning;
use crate::shared::uptime_ms;
use crate::side::SideLine;

/// Bytes that are taken at once.
const READ_LEN: usize = 64;

/// How long silence lasts before the link's time is looked at.
const TICK: Duration = Duration::from_secs(1);

/// How long the reply to who asks for a restart has to leave the board.
const LEAVES: Duration = Duration::from_millis(100);

/// Listens to a line until it is gone.
pub(crate) async fn listen<B: Board>(common: &Common<'_, B>, place: Place, mut line: impl Read) {
    let mut link = DeviceLink::new();
    let mut typed = Typed::new();
    let mut device = Provisioning::new(common);
    let mut bytes = [0; READ_LEN];
    loop {
        let read = select(line.read(&mut bytes), Timer::after(TICK)).await;
        let now_ms = uptime_ms();
        let count = match read {
            Either::First(Ok(0)) => return,
            Either::First(Ok(count)) => count,
            Either::First(Err(_)) => {
                // Noise on the line: what came so far counts for nothing.
                typed.clear();
                continue;
            }
            Either::Second(()) => {
                link.tick(now_ms);
                continue;
            }
        };
        for byte in bytes.get(..count).unwrap_or_default() {
            let restarts = match link.receive(*byte, now_ms, &mut device) {
                Received::Nothing => continue,
                Received::Text(byte) => {
                    if let Some(text) = typed.take(byte)
                        && common.lines.try_send(text).is_err()
                    {
                        common.console.say(format_args!("busy: try again")).await;
                    }
                    continue;
                }
                Received::Reply(reply) => {
                    common.console.send(place, reply).await;
                    false
                }
                Received::Reboot(reply) => {
                    common.console.send(place, reply).await;
                    true
                }
            };
            if restarts {
                Timer::after(LEAVES).await;
                common.change(Change::Restart);
            }
        }
    }
}

/// A side line's receiving half.
pub(crate) struct SideIn(pub &'static SideLine);

impl embedded_io_async::ErrorType for SideIn {
    type Error = core::convert::Infallible;
}

impl Read for SideIn {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(self.0.read(buf).await)
    }
}
