//! The least of an outside: values that the compiler can't foresee.

use core::hint::black_box;

use crate::{ID, KEY};

/// A clock, a store of credentials and a link.
pub struct Outside {
    now: u64,
}

impl Outside {
    /// Begins.
    pub fn begin() -> Self {
        Self { now: 0 }
    }

    /// Returns the secret ID and the secret key.
    pub fn credential(&self) -> (&'static str, &'static str) {
        black_box((ID, KEY))
    }

    /// Returns the time in Unix seconds, another one at each call.
    pub fn now(&mut self) -> u64 {
        self.now += 1;
        black_box(self.now)
    }

    /// Takes a token.
    pub fn send(&mut self, token: &str) {
        black_box(token);
    }
}
