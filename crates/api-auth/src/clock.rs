//! What time it is, and whether that can be signed with.
//!
//! A token carries the time, so a gateway whose clock is wrong is refused as if its key were. This
//! clock therefore takes readings with their [`Source`], advances the best of them by the uptime, and
//! gives a [`Time`] only when it is plausible: not before the firmware was built, not behind what a
//! server has once confirmed, not decades ahead. Nothing else can make a [`Time`], and nothing is signed
//! without one.

use core::fmt;

use crate::reading::{Anchor, Reading, Source, Time};

/// Most seconds that a server's `Date` may move the clock away from the last independent reading: a day.
///
/// That is a real-time clock's drift of many years, and any mix-up of time zones.
pub const MAX_CORRECTION_SECS: u64 = 86_400;

/// Most seconds that a server's `Date` may differ from a clock that is right: its resolution, and a slow
/// link.
pub const AGREEMENT_SECS: u64 = 10;

/// Most seconds that firmware is used after its build: 50 years. Later readings are a faulty chip's.
pub const MAX_AGE_SECS: u64 = 50 * 31_557_600;

/// Milliseconds for which a server's time stands against other sources: a day.
const SERVER_TRUST_MS: u64 = 86_400_000;

/// How many seconds the floor trails a confirmed time: room for a correction one way, then one the other
/// way, and a margin.
const FLOOR_SLACK_SECS: u64 = 3 * MAX_CORRECTION_SECS;

/// How a server's time compares with the clock's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// They agree: the clock is wrong by no more than it admits ([`Time::error_secs`]), nor by more than
    /// [`AGREEMENT_SECS`].
    None,
    /// They differ, or the clock was unset: [`Clock::learn`] takes the server's.
    Correctable,
    /// They differ by so much that neither is to be believed.
    Beyond,
    /// The server's time is one that the clock would not take from anybody.
    Implausible,
}

/// The clock: the best reading so far, advanced by uptime.
///
/// Uptime is the milliseconds since the start, in 64 bits: they don't wrap. A 32-bit tick, which wraps
/// after 49.7 days, is widened by [`Uptime`](crate::Uptime). If uptime runs backwards all the same, the clock is unset.
///
/// ```
/// use api_auth::{Clock, ClockError, Reading, Source};
///
/// const BUILT: u64 = 1_713_000_000;
/// let mut clock = Clock::new(BUILT, 0);
/// assert_eq!(clock.now(5_000), Err(ClockError::Unset));
///
/// let cold_rtc = Reading { unix_secs: 946_684_800, source: Source::Rtc, age_secs: u32::MAX };
/// assert!(matches!(clock.set(cold_rtc, 5_000), Err(ClockError::BeforeBuild { .. })));
///
/// let sntp = Reading { unix_secs: 1_713_225_600, source: Source::Sntp, age_secs: 0 };
/// clock.set(sntp, 6_000)?;
/// assert_eq!(clock.now(66_000)?.unix_secs(), 1_713_225_660);
/// # Ok::<(), ClockError>(())
/// ```
///
/// # The server's clock
///
/// A 401 whose `Date` is far from this clock blames the clock ([`decide`](crate::decide)), which then
/// [learns](Clock::learn) the server's time. Two things bound what a forged `Date` can do:
///
/// - It has to come over TLS. Over plain HTTP anyone on the way can write it, and would gain tokens that
///   are valid in the future (clock set ahead) or a silent gateway (clock set back). There it is not
///   looked at, so writing it changes nothing.
/// - It moves the clock at most [`MAX_CORRECTION_SECS`] away from the last reading of a source that is
///   not the server. Corrections don't add up, as that reading doesn't move with them.
///
/// The floor is raised only by a `Date` that came over TLS with an accepted request and agrees with the
/// clock, so that a forged SNTP answer from the future can't lock out the present.
#[derive(Clone, Debug)]
pub struct Clock {
    build_secs: u64,
    floor_secs: u64,
    anchor: Option<Anchor>,
    /// The last adopted reading that no server gave: what corrections are measured from.
    independent: Option<Anchor>,
}

