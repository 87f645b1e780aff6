//! Headers of boards that were provisioned, of one life and the next; the tokens are judged by `jsonwebtoken`.

mod chip;

use std::cell::Cell;
use std::rc::Rc;

use api_auth::{
    Action, Answer, Api, AuthorizeError, ClockError, Facts, Policy, Reading, Slot, Source,
};
use chip::{ChipKey, Silent};
use gateway_firmware::{
    ChipKeys, CredentialsError, HeaderParts, Headers, HeadersError, NoRtc, OpenError,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use jwt_core::HmacKey;
use secure_store::{
    CREDENTIAL_VERSION, ClockRecord, Credential, CredentialKey, Custody, FakeRtc, Image, Key,
    Plain, Protection, Region, Rtc, Sealed, Store, StoreError,
};
use serde_json::Value;

/// The vendor's published example, and the token that its documentation prints.
const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";
const TIME: u64 = 1_713_225_600;
const VALUE: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9.\
    sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0";

const SECOND_KEY: &str = "q7Zr2mWc9KxN4tVb8LpYh3JdS6gFa1Ue";
const BUILD_SECS: u64 = 1_713_000_000;
/// `iat` is put back by what a clock chip may be wrong by: 2 s after it was set, and if nobody knows when that was a quarter
/// of the token's life.
const SET_ERROR_SECS: u64 = 2;
const UNKNOWN_ERROR_SECS: u64 = 75;
const REGION: Region = Region {
    start: 0,
    len: 65_536,
};
const DAY_MS: u64 = 86_400_000;

/// A chip with a key in slot 3, and a device key if it has one.
#[derive(Clone, Default)]
struct Chip {
    key: Option<HmacKey>,
    device_key: Option<HmacKey>,
    silent: Rc<Cell<bool>>,
}

impl ChipKeys for Chip {
    type Key = ChipKey;

    fn key(&self, slot: u8) -> Option<ChipKey> {
        let key = self.key.clone().filter(|_| slot == 3)?;
        Some(ChipKey(key, self.silent.clone()))
    }

    fn device_key(&self) -> Option<ChipKey> {
        let key = self.device_key.clone()?;
        Some(ChipKey(key, self.silent.clone()))
    }
}

fn heymarket_key(key: &str) -> HmacKey {
    HmacKey::new(format!("{ID}||{key}").as_bytes()).unwrap()
}

/// A flash with credentials in the slots in turn, as `gateway provision image` makes it.
fn provisioned(
    protection: impl Protection,
    credentials: &[(&str, &str, CredentialKey)],
) -> Vec<u8> {
    let mut flash = vec![0xff; REGION.len as usize];
    let mut store = Store::<_, _, 8>::format(Image::new(&mut flash), REGION, protection).unwrap();
    for (slot, (api, id, key)) in (0..).zip(credentials) {
        let key = key.clone();
        let mut value = [0; 512];
        let value = Credential { api, id, key }
            .encode(&mut value)
            .unwrap()
            .to_vec();
        store
            .put(Key::credential(slot), CREDENTIAL_VERSION, &value)
            .unwrap();
    }
    drop(store);
    flash
}

fn one_secret() -> Vec<u8> {
    let key = CredentialKey::Prepared(heymarket_key(KEY));
    provisioned(Plain, &[("heymarket", ID, key)])
}

fn two_secrets() -> Vec<u8> {
    let [a, b] = [KEY, SECOND_KEY].map(|key| CredentialKey::Prepared(heymarket_key(key)));
    provisioned(Plain, &[("heymarket", ID, a), ("heymarket", ID, b)])
}

fn rtc(unix_secs: u64) -> Option<FakeRtc> {
    let mut rtc = FakeRtc::default();
    rtc.set(unix_secs).unwrap();
    Some(rtc)
}

type TestHeaders<'f, R> = Headers<Image<'f>, R, ChipKey>;
type TestError = HeadersError<secure_store::ImageError, Silent>;

fn open<'f, R: Rtc>(
    flash: &'f mut [u8],
    rtc: Option<R>,
    chip: &Chip,
) -> Result<TestHeaders<'f, R>, TestError> {
    let parts = HeaderParts {
        flash: Image::new(flash),
        region: REGION,
        rtc,
        chip_keys: chip.clone(),
        policy: Policy::FIELD,
        build_secs: BUILD_SECS,
    };
    Headers::open(parts, 0)
}

fn value<R: Rtc>(headers: &mut TestHeaders<'_, R>, uptime_ms: u64) -> String {
    headers.authorize(uptime_ms).unwrap().value().to_owned()
}

