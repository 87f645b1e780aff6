//! What the light shows to somebody in front of the board.

/// The state that concerns a person most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// The board is not provisioned: it flickers, five times a second.
    Unprovisioned,
    /// The provisioning window is open: two short flashes a second, then a pause.
    Window,
    /// There is no network: it blinks twice a second.
    NoNetwork,
    /// There is no time to sign with: long flashes.
    NoTime,
    /// Alerts wait or are held: on, with a short gap every second.
    Waiting,
    /// All is well: a short flash every two seconds.
    Well,
}

impl Mood {
    /// Whether the light is on, so many milliseconds after the start.
    ///
    /// ```
    /// use gateway_firmware::Mood;
    ///
    /// let on_ms = (0..2_000).filter(|ms| Mood::Well.is_lit(*ms)).count();
    /// assert_eq!(on_ms, 100);
    /// ```
    pub const fn is_lit(self, uptime_ms: u64) -> bool {
        let (period_ms, lit_ms) = match self {
            Self::Window if uptime_ms % 1_000 >= 400 => return false,
            Self::Window => (200, 100),
            Self::Unprovisioned => (200, 100),
            Self::NoNetwork => (500, 250),
            Self::NoTime => (2_000, 1_000),
            Self::Waiting => (1_000, 900),
            Self::Well => (2_000, 100),
        };
        uptime_ms % period_ms < lit_ms
    }
}