impl Clock {
    /// Returns an unset clock.
    ///
    /// `build_secs` is when the firmware was built, `floor_secs` what [`floor_secs`](Self::floor_secs)
    /// was when it was last persisted, or 0; both in Unix seconds.
    pub const fn new(build_secs: u64, floor_secs: u64) -> Self {
        Self {
            build_secs,
            floor_secs,
            anchor: None,
            independent: None,
        }
    }

    /// Takes a reading, if it is plausible, and goes on from it if it is better than what there is.
    ///
    /// A better one is less wrong, or a newer one of the same source. But what a server told over TLS is
    /// contradicted by nobody but a server for a day; so a source whose error was just corrected does not
    /// undo the correction.
    ///
    /// # Errors
    /// A [`ClockError`] that names what is wrong with the reading; the clock goes on as before.
    pub fn set(&mut self, reading: Reading, uptime_ms: u64) -> Result<(), ClockError> {
        if reading.source == Source::Build {
            return Err(ClockError::Unset);
        }
        self.check(reading.unix_secs)?;
        if reading.source.is_server() {
            self.check_correction(reading.unix_secs, uptime_ms)?;
        }
        let anchor = Anchor::new(reading, uptime_ms);
        if self.prefers(&anchor, uptime_ms) {
            self.adopt(anchor);
        }
        Ok(())
    }

    /// Returns the time at an uptime in milliseconds.
    ///
    /// # Errors
    /// [`ClockError::Unset`], [`ClockError::UptimeBackwards`], or what made the time implausible.
    pub fn now(&self, uptime_ms: u64) -> Result<Time, ClockError> {
        let anchor = self.anchor.ok_or(ClockError::Unset)?;
        let time = anchor.at(uptime_ms).ok_or(ClockError::UptimeBackwards)?;
        self.check(time.unix_secs())?;
        Ok(time)
    }

    /// Compares a server's time with the clock.
    pub fn skew(&self, server_secs: u64, uptime_ms: u64) -> Skew {
        if self.check(server_secs).is_err() {
            return Skew::Implausible;
        }
        // What a clock admits is taken off `iat`. Beyond that a token may seem to come from the future, so
        // the clock is to blame even if a slow link explains the difference: a correction is harmless.
        if let Ok(now) = self.now(uptime_ms)
            && now.unix_secs().abs_diff(server_secs)
                <= AGREEMENT_SECS.min(u64::from(now.error_secs()))
        {
            return Skew::None;
        }
        match self.check_correction(server_secs, uptime_ms) {
            Ok(()) => Skew::Correctable,
            Err(_) => Skew::Beyond,
        }
    }

    /// Takes over a server's time because the server refused a token: better or not than the clock's own.
    ///
    /// Only for a time that came over TLS; see [`Clock`].
    ///
    /// # Errors
    /// [`ClockError::CorrectionTooLarge`], or what makes the time implausible; the clock goes on as before.
    pub fn learn(&mut self, server_secs: u64, uptime_ms: u64) -> Result<(), ClockError> {
        self.check(server_secs)?;
        self.check_correction(server_secs, uptime_ms)?;
        let reading = Reading {
            unix_secs: server_secs,
            source: Source::HttpDate,
            age_secs: 0,
        };
        self.adopt(Anchor::new(reading, uptime_ms));
        Ok(())
    }

    /// Raises the floor to three days before the time of a server that accepted a request over TLS.
    ///
    /// Does nothing if that time and the clock differ by more than [`AGREEMENT_SECS`].
    pub fn confirm(&mut self, server_secs: u64, uptime_ms: u64) {
        let now = self.now(uptime_ms);
        if now.is_ok_and(|now| now.unix_secs().abs_diff(server_secs) <= AGREEMENT_SECS) {
            let floor_secs = server_secs.saturating_sub(FLOOR_SLACK_SECS);
            self.floor_secs = self.floor_secs.max(floor_secs);
        }
    }