/// Returns the claims of a header's token, if the key has signed it.
fn claims(value: &str, key: &[u8]) -> Option<Value> {
    let token = value.strip_prefix("Bearer ").unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(key);
    decode::<Value>(token, &key, &validation)
        .ok()
        .map(|token| token.claims)
}

fn answer(status: u16, date: u64) -> Facts {
    let mut facts = Facts::new(Answer::Status(status));
    facts.date = Some(date);
    facts
}

#[test]
fn the_documented_token_by_a_clock_chip_whatever_keeps_the_key() {
    let key = heymarket_key(KEY);
    let device_key = HmacKey::new(&[0x6b; 32]).unwrap();
    let prepared = || ("heymarket", ID, CredentialKey::Prepared(key.clone()));
    let in_chip = || ("heymarket", ID, CredentialKey::Hardware(3));
    let sealed = || Sealed::new(device_key.clone()).unwrap();
    let bare = Chip::default();
    let keyed = Chip {
        key: Some(key.clone()),
        ..Chip::default()
    };
    let sealing = Chip {
        device_key: Some(device_key.clone()),
        ..keyed.clone()
    };
    for (mut flash, chip, custody) in [
        (provisioned(Plain, &[prepared()]), bare, Custody::Plain),
        (provisioned(Plain, &[in_chip()]), keyed, Custody::Hardware),
        (
            provisioned(sealed(), &[prepared()]),
            sealing.clone(),
            Custody::Sealed,
        ),
        (
            provisioned(sealed(), &[in_chip()]),
            sealing,
            Custody::Hardware,
        ),
    ] {
        let mut headers = open(&mut flash, rtc(TIME + UNKNOWN_ERROR_SECS), &chip).unwrap();
        assert_eq!(headers.custody(), custody);
        assert_eq!(value(&mut headers, 0), VALUE);
        // As long as it is good it is not signed again, which a silent chip shows.
        chip.silent.set(custody == Custody::Hardware);
        assert_eq!(value(&mut headers, 60_000), VALUE);
        chip.silent.set(false);
        let later = value(&mut headers, 300_000);
        let key = format!("{ID}||{KEY}");
        assert_eq!(claims(&later, key.as_bytes()).unwrap()["iat"], TIME + 300);
    }
}

#[test]
fn every_api_whatever_it_sends() {
    for api in Api::ALL {
        let kid = "f1e4ad35-f4ce-4dba-9a34-5c8c1b3c9f33";
        let (id, key) = match api.name {
            "heymarket" => (ID, CredentialKey::Prepared(heymarket_key(KEY))),
            "key-id" => (
                kid,
                CredentialKey::Prepared(HmacKey::new(&[b'k'; 32]).unwrap()),
            ),
            "heyoo" => ("", CredentialKey::Sent("hey_first1")),
            "hookmesh" => ("", CredentialKey::Sent("sk_live_4f1c9b27")),
            _ => ("", CredentialKey::Sent("a-team-key-of-24-chars.")),
        };
        let mut flash = provisioned(Plain, &[(api.name, id, key)]);
        let mut headers = open(&mut flash, rtc(TIME), &Chip::default()).unwrap();
        assert_eq!(headers.session().api(), api);
        let value = value(&mut headers, 0);
        match api.name {
            "heymarket" => assert!(claims(&value, format!("{ID}||{KEY}").as_bytes()).is_some()),
            "key-id" => {
                assert_eq!(claims(&value, &[b'k'; 32]).unwrap()["exp"], TIME + 3_600);
                let header = jsonwebtoken::decode_header(&value["Bearer ".len()..]).unwrap();
                assert_eq!(header.kid.as_deref(), Some(kid));
            }
            "heyoo" => assert_eq!(value, "Bearer hey_first1"),
            "hookmesh" => assert_eq!(value, "Bearer sk_live_4f1c9b27"),
            "key-id-static" => assert_eq!(value, "a-team-key-of-24-chars."),
            // `printf a-team-key-of-24-chars.: | base64`
            "heymarket-basic" => assert_eq!(value, "Basic YS10ZWFtLWtleS1vZi0yNC1jaGFycy46"),
            "heymarket-bearer" => assert_eq!(value, "Bearer a-team-key-of-24-chars."),
            name => panic!("{name} is not tested"),
        }
    }
}

#[test]
fn a_key_for_tests_is_refused_in_the_field() {
    let mut flash = provisioned(
        Plain,
        &[("hookmesh", "", CredentialKey::Sent("sk_test_4f1c9b27"))],
    );
    let refused = open(&mut flash, None::<NoRtc>, &Chip::default()).err();
    assert!(
        matches!(
            refused,
            Some(HeadersError::Credentials(CredentialsError::Credential(
                Slot::A,
                _
            )))
        ),
        "{refused:?}"
    );
}

