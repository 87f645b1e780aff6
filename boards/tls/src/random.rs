//! Random numbers for TLS: a generator that is seeded for each connection from noise that is watched.

use core::cell::RefCell;
use core::convert::Infallible;

use chacha20::ChaCha20Rng;
use critical_section::Mutex;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use zeroize::Zeroizing;

static GENERATOR: Mutex<RefCell<Option<ChaCha20Rng>>> = Mutex::new(RefCell::new(None));

/// Seeds the generator, with what it would have returned mixed in.
///
/// So a seed that others know makes nothing worse than it was.
pub(crate) fn seed(noise: &[u8; 32]) {
    let mut seed = Zeroizing::new(*noise);
    critical_section::with(|cs| {
        let mut generator = GENERATOR.borrow_ref_mut(cs);
        if let Some(earlier) = &mut *generator {
            let mut more = Zeroizing::new([0; 32]);
            earlier.fill_bytes(&mut *more);
            for (byte, more) in seed.iter_mut().zip(more.iter()) {
                *byte ^= more;
            }
        }
        *generator = Some(ChaCha20Rng::from_seed(*seed));
    });
}

/// Draws from the generator, as Mbed TLS does.
pub(crate) struct Generator;

impl Generator {
    fn draw<T>(work: impl FnOnce(&mut ChaCha20Rng) -> T) -> T {
        critical_section::with(|cs| match &mut *GENERATOR.borrow_ref_mut(cs) {
            Some(generator) => work(generator),
            // No connection is made before there is a seed; going on without one would give the keys away.
            None => panic!("TLS without a seed"),
        })
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(Self::draw(|generator| generator.next_u32()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(Self::draw(|generator| generator.next_u64()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        Self::draw(|generator| generator.fill_bytes(out));
        Ok(())
    }
}

impl TryCryptoRng for Generator {}
