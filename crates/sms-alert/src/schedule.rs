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
}

impl Backoff {
    /// From 1 second to 5 minutes.
    pub const DEFAULT: Self = Self {
        base_ms: 1_000,
        cap_ms: 5 * 60 * 1_000,
    };

    /// Returns the milliseconds to wait after `failures` failed attempts in a row, of which there
    /// is at least 1, given a number drawn evenly from all of `u32`.
    ///
    /// The seconds that the server asked for come on top, so that the wait is never shorter than they
    /// are; [`api_auth::decide`] has capped them.
    ///
    /// ```
    /// use sms_alert::Backoff;
    ///
    /// let backoff = Backoff::DEFAULT;
    /// assert_eq!(backoff.delay_ms(1, u32::MAX, 0), 999);
    /// assert_eq!(backoff.delay_ms(4, u32::MAX / 2, 0), 3_999);
    /// assert_eq!(backoff.delay_ms(1, 0, 60), 60_000);
    /// ```
    pub fn delay_ms(&self, failures: u16, random: u32, hint_secs: u32) -> u64 {
        let doublings = u32::from(failures.saturating_sub(1)).min(31);
        let ceiling = (u64::from(self.base_ms) << doublings).min(u64::from(self.cap_ms));
        // Below 2^32 times below 2^32: no overflow, and the quotient is below the ceiling.
        let jitter = ceiling.saturating_mul(u64::from(random)) >> 32;
        jitter.saturating_add(u64::from(hint_secs).saturating_mul(1_000))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}
