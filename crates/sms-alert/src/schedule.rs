//! When an alert is tried again: exponential backoff with full jitter.
//!
//! Each delay is drawn from the whole of 0 to the ceiling, so that a fleet which lost the same
//! server at the same moment does not come back to it at the same moment.

/// Exponential backoff: a ceiling that doubles from attempt to attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling of the first delay, in milliseconds.
    pub base_ms: u32,
    /// The highest ceiling, in milliseconds.
    pub cap_ms: u32,
    /// The longest wait that a server's hint can cause, in milliseconds.
    pub hint_cap_ms: u32,
}

impl Backoff {
    /// From 1 second to 5 minutes; a server can ask for an hour.
    pub const DEFAULT: Self = Self {
        base_ms: 1_000,
        cap_ms: 5 * 60 * 1_000,
        hint_cap_ms: 60 * 60 * 1_000,
    };

    /// Returns the milliseconds to wait after `failures` failed attempts in a row, of which there
    /// is at least 1, given a number drawn evenly from all of `u32`.
    ///
    /// A server's hint comes on top, so that the wait is never shorter than it, within its cap.
    ///
    /// ```
    /// use sms_alert::Backoff;
    ///
    /// let backoff = Backoff::DEFAULT;
    /// assert_eq!(backoff.delay_ms(1, u32::MAX, None), 999);
    /// assert_eq!(backoff.delay_ms(4, u32::MAX / 2, None), 3_999);
    /// assert_eq!(backoff.delay_ms(1, 0, Some(60)), 60_000);
    /// ```
    pub fn delay_ms(&self, failures: u16, random: u32, hint_secs: Option<u64>) -> u64 {
        let doublings = u32::from(failures.saturating_sub(1)).min(31);
        let ceiling = (u64::from(self.base_ms) << doublings).min(u64::from(self.cap_ms));
        // Below 2^32 times below 2^32: no overflow, and the quotient is below the ceiling.
        let jitter = ceiling.saturating_mul(u64::from(random)) >> 32;
        let hint = hint_secs.unwrap_or(0).saturating_mul(1_000);
        jitter.saturating_add(hint.min(u64::from(self.hint_cap_ms)))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}
