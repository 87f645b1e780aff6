//! What a source says about the present, and what that is worth as time goes by.

/// How far uptime drifts: a plain crystal with its temperature, in millionths.
const UPTIME_PPM: u64 = 100;

/// How far a real-time clock drifts, in millionths; a DS3231 does with a tenth of it.
const RTC_PPM: u64 = 25;

/// Where a reading comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The time of the firmware's build: all that a board without a clock knows. Never signed with.
    Build,
    /// A battery-backed real-time clock.
    Rtc,
    /// The operating system, which keeps its own clock right.
    Host,
    /// SNTP (RFC 4330), unauthenticated.
    Sntp,
    /// The `Date` of an HTTP response that came over TLS; over plain HTTP it is no source.
    HttpDate,
    /// The `time` member of Key-ID's health check, over TLS.
    KeyIdTime,
}

impl Source {
    /// Returns by how many seconds a reading may be wrong that was right `age_secs` ago.
    fn error_secs(self, age_secs: u32) -> u32 {
        let (base, ppm) = match self {
            // Whole seconds, cut off, and a leap second.
            Self::Build | Self::Host => (1, 0),
            Self::Sntp => (1, UPTIME_PPM),
            // As before, and the time that the response was on its way.
            Self::HttpDate | Self::KeyIdTime => (2, UPTIME_PPM),
            Self::Rtc => (2, RTC_PPM),
        };
        drifted(base, u64::from(age_secs), ppm)
    }

    /// Whether the source is the server that judges the tokens.
    pub(crate) fn is_server(self) -> bool {
        matches!(self, Self::HttpDate | Self::KeyIdTime)
    }
}

/// What a source says about the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The present in Unix seconds, without leap seconds.
    pub unix_secs: u64,
    /// Who says so.
    pub source: Source,
    /// How many seconds ago the source was last set right; [`u32::MAX`] if nobody knows.
    pub age_secs: u32,
}

/// A time that may be signed with; only [`Clock::now`](crate::Clock::now) makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    unix_secs: u64,
    error_secs: u32,
    uptime_ms: u64,
    source: Source,
}

impl Time {
    /// Returns the time in Unix seconds.
    pub const fn unix_secs(&self) -> u64 {
        self.unix_secs
    }

    /// Returns by how many seconds it may be wrong, either way.
    pub const fn error_secs(&self) -> u32 {
        self.error_secs
    }

    /// Returns the uptime in milliseconds that it was asked at.
    pub const fn uptime_ms(&self) -> u64 {
        self.uptime_ms
    }

    /// Returns the source of the reading that it follows from.
    pub const fn source(&self) -> Source {
        self.source
    }
}

/// A reading and the uptime at which it was true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor {
    pub unix_secs: u64,
    pub error_secs: u32,
    pub uptime_ms: u64,
    pub source: Source,
}

impl Anchor {
    pub fn new(reading: Reading, uptime_ms: u64) -> Self {
        Self {
            unix_secs: reading.unix_secs,
            error_secs: reading.source.error_secs(reading.age_secs),
            uptime_ms,
            source: reading.source,
        }
    }

    /// Returns the time at a later uptime, `None` at an earlier one.
    pub fn at(&self, uptime_ms: u64) -> Option<Time> {
        let elapsed_secs = uptime_ms.checked_sub(self.uptime_ms)? / 1000;
        Some(Time {
            unix_secs: self.unix_secs.saturating_add(elapsed_secs),
            error_secs: drifted(self.error_secs, elapsed_secs, UPTIME_PPM),
            uptime_ms,
            source: self.source,
        })
    }
}

/// Returns an error of `base` seconds grown by the drift of `elapsed_secs`.
fn drifted(base: u32, elapsed_secs: u64, ppm: u64) -> u32 {
    let drift_secs = elapsed_secs.saturating_mul(ppm) / 1_000_000;
    base.saturating_add(u32::try_from(drift_secs).unwrap_or(u32::MAX))
}
