//! Random numbers from the chip's generator, which the radio's noise feeds.

use core::cell::RefCell;
use core::fmt;

use critical_section::Mutex;
use esp_hal::rng::{Rng, Trng};
use secure_store::{Entropy, MinEntropy, NoiseSource};

/// The generator, a byte at a time: of it no more than half a byte of noise is claimed.
struct Radio;

impl NoiseSource for Radio {
    type Error = RadioOff;

    fn sample(&mut self) -> Result<u8, RadioOff> {
        let generator = Trng::try_new().map_err(|_| RadioOff)?;
        let [sample, ..] = generator.random().to_le_bytes();
        Ok(sample)
    }
}

/// The radio is off, and without it the generator gives numbers that can be foreseen.
#[derive(Clone, Copy, Debug)]
struct RadioOff;

impl fmt::Display for RadioOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the radio is off, so there is no noise: start it first")
    }
}

impl core::error::Error for RadioOff {}

static ENTROPY: Mutex<RefCell<Entropy<Radio>>> =
    Mutex::new(RefCell::new(Entropy::new(Radio, MinEntropy::Four)));

/// Fills a buffer with bytes that nobody can foresee, or returns false if the radio is off or its noise fails its tests.
pub fn entropy(out: &mut [u8]) -> bool {
    critical_section::with(|cs| ENTROPY.borrow_ref_mut(cs).fill(out).is_ok())
}

/// Returns a number from the generator: for retry times and port numbers, not for keys.
pub fn random() -> u32 {
    Rng::new().random()
}
