//! Staying under an API's documented limit, so that it never has to say so.
//!
//! The generic cell rate algorithm (ITU-T I.371 annex A): half of the limit may be spent at once, the other
//! half is spread evenly, which keeps **every** window of the limit's length within the limit.

use api_auth::Rate;

/// Counts the requests of one client against one limit.
///
/// The limit is the organisation's: a fleet has to share it out by giving each device a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimiter {
    interval_ms: u64,
    tolerance_ms: u64,
    /// When the requests made so far would all have fallen due, had each waited for its turn.
    due_ms: u64,
}

impl RateLimiter {
    /// Makes a limiter that has seen no request; a limit of 0 requests is taken as 1.
    pub const fn new(rate: Rate) -> Self {
        let window_ms = (rate.per_secs as u64).saturating_mul(1_000);
        let burst = match (rate.requests / 2) as u64 {
            0 => 1,
            half => half,
        };
        let interval_ms = match (rate.requests as u64).saturating_sub(burst) {
            0 => window_ms.saturating_add(1),
            spread => window_ms.div_ceil(spread),
        };
        Self {
            interval_ms,
            tolerance_ms: interval_ms.saturating_mul(burst.saturating_sub(1)),
            due_ms: 0,
        }
    }

    /// Returns the milliseconds to wait from `now_ms` until a request may be made.
    pub const fn wait_ms(&self, now_ms: u64) -> u64 {
        let allowed_ms = self.due_ms.saturating_sub(self.tolerance_ms);
        allowed_ms.saturating_sub(now_ms)
    }

    /// Counts a request made at `now_ms`, milliseconds of uptime.
    pub fn count(&mut self, now_ms: u64) {
        self.due_ms = self.due_ms.max(now_ms).saturating_add(self.interval_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(
            requests in 1..40_u32,
            per_secs in 1..5_u32,
            pauses in prop::collection::vec(0..2_000_u64, 1..120),
        ) {
            let mut limiter = RateLimiter::new(Rate { requests, per_secs });
            let mut now = 0;
            let mut made = Vec::new();
            for (index, pause) in pauses.into_iter().enumerate() {
                now += if index % 3 == 0 { pause } else { 0 };
                now += limiter.wait_ms(now);
                limiter.count(now);
                made.push(now);
            }
            let window = u64::from(per_secs) * 1_000;
            for (at, start) in made.iter().enumerate() {
                let within = made[at..].iter().take_while(|time| **time - start < window).count();
                prop_assert!(within <= requests as usize, "{within} in a window of {requests}");
            }
        }
    }

    #[test]
    fn half_the_limit_goes_at_once() {
        let mut limiter = RateLimiter::new(Rate {
            requests: 500,
            per_secs: 60,
        });
        for _ in 0..250 {
            assert_eq!(limiter.wait_ms(0), 0);
            limiter.count(0);
        }
        assert_eq!(limiter.wait_ms(0), 240);
    }
}
