//! Whether everything that must live lives: what the watchdog is fed for.

use core::fmt;

/// What must live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vital {
    /// The application as a whole: that none of its steps blocks for ever.
    Application,
    /// The sending of alerts.
    Sender,
}

impl Vital {
    /// Returns the milliseconds within which it has to show up.
    ///
    /// The application's are three times its longest step, which is a TLS handshake on a slow core; the sender's are
    /// those of its slowest attempt.
    pub const fn patience_ms(self) -> u64 {
        match self {
            Self::Application => 30_000,
            Self::Sender => 120_000,
        }
    }
}

impl fmt::Display for Vital {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Application => "the application",
            Self::Sender => "the sender",
        })
    }
}

/// When each was last seen, in milliseconds of uptime.
#[derive(Clone, Copy, Debug)]
pub struct Vitals {
    application_ms: u64,
    sender_ms: u64,
}

impl Vitals {
    /// Returns vitals of which each was seen at the start.
    pub const fn new() -> Self {
        Self {
            application_ms: 0,
            sender_ms: 0,
        }
    }

    /// Notes that one is alive.
    pub const fn seen(&mut self, vital: Vital, now_ms: u64) {
        match vital {
            Vital::Application => self.application_ms = now_ms,
            Vital::Sender => self.sender_ms = now_ms,
        }
    }

    /// Returns one that hasn't been seen for too long.
    ///
    /// ```
    /// use gateway_firmware::{Vital, Vitals};
    ///
    /// let mut vitals = Vitals::new();
    /// vitals.seen(Vital::Application, 100_000);
    /// assert_eq!(vitals.missing(120_000), None);
    /// assert_eq!(vitals.missing(120_001), Some(Vital::Sender));
    /// vitals.seen(Vital::Sender, 120_001);
    /// assert_eq!(vitals.missing(130_000), None);
    /// assert_eq!(vitals.missing(130_001), Some(Vital::Application));
    /// ```
    pub fn missing(&self, now_ms: u64) -> Option<Vital> {
        let late = |vital: Vital, seen_ms| now_ms.saturating_sub(seen_ms) > vital.patience_ms();
        if late(Vital::Application, self.application_ms) {
            return Some(Vital::Application);
        }
        late(Vital::Sender, self.sender_ms).then_some(Vital::Sender)
    }
}

impl Default for Vitals {
    fn default() -> Self {
        Self::new()
    }
}
