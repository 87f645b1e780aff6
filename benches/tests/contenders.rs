//! Every contender does what it is timed for, and does it anew for each token.

use benches::{IAT, ID, KEY, TOKEN};
use jwt_core::{HmacKey, Validation, inspect, verify};

const LIMIT: usize = 0;
/// Emits `typ` before `alg`, so that its token is another one for the same claims.
const OTHER_ORDER: &str = "jsonwebtoken";

#[test]
fn limit_computes_the_documented_signature() {
    let mut scratch = [0; 128];
    let documented = inspect(TOKEN, &mut scratch).unwrap();

    let mut mac = Vec::new();
    benches::all().unwrap()[LIMIT]
        .run(IAT, 3, &mut mac)
        .unwrap();
    assert_eq!(mac, documented.signature());
}

#[test]
fn the_others_sign_the_documented_token() {
    let mut equal = 0;
    for mut contender in benches::all().unwrap().into_iter().skip(LIMIT + 1) {
        let mut last = Vec::new();
        contender.run(IAT, 1, &mut last).unwrap();
        let token = String::from_utf8(last).unwrap();
        if contender.name().starts_with(OTHER_ORDER) {
            assert_eq!(token.len(), TOKEN.len());
        } else {
            assert_eq!(token, TOKEN, "{}", contender.name());
            equal += 1;
        }
    }
    assert_eq!(equal, 5);
}

#[test]
fn each_token_is_issued_a_second_after_the_one_before() {
    let key = HmacKey::from_parts(&[ID.as_bytes(), b"||", KEY.as_bytes()]).unwrap();
    for mut contender in benches::all().unwrap().into_iter().skip(LIMIT + 1) {
        let mut last = Vec::new();
        contender.run(IAT, 10, &mut last).unwrap();
        let validation = Validation {
            now: IAT + 9,
            leeway_secs: 0,
            max_age_secs: Some(1),
        };
        let mut scratch = [0; 128];
        let token = str::from_utf8(&last).unwrap();
        let verified = verify(&key, token, &validation, &mut scratch);
        assert!(verified.is_ok(), "{}: {verified:?}", contender.name());
    }
}
