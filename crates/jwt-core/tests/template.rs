//! The template equals the plain path byte for byte, whatever stands before the times.

use jwt_core::{Claims, Header, HmacKey, Json, MAX_SECONDS, Template, Times, sign};
use proptest::prelude::*;

/// Signs by template and plainly and returns both tokens.
fn both(
    key: &HmacKey,
    header: &Header<'_>,
    claims: &impl jwt_core::Payload,
    times: &[Times],
) -> Vec<(String, String)> {
    let mut template = Template::<_, 4096>::new(key, header, claims).unwrap();
    times
        .iter()
        .map(|times| {
            let (mut again, mut plain) = ([0; 4096], [0; 4096]);
            let again = template.sign(times, &mut again).unwrap();
            let plain = sign(key, header, claims, times, &mut plain).unwrap();
            assert_eq!(template.token_len(times), plain.len());
            (again.to_owned(), plain.to_owned())
        })
        .collect()
}

/// Every number of digits, at its lower and its upper end.
fn every_digit_count() -> Vec<Times> {
    let mut times = vec![Times::NONE, Times::iat(MAX_SECONDS)];
    for digits in 0..16 {
        let power = 10u64.pow(digits);
        times.extend([Times::iat(power - 1), Times::iat(power), Times::exp(power)]);
    }
    times
}

/// Lengths of the prefix from below one block to beyond three, so that every base64 group and every
/// SHA-256 block alignment meets every number of digits.
#[test]
fn every_alignment_and_every_digit_count() {
    let key = HmacKey::new(&[9; 70]).unwrap();
    let issuer = "i".repeat(200);
    for len in 0..=issuer.len() {
        let claims = Claims {
            iss: Some(&issuer[..len]),
            ..Claims::NONE
        };
        for (again, plain) in both(&key, &Header::new(), &claims, &every_digit_count()) {
            assert_eq!(again, plain);
        }
    }
}

#[test]
fn claims_without_a_member_take_no_comma() {
    let key = HmacKey::new(&[9; 70]).unwrap();
    for (again, plain) in both(&key, &Header::new(), &Claims::NONE, &every_digit_count()) {
        assert_eq!(again, plain);
    }
    let empty = Json::<2>::new(&std::collections::HashMap::<&str, u8>::new()).unwrap();
    for (again, plain) in both(&key, &Header::new(), &empty, &every_digit_count()) {
        assert_eq!(again, plain);
    }
}

proptest! {
    #[test]
    fn any_claims_and_any_times(
        key in prop::collection::vec(any::<u8>(), 32..140),
        kid in prop::option::of(".{0,40}"),
        [iss, sub, aud, jti] in prop::array::uniform4(prop::option::of(".{0,30}")),
        times in prop::collection::vec(prop::array::uniform3(prop::option::of(0..=MAX_SECONDS)), 1..4),
    ) {
        let key = HmacKey::new(&key).unwrap();
        let header = kid.as_deref().map_or(Header::new(), Header::with_kid);
        let claims = Claims {
            iss: iss.as_deref(), sub: sub.as_deref(), aud: aud.as_deref(), jti: jti.as_deref(),
        };
        let times: Vec<Times> =
            times.into_iter().map(|[exp, nbf, iat]| Times { exp, nbf, iat }).collect();
        for (again, plain) in both(&key, &header, &claims, &times) {
            prop_assert_eq!(again, plain);
        }
    }

    #[test]
    fn any_json_and_any_times(
        members in prop::collection::btree_map(".{0,12}", any::<i32>(), 0..6),
        iat in 0..=MAX_SECONDS,
    ) {
        let key = HmacKey::new(&[1; 32]).unwrap();
        let payload = Json::<1024>::new(&members).unwrap();
        for (again, plain) in both(&key, &Header::new(), &payload, &[Times::iat(iat), Times::NONE]) {
            prop_assert_eq!(again, plain);
        }
    }
}
