//! The debouncing against a definition of it that looks back over all samples.

use gateway_firmware::{Contact, SETTLE_MS};
use proptest::prelude::*;

/// Returns the indices of samples at which the contact closes: those that end a run of equal samples, the first of
/// which are [`SETTLE_MS`] old, when the last run that long was an open one or there was none.
fn closings(samples: &[(u64, bool)]) -> Vec<usize> {
    let mut settled = false;
    let mut closings = Vec::new();
    for (index, &(now_ms, level)) in samples.iter().enumerate() {
        let run = samples[..=index]
            .iter()
            .rev()
            .take_while(|sample| sample.1 == level);
        let begun_ms = run.last().unwrap().0;
        if now_ms - begun_ms >= SETTLE_MS && level != settled {
            settled = level;
            closings.extend(level.then_some(index));
        }
    }
    closings
}

proptest! {
    #[test]
    fn a_contact_closes_once_it_was_still_for_long_enough(
        steps in prop::collection::vec((1u64..40, prop::bool::weighted(0.7)), 0..200),
    ) {
        let mut now_ms = 1_000;
        let mut level = false;
        let samples: Vec<_> = steps.into_iter().map(|(step_ms, stays)| {
            now_ms += step_ms;
            level ^= !stays;
            (now_ms, level)
        }).collect();
        let mut contact = Contact::new();
        let closed: Vec<_> = samples.iter().enumerate()
            .filter(|(_, sample)| contact.closes(sample.1, sample.0))
            .map(|(index, _)| index)
            .collect();
        prop_assert_eq!(closed, closings(&samples));
    }
}
