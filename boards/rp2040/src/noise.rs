//! Random numbers from the chip's ring oscillator.

use core::cell::RefCell;
use core::convert::Infallible;

use critical_section::Mutex;
use embassy_rp::clocks::RoscRng;
use secure_store::{Entropy, MinEntropy, NoiseSource};

/// The ring oscillator, sampled by the program: eight bits, one behind the other.
///
/// RP2040 datasheet, section 2.17.5: not for security by itself. Neighbouring bits depend on one another, so an eighth is
/// claimed of what they could hold, and the rest is conditioned away.
pub struct Oscillator;

impl NoiseSource for Oscillator {
    type Error = Infallible;

    fn sample(&mut self) -> Result<u8, Infallible> {
        Ok(RoscRng::next_u8())
    }
}

static ENTROPY: Mutex<RefCell<Entropy<Oscillator>>> =
    Mutex::new(RefCell::new(Entropy::new(Oscillator, MinEntropy::One)));

/// Fills a buffer with bytes that nobody can foresee, or returns false if the oscillator fails its tests.
pub fn entropy(out: &mut [u8]) -> bool {
    critical_section::with(|cs| ENTROPY.borrow_ref_mut(cs).fill(out).is_ok())
}

/// Returns a number from the ring oscillator: for retry times and port numbers, not for keys.
pub fn random() -> u32 {
    RoscRng.next_u32()
}
