//! Rate limits: a window opens at the first request and closes after its length, whatever came in between.

/// A fixed window of `length_secs` seconds in which `limit` requests are allowed.
#[derive(Debug)]
pub(crate) struct Window {
    limit: u32,
    length_secs: i64,
    opened_at: i64,
    used: u32,
}

/// What a limiter says of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Requests allowed in a window.
    pub(crate) limit: u32,
    /// Requests left in this window after this one.
    pub(crate) remaining: u32,
    /// When the window closes, in Unix seconds.
    pub(crate) reset: i64,
    /// Whether this request is within the limit.
    pub(crate) allowed: bool,
}

impl Quota {
    /// A window of `limit` requests that has none left until `reset`.
    pub(crate) const fn used_up(limit: u32, reset: i64) -> Self {
        Self {
            limit,
            remaining: 0,
            reset,
            allowed: false,
        }
    }
}

impl Window {
    pub(crate) const fn new(limit: u32, length_secs: i64) -> Self {
        Self {
            limit,
            length_secs,
            opened_at: i64::MIN,
            used: 0,
        }
    }

    /// Counts a request at `now`; one that is refused does not count.
    pub(crate) fn take(&mut self, now: i64) -> Quota {
        let age = now.saturating_sub(self.opened_at);
        // A clock that was set back would otherwise keep the window shut for as long.
        if age < 0 || age >= self.length_secs {
            self.opened_at = now;
            self.used = 0;
        }
        let allowed = self.used < self.limit;
        if allowed {
            self.used += 1;
        }
        Quota {
            limit: self.limit,
            remaining: self.limit - self.used,
            reset: self.opened_at.saturating_add(self.length_secs),
            allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_a_minute() {
        let mut window = Window::new(2, 60);
        let first = window.take(1000);
        assert_eq!(
            (first.allowed, first.remaining, first.reset),
            (true, 1, 1060)
        );
        assert!(window.take(1030).allowed);
        let third = window.take(1059);
        assert_eq!(
            (third.allowed, third.remaining, third.reset),
            (false, 0, 1060)
        );
        assert!(window.take(1060).allowed);
    }

    #[test]
    fn clock_set_back_opens_a_new_window() {
        let mut window = Window::new(1, 60);
        assert!(window.take(1000).allowed);
        assert!(window.take(900).allowed);
    }
}
