//! Random bytes from a noise source that is watched: NIST SP 800-90B's health tests and conditioning.
//!
//! The noise itself is the board's business, as is the claim of how much entropy a sample has at least. What
//! happens here: 1,024 samples are tested at the start (section 4.3), each sample is tested with the
//! repetition count (4.4.1) and the adaptive proportion test (4.4.2), both at a false alarm rate of 2^-20, and
//! 320 bits of claimed entropy make 256 bits of output through HMAC-SHA256 (3.1.5.1.1).

use core::fmt;

use jwt_core::{HmacKey, KeyError, MacEngine};
use zeroize::{Zeroize, Zeroizing};

/// Samples that the start tests.
const STARTUP_SAMPLES: u32 = 1024;

/// Samples over which the adaptive proportion test counts, for a source of bytes.
const WINDOW: u16 = 512;

/// Bits of entropy that make 256 bits of output.
const NEEDED_BITS: usize = 320;

/// A source of noise, one byte a sample.
pub trait NoiseSource {
    /// What can go wrong.
    type Error: core::error::Error;

    /// Returns the next sample, neither whitened nor tested.
    ///
    /// # Errors
    /// The source's own.
    fn sample(&mut self) -> Result<u8, Self::Error>;
}

/// The fewest bits of entropy that a sample has, as whoever knows the source claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinEntropy {
    /// 1 bit in 8.
    One,
    /// 2 bits in 8.
    Two,
    /// 4 bits in 8.
    Four,
}

impl MinEntropy {
    const fn bits(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// 1 + ⌈20 / H⌉ (section 4.4.1).
    const fn repetition_cutoff(self) -> u16 {
        match self {
            Self::One => 21,
            Self::Two => 11,
            Self::Four => 6,
        }
    }

    /// 1 + CRITBINOM(512, 2^-H, 1 - 2^-20) (section 4.4.2).
    const fn proportion_cutoff(self) -> u16 {
        match self {
            Self::One => 311,
            Self::Two => 177,
            Self::Four => 62,
        }
    }
}

/// Random bytes from a source that is tested all along.
pub struct Entropy<S> {
    source: S,
    claim: MinEntropy,
    last: u8,
    repetitions: u16,
    first: u8,
    matches: u16,
    seen: u16,
    started: bool,
    failed: Option<HealthTest>,
}

/// The test that a source has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthTest {
    /// One value came too often in a row.
    RepetitionCount,
    /// One value came too often in a window.
    AdaptiveProportion,
}

impl<S: NoiseSource> Entropy<S> {
    /// Takes a source and what is claimed of it; it is tested when it is first used.
    pub const fn new(source: S, claim: MinEntropy) -> Self {
        Self {
            source,
            claim,
            last: 0,
            repetitions: 0,
            first: 0,
            matches: 0,
            seen: 0,
            started: false,
            failed: None,
        }
    }

    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`EntropyError::Unhealthy`], from then on at every call; the source's error. `out` then
    /// holds zeros.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError<S::Error>> {
        let filled = self.start().and_then(|()| {
            out.chunks_mut(32)
                .try_for_each(|chunk| self.fill_chunk(chunk))
        });
        if filled.is_err() {
            out.zeroize();
        }
        filled
    }

    fn start(&mut self) -> Result<(), EntropyError<S::Error>> {
        if !self.started {
            for _ in 0..STARTUP_SAMPLES {
                self.sample()?;
            }
            self.started = true;
        }
        Ok(())
    }

    fn fill_chunk(&mut self, chunk: &mut [u8]) -> Result<(), EntropyError<S::Error>> {
        let mut samples = Zeroizing::new([0; NEEDED_BITS]);
        let needed = NEEDED_BITS.div_ceil(self.claim.bits());
        let samples = samples.get_mut(..needed).unwrap_or_default();
        for sample in &mut *samples {
            *sample = self.sample()?;
        }
        // The key of the conditioning may be known (section 3.1.5.1.1).
        let mut conditioning = HmacKey::new(&[0; 32]).map_err(EntropyError::Key)?;
        let mixed = match conditioning.mac(samples) {
            Ok(mixed) => Zeroizing::new(mixed),
            Err(never) => match never {},
        };
        for (byte, mixed) in chunk.iter_mut().zip(mixed.iter()) {
            *byte = *mixed;
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<u8, EntropyError<S::Error>> {
        if let Some(test) = self.failed {
            return Err(EntropyError::Unhealthy(test));
        }
        let sample = self.source.sample().map_err(EntropyError::Source)?;
        self.failed = self.test(sample);
        match self.failed {
            Some(test) => Err(EntropyError::Unhealthy(test)),
            None => Ok(sample),
        }
    }

    fn test(&mut self, sample: u8) -> Option<HealthTest> {
        if self.repetitions > 0 && sample == self.last {
            self.repetitions = self.repetitions.saturating_add(1);
        } else {
            self.last = sample;
            self.repetitions = 1;
        }
        if self.seen == 0 {
            self.first = sample;
            self.matches = 0;
        }
        self.matches = self.matches.saturating_add(u16::from(sample == self.first));
        self.seen = self.seen.saturating_add(1) % WINDOW;
        if self.repetitions >= self.claim.repetition_cutoff() {
            return Some(HealthTest::RepetitionCount);
        }
        (self.matches >= self.claim.proportion_cutoff()).then_some(HealthTest::AdaptiveProportion)
    }
}

impl<S> fmt::Debug for Entropy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entropy")
            .field("claim", &self.claim)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Says why there are no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntropyError<E> {
    /// The source failed.
    Source(E),
    /// The source has less entropy than was claimed.
    Unhealthy(HealthTest),
    /// The conditioning's key is none.
    Key(KeyError),
}

impl<E: fmt::Display> fmt::Display for EntropyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "the noise source failed: {error}"),
            Self::Unhealthy(HealthTest::RepetitionCount) => {
                f.write_str("the noise source is stuck: restart the device, or replace it")
            }
            Self::Unhealthy(HealthTest::AdaptiveProportion) => f.write_str(
                "the noise source is not random enough: restart the device, or replace it",
            ),
            Self::Key(error) => write!(f, "the conditioning can't start: {error}"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for EntropyError<E> {}
