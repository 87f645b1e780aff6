//! What the test files expect of the standard library, and of libraries for the desktop alone.

pub use alloc::borrow::ToOwned;
pub use alloc::boxed::Box;
pub use alloc::string::{String, ToString};
pub use alloc::vec::Vec;
pub use alloc::{format, vec};

pub use semihosting::{eprintln, println};

pub use crate::vectors as wycheproof;

/// The parts of the standard library that core and alloc have too.
pub mod std {
    pub use alloc::rc;
    pub use core::{cell, cmp, convert, error, fmt, future, iter, mem, pin, str, task};

    pub mod collections {
        pub use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

        // Maps and sets by order, for hashes would need chance.
        pub use BTreeMap as HashMap;
        pub use BTreeSet as HashSet;
    }

    pub mod env {
        /// Says that no variable is set: there is no environment.
        pub fn var(_name: &str) -> Result<super::super::String, ()> {
            Err(())
        }
    }
}

/// What remains of the library for property tests, which `build.rs` leaves out: its source of chance.
pub mod proptest {
    pub mod prelude {
        pub use super::test_runner::Rng;
    }

    pub mod test_runner {
        pub trait Rng {
            fn next_u32(&mut self) -> u32;
        }

        pub enum RngAlgorithm {
            ChaCha,
        }

        /// SplitMix64 (Steele, Lea and Flood 2014): not the desktop's numbers, but as good.
        pub struct TestRng(u64);

        impl TestRng {
            pub fn from_seed(_: RngAlgorithm, seed: &[u8; 32]) -> Self {
                let [a, b, c, d, ..] = *seed;
                Self(u32::from_le_bytes([a, b, c, d]).into())
            }
        }

        impl Rng for TestRng {
            fn next_u32(&mut self) -> u32 {
                self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.0;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (z ^ (z >> 31)) as u32
            }
        }
    }
}
