//! What is watched while everything else may be busy for seconds: contacts, the button, and whether the rest lives.
//!
//! A TLS handshake on a small core blocks the application for seconds. The board therefore runs
//! [`Lookout::keep`] on an executor that interrupts the application's; what it has seen waits here until the
//! application takes it, which it does once a sealed store's key works. Only the memory holds it until then: a contact that has
//! closed and opened again in that time is forgotten by a power cut.

use core::cell::Cell;

use device_link::WINDOW_SECS;
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Instant, Timer};
use embedded_hal::digital::InputPin;

use crate::board::Watchdog;
use crate::contact::Contact;
use crate::shared::uptime_ms;
use crate::vitals::{Vital, Vitals};

/// Milliseconds between two samples of the contacts.
const SAMPLE_MS: u64 = 10;

/// A contact that raises an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The door's.
    Door,
    /// The flood sensor's.
    Flood,
}

/// The pins of one board that are watched; low means closed, or pressed.
pub struct Wires<P> {
    /// The door's contact.
    pub door: P,
    /// The flood sensor's contact.
    pub flood: P,
    /// The button that opens the provisioning window.
    pub button: P,
}

/// What was seen, for whoever asks; a board has one, in a `static`.
pub struct Lookout {
    seen: Mutex<CriticalSectionRawMutex, Cell<Seen>>,
    news: Signal<CriticalSectionRawMutex, ()>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// How often each contact has closed without an alert for it yet.
    door: u8,
    flood: u8,
    /// The uptime at which the provisioning window closes, 0 if it was never opened.
    window_end_ms: u64,
    vitals: Vitals,
}

impl Lookout {
    /// Returns a lookout that hasn't seen anything.
    pub const fn new() -> Self {
        Self {
            seen: Mutex::new(Cell::new(Seen {
                door: 0,
                flood: 0,
                window_end_ms: 0,
                vitals: Vitals::new(),
            })),
            news: Signal::new(),
        }
    }

    /// Watches for ever, and feeds the watchdog as long as everything that must live does.
    ///
    /// It never waits for the application: where it runs it has to be able to interrupt it.
    pub async fn keep<P: InputPin>(&self, wires: Wires<P>, mut watchdog: impl Watchdog) -> ! {
        let Wires {
            mut door,
            mut flood,
            mut button,
        } = wires;
        let mut still = [Contact::new(); 3];
        let mut abandoned = false;
        let mut next = Instant::now();
        loop {
            let now_ms = uptime_ms();
            let mut closes = [false; 3];
            let pins = [&mut door, &mut flood, &mut button];
            for ((pin, contact), closes) in pins.into_iter().zip(&mut still).zip(&mut closes) {
                // A pin that can't be read is taken for unchanged.
                let closed = pin.is_low().unwrap_or(contact.is_closed());
                *closes = contact.closes(closed, now_ms);
            }
            let missing = self.update(|seen| {
                let [door, flood, button] = closes;
                seen.door = seen.door.saturating_add(door.into());
                seen.flood = seen.flood.saturating_add(flood.into());
                if button {
                    let window_ms = u64::from(WINDOW_SECS).saturating_mul(1_000);
                    seen.window_end_ms = now_ms.saturating_add(window_ms);
                }
                seen.vitals.missing(now_ms)
            });
            if closes.contains(&true) {
                self.news.signal(());
            }
            match missing {
                None if !abandoned => watchdog.feed(),
                Some(hung) if !abandoned => {
                    abandoned = true;
                    watchdog.abandon(hung);
                }
                _ => {}
            }
            // What a sample took counts, but is not caught up with.
            next = (next + Duration::from_millis(SAMPLE_MS)).max(Instant::now());
            Timer::at(next).await;
        }
    }

    /// Waits until a contact has closed or the button was pressed.
    pub(crate) async fn news(&self) {
        self.news.wait().await;
    }

    /// Whether a contact has closed without an alert for it yet.
    pub fn has_closed(&self, input: Input) -> bool {
        self.update(|seen| *seen.count(input) > 0)
    }

    /// Notes that there is an alert for one closing of a contact.
    pub(crate) fn settle(&self, input: Input) {
        self.update(|seen| {
            let count = seen.count(input);
            *count = count.saturating_sub(1);
        });
    }

    /// Returns the seconds until the provisioning window closes, 0 if it is closed.
    pub(crate) fn window_secs_left(&self, now_ms: u64) -> u16 {
        let left_ms = self.update(|seen| seen.window_end_ms.saturating_sub(now_ms));
        u16::try_from(left_ms.div_ceil(1_000)).unwrap_or(u16::MAX)
    }

    /// Notes that a part of the application is alive.
    pub(crate) fn alive(&self, vital: Vital, now_ms: u64) {
        self.update(|seen| seen.vitals.seen(vital, now_ms));
    }

    /// Returns a part of the application that hasn't been alive for too long.
    pub(crate) fn missing(&self, now_ms: u64) -> Option<Vital> {
        self.update(|seen| seen.vitals.missing(now_ms))
    }

    fn update<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        self.seen.lock(|cell| {
            let mut seen = cell.get();
            let result = change(&mut seen);
            cell.set(seen);
            result
        })
    }
}

impl Default for Lookout {
    fn default() -> Self {
        Self::new()
    }
}

impl Seen {
    const fn count(&mut self, input: Input) -> &mut u8 {
        match input {
            Input::Door => &mut self.door,
            Input::Flood => &mut self.flood,
        }
    }
}
