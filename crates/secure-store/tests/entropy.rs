//! The health tests: they let good noise pass, and stop bad noise at the sample that the standard says.

mod support;

use core::convert::Infallible;

use secure_store::{Entropy, EntropyError, HealthTest, MinEntropy, NoiseSource};
use support::random::Random;

/// Gives samples by a rule, and counts them.
struct Rule<F> {
    rule: F,
    taken: u32,
}

impl<F: FnMut(u32) -> u8> NoiseSource for &mut Rule<F> {
    type Error = Infallible;

    fn sample(&mut self) -> Result<u8, Infallible> {
        self.taken += 1;
        Ok((self.rule)(self.taken))
    }
}

/// Returns at which sample a source is stopped, and by which test, if within some 300 fills.
fn stopped(claim: MinEntropy, rule: impl FnMut(u32) -> u8) -> Option<(u32, HealthTest)> {
    let mut source = Rule { rule, taken: 0 };
    let mut entropy = Entropy::new(&mut source, claim);
    let mut out = [0xaa; 32];
    let result = (0..300).try_for_each(|_| entropy.fill(&mut out));
    match result {
        Ok(()) => None,
        Err(EntropyError::Unhealthy(test)) => {
            assert_eq!(out, [0; 32]);
            assert_eq!(entropy.fill(&mut out), result);
            Some((source.taken, test))
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn good_noise_passes() {
    let mut random = Random(1);
    assert_eq!(stopped(MinEntropy::Four, |_| random.byte()), None);
    // One bit more than is claimed, for at exactly the claim one sample in 2^20 is a false alarm.
    assert_eq!(stopped(MinEntropy::Two, |_| random.byte() & 7), None);
    assert_eq!(stopped(MinEntropy::One, |_| random.byte() & 3), None);
}

/// Section 4.4.1: 1 + ⌈20/H⌉ equal samples in a row, wherever they begin.
#[test]
fn a_stuck_source_is_stopped_at_the_cutoff() {
    for (claim, cutoff) in [
        (MinEntropy::One, 21),
        (MinEntropy::Two, 11),
        (MinEntropy::Four, 6),
    ] {
        assert_eq!(
            stopped(claim, |_| 0),
            Some((cutoff, HealthTest::RepetitionCount))
        );
        let mut random = Random(2);
        let late = stopped(claim, |n| match n {
            5_000.. => 0xa5,
            _ if claim == MinEntropy::Four => random.byte(),
            _ => (random.byte() & 0x7e) | (n as u8 & 1),
        });
        assert_eq!(late, Some((4_999 + cutoff, HealthTest::RepetitionCount)));
    }
}

/// Section 4.4.2: so many samples in 512 equal to the first, though never two in a row.
#[test]
fn a_biased_source_is_stopped_at_the_cutoff() {
    for (claim, cutoff) in [(MinEntropy::Two, 177), (MinEntropy::Four, 62)] {
        // Every second sample is the first again.
        let stop = stopped(claim, |n| if n % 2 == 1 { 0 } else { n as u8 | 1 });
        assert_eq!(stop, Some((2 * cutoff - 1, HealthTest::AdaptiveProportion)));
    }
    // Two in three are; 311 of them are among 466.
    let stop = stopped(
        MinEntropy::One,
        |n| if n % 3 != 0 { 0 } else { n as u8 | 1 },
    );
    assert_eq!(stop, Some((466, HealthTest::AdaptiveProportion)));
}

/// The cutoffs are those of the standard's formula, computed here from the binomial distribution itself.
#[test]
fn the_proportion_cutoffs_follow_from_the_binomial_distribution() {
    for (bits, cutoff) in [(1, 311), (2, 177), (4, 62)] {
        let p = 0.5f64.powi(bits);
        let mut term = (1.0 - p).powi(512);
        let mut below = term;
        let mut critical = 0;
        while below < 1.0 - 0.5f64.powi(20) {
            term *= f64::from(512 - critical) / f64::from(critical + 1) * p / (1.0 - p);
            critical += 1;
            below += term;
        }
        assert_eq!(1 + critical, cutoff);
    }
}

#[test]
fn output_differs_from_fill_to_fill() {
    let mut random = Random(3);
    let mut source = Rule {
        rule: |_| random.byte(),
        taken: 0,
    };
    let mut entropy = Entropy::new(&mut source, MinEntropy::One);
    let mut blocks = [[0; 32]; 50];
    entropy.fill(blocks.as_flattened_mut()).unwrap();
    blocks.sort();
    assert!(blocks.windows(2).all(|pair| pair[0] != pair[1]));
    // 1,024 at the start, then 320 for each 32 bytes.
    assert_eq!(source.taken, 1024 + 50 * 320);
}
