//! The token that every contender signs, and the contenders.
//!
//! The token is the documented example of Heymarket's API, signed anew with another `iat` each time.
//! Its time of issue depends on the token before it, so that the processor can't work on two at
//! once: what counts is how long one token takes, not how many can be under way.

mod contenders;
mod limit;

use anyhow::Result;

pub use contenders::all;

/// The example's issuer, the ID of an API secret.
pub const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
/// The example's secret key.
pub const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";
/// The example's time of issue in Unix seconds.
pub const IAT: u64 = 1_713_225_600;
/// The example as the documentation prints it.
pub const TOKEN: &str = include_str!("../example-token.txt");

/// A loop over `count` tokens issued from a second on, which leaves the last one in a buffer.
type Run = Box<dyn FnMut(u64, u64, &mut Vec<u8>) -> Result<()>>;

/// One way to sign.
pub struct Contender {
    name: &'static str,
    run: Run,
}

impl Contender {
    /// Returns what a table calls it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Signs `count` tokens, issued at `iat` and in the seconds after it, and leaves the last one in
    /// `last`; of the limit its 32-byte MAC.
    ///
    /// # Errors
    /// The library's.
    pub fn run(&mut self, iat: u64, count: u64, last: &mut Vec<u8>) -> Result<()> {
        (self.run)(iat, count, last)
    }
}
