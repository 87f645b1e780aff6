//! How long a token is handed out, judged by a server with the true time.

use std::cell::Cell;
use std::rc::Rc;

use api_auth::{Api, AuthorizeError, Authorizer, Clock, ClockError, Reading, Source};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_core::{HmacKey, MacEngine, SignError};
use proptest::prelude::*;
use serde_json::Value;

const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &[u8] = b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";
const NOW: u64 = 1_713_225_600;
const DAY_MS: u64 = 86_400_000;
const REQUEST_SECS: u64 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BusFault;

impl std::fmt::Display for BusFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bus fault")
    }
}

impl std::error::Error for BusFault {}

/// A key in an element that counts its signatures, and fails when told so.
struct Element {
    key: HmacKey,
    signatures: Rc<Cell<u32>>,
    broken: Rc<Cell<bool>>,
}

impl MacEngine for Element {
    type Error = BusFault;
    type Midstate = ();

    fn absorb(&mut self, _blocks: &[[u8; 64]]) -> Result<(), BusFault> {
        Ok(())
    }

    fn finish(&mut self, (): &(), message: &[u8]) -> Result<[u8; 32], BusFault> {
        self.signatures.set(self.signatures.get() + 1);
        match (self.broken.get(), self.key.mac(message)) {
            (false, Ok(mac)) => Ok(mac),
            _ => Err(BusFault),
        }
    }
}

struct Device {
    authorizer: Authorizer<Element, 192>,
    clock: Clock,
    signatures: Rc<Cell<u32>>,
    broken: Rc<Cell<bool>>,
}

impl Device {
    fn new(api: &Api, build_secs: u64) -> Self {
        let (signatures, broken) = (Rc::default(), Rc::default());
        let element = Element {
            key: HmacKey::new(KEY).unwrap(),
            signatures: Rc::clone(&signatures),
            broken: Rc::clone(&broken),
        };
        let authorizer = Authorizer::with_engine(api, ID, element).unwrap();
        let clock = Clock::new(build_secs, 0);
        Self {
            authorizer,
            clock,
            signatures,
            broken,
        }
    }

    fn set(&mut self, unix_secs: u64, source: Source, uptime_ms: u64) -> Result<(), ClockError> {
        self.clock.set(
            Reading {
                unix_secs,
                source,
                age_secs: 0,
            },
            uptime_ms,
        )
    }

    fn token(&mut self, uptime_ms: u64) -> Result<String, AuthorizeError<BusFault>> {
        let value = self
            .authorizer
            .authorize(self.clock.now(uptime_ms))?
            .value();
        Ok(value.strip_prefix("Bearer ").unwrap().to_owned())
    }
}

/// Checks a token's signature with another implementation and returns a claim.
fn claim(token: &str, name: &str) -> u64 {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    let key = DecodingKey::from_secret(KEY);
    let data = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
    data.claims[name].as_u64().unwrap()
}

