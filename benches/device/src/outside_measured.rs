//! An outside that measures whoever lives in it, reports and ends the emulation.

use core::hint::black_box;

use semihosting::{println, process};

use crate::counter::Counter;
use crate::{ID, KEY, stack};

/// How many tokens are averaged, after the first.
const TOKENS: u32 = 100;
/// Time of issue of the documented example in Unix seconds, which the last token gets.
const LAST_IAT: u64 = 1_713_225_600;

/// A clock, a store of credentials and a link.
pub struct Outside {
    now: u64,
    sent: u32,
    counter: Counter,
    first: u32,
}

impl Outside {
    /// Begins to measure.
    #[inline(never)]
    pub fn begin() -> Self {
        stack::paint();
        Self {
            now: LAST_IAT - u64::from(TOKENS),
            sent: 0,
            first: 0,
            counter: Counter::start(),
        }
    }

    /// Returns the secret ID and the secret key.
    pub fn credential(&self) -> (&'static str, &'static str) {
        black_box((ID, KEY))
    }

    /// Returns the time in Unix seconds, another one at each call.
    pub fn now(&mut self) -> u64 {
        let now = self.now;
        self.now += 1;
        black_box(now)
    }

    /// Takes a token; after the last one it reports and ends.
    pub fn send(&mut self, token: &str) {
        black_box(token);
        match self.sent {
            0 => self.first = self.counter.lap(),
            TOKENS => self.report(token),
            _ => {}
        }
        self.sent += 1;
    }

    #[cold]
    #[inline(never)]
    fn report(&mut self, token: &str) -> ! {
        let ticks = self.counter.lap();
        println!("stack {}", stack::used());
        println!("first {}", self.first);
        println!("tokens {TOKENS}");
        println!("ticks {ticks}");
        println!("token {token}");
        process::exit(0)
    }
}