#[test]
fn without_the_time_nothing_is_signed_and_the_reason_is_the_clock_chips() {
    let stopped = Some(FakeRtc::default());
    let cold = rtc(946_684_800);
    let clock = |error| Some(AuthorizeError::Clock(error));
    for (rtc, reason) in [
        (None, clock(ClockError::Unset)),
        (stopped, clock(ClockError::Unset)),
        (
            cold,
            clock(ClockError::BeforeBuild {
                unix_secs: 946_684_800,
            }),
        ),
    ] {
        let mut flash = one_secret();
        let mut headers = open(&mut flash, rtc, &Chip::default()).unwrap();
        assert_eq!(headers.authorize(0).err(), reason);
        headers.keep(0).unwrap();
        assert_eq!(headers.authorize(0).err(), reason);
        // SNTP may be wrong by a second.
        let sntp = Reading {
            unix_secs: TIME + 1,
            source: Source::Sntp,
            age_secs: 0,
        };
        headers.set_clock(sntp, 5_000).unwrap();
        assert_eq!(value(&mut headers, 5_000), VALUE);
    }
}

#[test]
fn how_right_the_clock_chip_is_is_remembered() {
    let mut flash = one_secret();
    {
        // A minute slow, until SNTP tells.
        let mut headers = open(&mut flash, rtc(TIME - 60), &Chip::default()).unwrap();
        let sntp = Reading {
            unix_secs: TIME,
            source: Source::Sntp,
            age_secs: 0,
        };
        headers.set_clock(sntp, 5_000).unwrap();
        headers.keep(5_000).unwrap();
    }
    assert_eq!(clock_record(&mut flash).unwrap().rtc_set_secs, Some(TIME));
    let mut headers = open(&mut flash, rtc(TIME + SET_ERROR_SECS), &Chip::default()).unwrap();
    assert_eq!(value(&mut headers, 0), VALUE);
}

#[test]
fn a_key_that_is_sent_needs_no_time() {
    let mut flash = provisioned(Plain, &[("heyoo", "", CredentialKey::Sent("hey_first1"))]);
    let mut headers = open(&mut flash, None::<NoRtc>, &Chip::default()).unwrap();
    assert_eq!(value(&mut headers, 0), "Bearer hey_first1");
}

#[test]
fn a_revoked_secret_gives_way_and_stays_given_up() {
    let mut flash = two_secrets();
    let second = format!("{ID}||{SECOND_KEY}");
    {
        let mut headers = open(&mut flash, rtc(TIME), &Chip::default()).unwrap();
        assert_eq!(headers.session().slots().active(), Slot::A);
        value(&mut headers, 0);
        let action = headers.answered(&answer(401, TIME), 100);
        assert_eq!(action, Action::SwitchSecret { to: Slot::B });
        assert!(claims(&value(&mut headers, 100), second.as_bytes()).is_some());
        headers.keep(100).unwrap();
    }
    let mut headers = open(&mut flash, rtc(TIME), &Chip::default()).unwrap();
    assert!(claims(&value(&mut headers, 0), second.as_bytes()).is_some());
}

#[test]
fn a_clock_an_hour_off_is_corrected_by_the_server_and_the_chip_is_set() {
    let mut flash = one_secret();
    {
        let mut headers = open(&mut flash, rtc(TIME + 3_600), &Chip::default()).unwrap();
        value(&mut headers, 0);
        let corrected = Action::CorrectClock { server_secs: TIME };
        assert_eq!(headers.answered(&answer(401, TIME), 0), corrected);
        headers.keep(0).unwrap();
        let key = format!("{ID}||{KEY}");
        let again = claims(&value(&mut headers, 0), key.as_bytes()).unwrap();
        // A `Date` may be wrong by two seconds.
        assert_eq!(again["iat"], TIME - 2);
    }
    assert_eq!(clock_record(&mut flash).unwrap().rtc_set_secs, Some(TIME));
}

#[test]
fn months_on_the_clock_chip_alone() {
    let mut flash = one_secret();
    let mut clock = FakeRtc::default();
    clock.set(TIME).unwrap();
    let clock = Rc::new(Cell::new(clock));
    let shared = Some(SharedRtc(clock.clone()));
    let mut headers = open(&mut flash, shared, &Chip::default()).unwrap();
    // The chip's crystal is right, the microcontroller's a tenth of a per mille too fast.
    let mut right = TIME;
    let mut uptime_ms = 0;
    for _ in 0..90 {
        right += 86_400;
        uptime_ms += DAY_MS + DAY_MS / 10_000;
        let mut chip = clock.get();
        chip.advance(86_400);
        clock.set(chip);
        headers.keep(uptime_ms).unwrap();
        let now = headers.session().clock().now(uptime_ms).unwrap();
        assert_eq!(now.unix_secs(), right);
    }
}