#[test]
fn one_signature_serves_until_the_margin() {
    // A clock within a second: 300 less one for iat, one for now, 30 for the request.
    let mut device = Device::new(&Api::HEYMARKET, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    let first = device.token(0).unwrap();
    for uptime_ms in (0..267_001).step_by(500) {
        assert_eq!(device.token(uptime_ms).unwrap(), first);
    }
    assert_eq!(device.signatures.get(), 1);
    assert_ne!(device.token(267_001).unwrap(), first);
    assert_eq!(device.signatures.get(), 2);
}

#[test]
fn a_clock_set_back_or_ahead_leads_to_a_new_signature() {
    for (step, signatures) in [
        (0, 1),
        (100, 1),
        (-1, 2),
        (-86_400, 2),
        (268, 2),
        (86_400, 2),
    ] {
        let mut device = Device::new(&Api::HEYMARKET, NOW - 100_000);
        device.set(NOW, Source::Sntp, 0).unwrap();
        device.token(0).unwrap();
        device
            .set(NOW.checked_add_signed(step).unwrap(), Source::Sntp, 1)
            .unwrap();
        let token = device.token(1).unwrap();
        assert_eq!(
            device.signatures.get(),
            signatures,
            "after a step of {step} s"
        );
        let iat = claim(&token, "iat");
        assert!(iat <= NOW.checked_add_signed(step).unwrap());
    }
}

#[test]
fn a_clock_that_stands_still_doesn_t_keep_a_token_alive() {
    let mut device = Device::new(&Api::HEYMARKET, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    device.token(0).unwrap();
    device.set(NOW, Source::Host, 400_000).unwrap();
    device.token(400_000).unwrap();
    assert_eq!(device.signatures.get(), 2);
}

#[test]
fn years_that_overflow_smaller_numbers_are_crossed() {
    // 2^31 and 2^32 seconds: 19 January 2038 and 7 February 2106.
    for boundary in [1u64 << 31, 1 << 32] {
        let mut device = Device::new(&Api::HEYMARKET, boundary - 1_000_000);
        device.set(boundary - 150, Source::Host, 0).unwrap();
        for secs in 0..300 {
            let now = boundary - 150 + secs;
            let iat = claim(&device.token(secs * 1000).unwrap(), "iat");
            assert!(
                iat <= now && now + 1 + REQUEST_SECS < iat + 300,
                "{iat} at {now}"
            );
        }
        assert_eq!(device.signatures.get(), 2);
    }
}

#[test]
fn a_tick_that_wraps_unsets_the_clock_instead_of_reviving_a_token() {
    let wrap_ms = 1u64 << 32;
    let mut device = Device::new(&Api::HEYMARKET, NOW);
    device.set(NOW, Source::Rtc, wrap_ms - 1000).unwrap();
    let before = device.token(wrap_ms - 1).unwrap();
    assert_eq!(
        device.token(0),
        Err(AuthorizeError::Clock(ClockError::UptimeBackwards))
    );
    device.set(NOW + 1, Source::Rtc, 1).unwrap();
    assert_ne!(device.token(1).unwrap(), before);
}

#[test]
fn an_expiry_is_the_lifetime_ahead_and_renewed_in_time() {
    let mut device = Device::new(&Api::KEY_ID, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    let first = device.token(0).unwrap();
    assert_eq!(claim(&first, "exp"), NOW + 3600);
    // One second for the clock, 30 for the request.
    assert_eq!(device.token(3_568_000).unwrap(), first);
    assert_eq!(
        claim(&device.token(3_568_001).unwrap(), "exp"),
        NOW + 3568 + 3600
    );
    // Set back: a token that would live longer than an hour from now is not kept.
    device.set(NOW, Source::Host, 3_600_000).unwrap();
    assert_eq!(claim(&device.token(3_600_000).unwrap(), "exp"), NOW + 3600);
}

#[test]
fn a_clock_that_may_be_far_off_signs_more_often_but_signs() {
    let mut device = Device::new(&Api::HEYMARKET, NOW);
    let cold = Reading {
        unix_secs: NOW + 500,
        source: Source::Rtc,
        age_secs: u32::MAX,
    };
    device.clock.set(cold, 0).unwrap();
    // Margins are cut to a quarter of the lifetime: 300 - 75 - 75 - 30.
    let first = device.token(0).unwrap();
    assert_eq!(claim(&first, "iat"), NOW + 500 - 75);
    assert_eq!(device.token(119_000).unwrap(), first);
    assert_ne!(device.token(120_000).unwrap(), first);
}

#[test]
fn a_short_lifetime_has_short_margins() {
    // A minute: one second for iat, one for now, a quarter of it for the request.
    let api = Api {
        lifetime_secs: 60,
        ..Api::HEYMARKET
    };
    let mut device = Device::new(&api, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    let first = device.token(0).unwrap();
    assert_eq!(device.token(42_000).unwrap(), first);
    assert_ne!(device.token(43_000).unwrap(), first);
}

#[test]
fn a_lifetime_of_nothing_is_signed_for_each_time() {
    let api = Api {
        lifetime_secs: 0,
        ..Api::HEYMARKET
    };
    let mut device = Device::new(&api, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    for signatures in 1..5 {
        device.token(0).unwrap();
        assert_eq!(device.signatures.get(), signatures);
    }
}

#[test]
fn a_failed_signature_leaves_nothing_to_hand_out() {
    let mut device = Device::new(&Api::HEYMARKET, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    device.token(0).unwrap();
    device.broken.set(true);
    device
        .token(1000)
        .expect("the cached token needs no element");
    let fault = AuthorizeError::Sign(SignError::Engine(BusFault));
    assert_eq!(device.token(280_000), Err(fault));
    assert_eq!(device.token(1000), Err(fault), "the old token is gone");
    device.broken.set(false);
    assert_eq!(claim(&device.token(280_000).unwrap(), "iat"), NOW + 279);
}

#[test]
fn a_renewed_token_is_another_one() {
    let mut device = Device::new(&Api::HEYMARKET, NOW);
    device.set(NOW, Source::Host, 0).unwrap();
    device.token(0).unwrap();
    device.authorizer.renew();
    device.token(0).unwrap();
    assert_eq!(device.signatures.get(), 2);
}

/// What happens between two requests.
#[derive(Clone, Debug)]
enum Event {
    Wait {
        ms: u64,
    },
    /// A reading that is wrong by no more than its source admits.
    Honest {
        source: Source,
        error: f64,
    },
    /// A reading of anything.
    Wild {
        unix_secs: u64,
        source: Source,
    },
    /// Uptime begins anew; what is in memory is kept, as in deep sleep.
    Restart,
}

fn source() -> impl Strategy<Value = Source> {
    prop::sample::select(vec![
        Source::Rtc,
        Source::Host,
        Source::Sntp,
        Source::HttpDate,
    ])
}

fn wait() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => 0..400_000u64,
        1 => 0..3 * DAY_MS,
        1 => Just(1u64 << 32),
    ]
    .prop_map(|ms| Event::Wait { ms })
}

fn honest() -> impl Strategy<Value = Event> {
    (source(), -1.0..=1.0).prop_map(|(source, error)| Event::Honest { source, error })
}

fn wild() -> impl Strategy<Value = Event> {
    let near = NOW - 1_000_000..NOW + 10_000_000;
    (prop_oneof![near, any::<u64>()], source())
        .prop_map(|(unix_secs, source)| Event::Wild { unix_secs, source })
}

/// The least that a fresh reading of each source admits to be wrong by.
fn admitted(source: Source) -> f64 {
    match source {
        Source::Host | Source::Sntp => 1.0,
        _ => 2.0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// As long as readings are as good as they say, a strict server accepts every token, however long
    /// the request takes up to half a minute.
    #[test]
    fn a_strict_server_accepts_what_an_honest_clock_signs(
        events in prop::collection::vec(prop_oneof![3 => wait(), 1 => honest()], 1..60),
        api in prop::sample::select(vec![Api::HEYMARKET, Api::KEY_ID]),
        start in prop::sample::select(vec![NOW, (1 << 31) - 1000, (1 << 32) - 1000]),
    ) {
        let mut device = Device::new(&api, start - 1_000_000);
        let mut true_ms = 0u64;
        device.set(start, Source::Host, 0).unwrap();
        for event in events {
            match event {
                Event::Wait { ms } => true_ms += ms,
                Event::Honest { source, error } => {
                    let secs = true_ms as f64 / 1000.0 + error * (admitted(source) - 1.0);
                    let unix_secs = start.saturating_add_signed(secs.floor() as i64);
                    // Refused only as a correction that is too large, which an honest one never is.
                    device.set(unix_secs, source, true_ms).unwrap();
                }
                Event::Wild { .. } | Event::Restart => unreachable!(),
            }
            let time = device.clock.now(true_ms).unwrap();
            let token = device.token(true_ms).unwrap();
            let true_secs = start + true_ms / 1000;
            if time.error_secs() > 75 {
                continue; // more than the margins have room for
            }
            if api.scheme == Api::HEYMARKET.scheme {
                let iat = claim(&token, "iat");
                prop_assert!(iat <= true_secs, "issued in the future");
                prop_assert!(true_secs + REQUEST_SECS < iat + 300, "expired");
            } else {
                let exp = claim(&token, "exp");
                prop_assert!(true_secs + REQUEST_SECS < exp, "expired");
            }
        }
    }

    /// Whatever clocks do, no token is handed out that is older than its lifetime in truth, or that
    /// the clock of the moment finds in the future, and none at all without a time.
    #[test]
    fn no_clock_makes_an_old_token_young(
        events in prop::collection::vec(
            prop_oneof![4 => wait(), 2 => wild(), 1 => honest(), 1 => Just(Event::Restart)],
            1..60,
        ),
    ) {
        let mut device = Device::new(&Api::HEYMARKET, NOW - 2_000_000);
        let (mut true_ms, mut started_ms) = (0u64, 0);
        let mut first_seen: Option<(String, u64)> = None;
        for event in events {
            match event {
                Event::Wait { ms } => true_ms += ms,
                Event::Honest { source, .. } => {
                    let _ = device.set(NOW + true_ms / 1000, source, true_ms - started_ms);
                }
                Event::Wild { unix_secs, source } => {
                    let _ = device.set(unix_secs, source, true_ms - started_ms);
                }
                Event::Restart => {
                    // Uptime can't tell how long the sleep was; the clock that is set anew can.
                    started_ms = true_ms;
                    device.clock = Clock::new(NOW - 2_000_000, 0);
                    first_seen = None;
                }
            }
            let now = device.clock.now(true_ms - started_ms);
            let token = device.token(true_ms - started_ms);
            let (Ok(now), Ok(token)) = (now, &token) else {
                prop_assert!(now.is_err() && token.is_err(), "a token without a time");
                continue;
            };
            let iat = claim(token, "iat");
            prop_assert!(iat <= now.unix_secs());
            prop_assert!(now.unix_secs() - iat + REQUEST_SECS < 300);
            match &first_seen {
                Some((seen, seen_ms)) if seen == token => {
                    prop_assert!(true_ms - seen_ms < (300 - REQUEST_SECS) * 1000);
                }
                _ => first_seen = Some((token.clone(), true_ms)),
            }
        }
    }
}