    /// Returns the Unix seconds that no reading may be behind of, to be persisted now and then.
    ///
    /// Once a day is often enough, and spares the flash.
    pub const fn floor_secs(&self) -> u64 {
        self.floor_secs
    }

    /// Whether a new reading is better than the one in use.
    fn prefers(&self, new: &Anchor, uptime_ms: u64) -> bool {
        let Some((anchor, old)) = self.anchor.and_then(|a| Some((a, a.at(uptime_ms)?))) else {
            return true;
        };
        if anchor.source.is_server() && !new.source.is_server() {
            let agreement_secs = u64::from(old.error_secs()).saturating_add(AGREEMENT_SECS);
            let disagrees = old.unix_secs().abs_diff(new.unix_secs) > agreement_secs;
            let age_ms = uptime_ms.saturating_sub(anchor.uptime_ms);
            if disagrees && age_ms < SERVER_TRUST_MS {
                return false;
            }
        }
        new.error_secs <= old.error_secs() || new.source == old.source()
    }

    fn adopt(&mut self, anchor: Anchor) {
        // Without any other, a server's first word is what its later ones are measured from.
        let other = self.independent.and_then(|old| old.at(anchor.uptime_ms));
        if !anchor.source.is_server() || other.is_none() {
            self.independent = Some(anchor);
        }
        self.anchor = Some(anchor);
    }

    /// Whether a server may move the clock there: not far from what somebody else last said.
    fn check_correction(&self, unix_secs: u64, uptime_ms: u64) -> Result<(), ClockError> {
        match self.independent.and_then(|anchor| anchor.at(uptime_ms)) {
            Some(own) if own.unix_secs().abs_diff(unix_secs) > MAX_CORRECTION_SECS => {
                Err(ClockError::CorrectionTooLarge { unix_secs })
            }
            _ => Ok(()),
        }
    }

    fn check(&self, unix_secs: u64) -> Result<(), ClockError> {
        if unix_secs < self.build_secs {
            Err(ClockError::BeforeBuild { unix_secs })
        } else if unix_secs < self.floor_secs {
            Err(ClockError::BehindFloor { unix_secs })
        } else if unix_secs > self.build_secs.saturating_add(MAX_AGE_SECS) {
            Err(ClockError::TooFarAhead { unix_secs })
        } else {
            Ok(())
        }
    }
}

/// Why there is no time to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockError {
    /// No source has given the time yet.
    Unset,
    /// The time is before the firmware was built.
    BeforeBuild {
        /// The time in Unix seconds.
        unix_secs: u64,
    },
    /// The time is behind one that a server has confirmed.
    BehindFloor {
        /// The time in Unix seconds.
        unix_secs: u64,
    },
    /// The time is more than [`MAX_AGE_SECS`] after the firmware's build.
    TooFarAhead {
        /// The time in Unix seconds.
        unix_secs: u64,
    },
    /// The server's time is more than [`MAX_CORRECTION_SECS`] away from the last other reading.
    CorrectionTooLarge {
        /// The server's time in Unix seconds.
        unix_secs: u64,
    },
    /// Uptime is smaller than it has been: a restart, or a tick that wrapped.
    UptimeBackwards,
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("the clock is not set: set it by RTC, SNTP or by hand"),
            Self::BeforeBuild { unix_secs } => write!(
                f,
                "the clock says {unix_secs}, before this software was built: set it, and check the \
                 battery of the real-time clock"
            ),
            Self::BehindFloor { unix_secs } => write!(
                f,
                "the clock says {unix_secs}, earlier than it once was: set it, and check the battery \
                 of the real-time clock"
            ),
            Self::TooFarAhead { unix_secs } => {
                write!(f, "the clock says {unix_secs}, decades ahead: set it")
            }
            Self::CorrectionTooLarge { unix_secs } => write!(
                f,
                "the server says {unix_secs}, more than a day away from this clock: set the clock"
            ),
            Self::UptimeBackwards => f.write_str("uptime ran backwards: set the clock again"),
        }
    }
}

impl core::error::Error for ClockError {}
