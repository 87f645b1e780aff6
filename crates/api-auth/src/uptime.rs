//! Uptime from a tick that wraps.

/// Widens a 32-bit tick of milliseconds, which wraps after 49.7 days, to an uptime that doesn't.
///
/// ```
/// use api_auth::Uptime;
///
/// let mut uptime = Uptime::new();
/// assert_eq!(uptime.at(4_294_967_290), 4_294_967_290);
/// assert_eq!(uptime.at(4), 4_294_967_300);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Uptime {
    last_ms: u64,
}

impl Uptime {
    /// Returns the uptime of a start.
    pub const fn new() -> Self {
        Self { last_ms: 0 }
    }

    /// Returns the uptime in milliseconds at a tick; call it at least once every 49.7 days.
    pub fn at(&mut self, tick_ms: u32) -> u64 {
        // The tick since the last call, whether or not it wrapped in between.
        let elapsed_ms = tick_ms.wrapping_sub(self.last_ms as u32);
        self.last_ms = self.last_ms.saturating_add(u64::from(elapsed_ms));
        self.last_ms
    }
}
