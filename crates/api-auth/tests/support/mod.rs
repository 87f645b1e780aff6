//! A device with one or two credentials that the API knows.
#![allow(dead_code, reason = "each test file uses a part")]

use api_auth::{Api, Authorizer, Clock, Credential, Policy, Reading, Session, Slot, Slots, Source};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_core::HmacKey;
use serde_json::Value;

pub const NOW: u64 = 1_713_225_600;
pub const DAY: u64 = 86_400;
pub const IDS: [&str; 2] = [
    "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
    "0b0e1a9c-2f2f-4c8e-9a51-6f5f0c9f7d11",
];
pub const KEYS: [&str; 2] = [
    "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
    "x2Kq0vT6sM9bR4nY8wZ1cD5fG7hJ3kLp",
];

pub type Device = Session<'static, HmacKey, 192>;

pub fn authorizer(n: usize) -> Authorizer<HmacKey, 192> {
    let credential =
        Credential::new(&Api::HEYMARKET, Some(IDS[n]), KEYS[n], Policy::FIELD).unwrap();
    Authorizer::new(&credential).unwrap()
}

/// A device with one or two good credentials and a clock that says `unix_secs`.
pub fn device(credentials: usize, unix_secs: u64) -> Device {
    let mut slots = Slots::EMPTY.deployed(Slot::A).unwrap().accepted(Slot::A);
    if credentials == 2 {
        slots = slots.deployed(Slot::B).unwrap().accepted(Slot::B);
    }
    let mut clock = Clock::new(NOW - 30 * DAY, 0);
    clock
        .set(
            Reading {
                unix_secs,
                source: Source::Sntp,
                age_secs: 0,
            },
            0,
        )
        .unwrap();
    let second = (credentials == 2).then(|| authorizer(1));
    Session::new(&Api::HEYMARKET, clock, slots, Some(authorizer(0)), second)
}

/// Which credential signed, by another implementation, and when.
pub fn read(value: &str) -> (usize, u64) {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    let token = value.strip_prefix("Bearer ").unwrap();
    let signed_by = |n: usize| {
        let secret = format!("{}||{}", IDS[n], KEYS[n]);
        let key = DecodingKey::from_secret(secret.as_bytes());
        let claims = jsonwebtoken::decode::<Value>(token, &key, &rules)
            .ok()?
            .claims;
        assert_eq!(claims["iss"], IDS[n]);
        Some((n, claims["iat"].as_u64().unwrap()))
    };
    signed_by(0)
        .or_else(|| signed_by(1))
        .expect("a token of neither credential")
}