/// A clock chip that the test has a hand on.
struct SharedRtc(Rc<Cell<FakeRtc>>);

impl Rtc for SharedRtc {
    type Error = std::convert::Infallible;

    fn read(&mut self) -> Result<Option<u64>, Self::Error> {
        self.0.get().read()
    }

    fn set(&mut self, unix_secs: u64) -> Result<(), Self::Error> {
        let mut rtc = self.0.get();
        rtc.set(unix_secs)?;
        self.0.set(rtc);
        Ok(())
    }
}

#[test]
fn what_a_server_has_confirmed_is_the_floor_of_the_next_life() {
    let mut flash = one_secret();
    let confirmed = TIME + 30 * 86_400;
    let floor = {
        let mut headers = open(&mut flash, rtc(confirmed), &Chip::default()).unwrap();
        value(&mut headers, 0);
        headers.answered(&answer(200, confirmed), 0);
        headers.keep(0).unwrap();
        headers.session().clock().floor_secs()
    };
    assert!(floor > TIME);
    assert_eq!(clock_record(&mut flash).unwrap().floor_secs, floor);
    let written = flash.clone();
    {
        let mut headers = open(&mut flash, rtc(confirmed), &Chip::default()).unwrap();
        headers.answered(&answer(200, confirmed + 3_600), 3_600_000);
        headers.keep(3_600_000).unwrap();
    }
    assert_eq!(flash, written, "an hour is nothing to write down");
    // A battery that was changed by somebody who set the chip to the time of the purchase.
    let mut headers = open(&mut flash, rtc(TIME), &Chip::default()).unwrap();
    let behind = ClockError::BehindFloor { unix_secs: TIME };
    assert_eq!(
        headers.authorize(0).err(),
        Some(AuthorizeError::Clock(behind))
    );
}

#[test]
fn stores_that_give_no_header() {
    let key = CredentialKey::Prepared(heymarket_key(KEY));
    let device_key = HmacKey::new(&[0x6b; 32]).unwrap();
    let other = HmacKey::new(&[0x6c; 32]).unwrap();
    let sealed = || {
        provisioned(
            Sealed::new(device_key.clone()).unwrap(),
            &[("heymarket", ID, key.clone())],
        )
    };
    let chip = |device_key: Option<&HmacKey>, silent| Chip {
        device_key: device_key.cloned(),
        silent: Rc::new(Cell::new(silent)),
        ..Chip::default()
    };
    let in_chip = provisioned(Plain, &[("heymarket", ID, CredentialKey::Hardware(4))]);
    let pager = provisioned(Plain, &[("pager", "", CredentialKey::Sent("pg_3f9c01aa"))]);
    let two_apis = provisioned(
        Plain,
        &[
            ("heyoo", "", CredentialKey::Sent("hey_first1")),
            ("hookmesh", "", CredentialKey::Sent("sk_live_4f1c9b27")),
        ],
    );
    for (mut flash, chip, says) in [
        (
            vec![0xff; 65_536],
            chip(None, false),
            "the store is blank: provision the device",
        ),
        (
            vec![0x5a; 65_536],
            chip(None, false),
            "there is no store in this flash region",
        ),
        (
            provisioned(Plain, &[]),
            chip(None, false),
            "there is no credential",
        ),
        (sealed(), chip(None, false), "this board has no device key"),
        (
            sealed(),
            chip(Some(&device_key), true),
            "the chip is silent",
        ),
        (sealed(), chip(Some(&other), false), "another device's key"),
        (
            one_secret(),
            chip(Some(&device_key), false),
            "the store is not sealed",
        ),
        (
            in_chip,
            chip(None, false),
            "a place that this board's chip doesn't have",
        ),
        (
            pager,
            chip(None, false),
            "an API that this program doesn't know",
        ),
        (two_apis, chip(None, false), "of different APIs"),
    ] {
        let refused = open(&mut flash, rtc(TIME), &chip)
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains(says), "{refused}");
    }
    let mut blank = vec![0xff; 65_536];
    let refused = open(&mut blank, rtc(TIME), &chip(None, false)).err();
    let expected = HeadersError::Open(OpenError::Store(StoreError::Blank));
    assert_eq!(refused, Some(expected));
    assert_eq!(
        blank, [0xff; 65_536],
        "a store is made by whoever provisions"
    );
}

fn clock_record(flash: &mut [u8]) -> Option<ClockRecord> {
    let mut store = Store::<_, _, 8>::open(Image::new(flash), REGION, Plain).unwrap();
    let mut value = [0; ClockRecord::LEN];
    let record = store.get(Key::CLOCK, &mut value).unwrap()?;
    ClockRecord::decode(record.value)
}
