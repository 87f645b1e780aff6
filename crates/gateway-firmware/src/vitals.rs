//! Whether everything that must live lives: what the watchdog is fed for.

use core::cell::Cell;

/// What must live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vital {
    /// The watch over contacts and temperature.
    Inputs,
    /// The sending of alerts.
    Sender,
}

impl Vital {
    /// Returns the milliseconds within which it has to show up: the sender's are those of its slowest attempt.
    const fn patience_ms(self) -> u64 {
        match self {
            Self::Inputs => 5_000,
            Self::Sender => 120_000,
        }
    }
}

/// When each was last seen, in milliseconds of uptime.
#[derive(Debug, Default)]
pub struct Vitals {
    inputs: Cell<u64>,
    sender: Cell<u64>,
}

impl Vitals {
    /// Notes that one is alive.
    pub fn seen(&self, vital: Vital, now_ms: u64) {
        self.cell(vital).set(now_ms);
    }

    /// Returns one that hasn't been seen for too long.
    ///
    /// ```
    /// use gateway_firmware::{Vital, Vitals};
    ///
    /// let vitals = Vitals::default();
    /// vitals.seen(Vital::Inputs, 100_000);
    /// assert_eq!(vitals.missing(105_000), None);
    /// assert_eq!(vitals.missing(105_001), Some(Vital::Inputs));
    /// vitals.seen(Vital::Inputs, 130_000);
    /// assert_eq!(vitals.missing(130_000), Some(Vital::Sender));
    /// ```
    pub fn missing(&self, now_ms: u64) -> Option<Vital> {
        [Vital::Inputs, Vital::Sender]
            .into_iter()
            .find(|vital| now_ms.saturating_sub(self.cell(*vital).get()) > vital.patience_ms())
    }

    const fn cell(&self, vital: Vital) -> &Cell<u64> {
        match vital {
            Vital::Inputs => &self.inputs,
            Vital::Sender => &self.sender,
        }
    }
}
