//! What each API gets behind `Authorization:`, judged by other implementations.

use api_auth::{
    Api, AuthorizeError, Authorizer, BufferTooSmall, Clock, ClockError, Credential,
    CredentialError, Policy, Prefix, Reading, Request, Scheme, Source, Time,
};
use base64::prelude::*;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_core::HmacKey;
use proptest::prelude::*;
use serde_json::Value;

const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";
const NOW: u64 = 1_713_225_600;

/// Within a second, as the host's clock is.
fn at(unix_secs: u64) -> Result<Time, ClockError> {
    let mut clock = Clock::new(unix_secs.min(NOW), 0);
    let source = Source::Host;
    clock.set(
        Reading {
            unix_secs,
            source,
            age_secs: 0,
        },
        0,
    )?;
    clock.now(0)
}

/// Returns the value for a credential with room for any.
fn value(api: &Api, id: Option<&str>, key: &str) -> String {
    let credential = Credential::new(api, id, key, Policy::FIELD).unwrap();
    let mut authorizer = Authorizer::<_, 512>::new(&credential).unwrap();
    authorizer.authorize(at(NOW)).unwrap().value().to_owned()
}

/// Checks the signature and returns the header's `kid` and the claims.
fn decode(value: &str, hmac_key: &str) -> (Option<String>, Value) {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    let token = value.strip_prefix("Bearer ").unwrap();
    let key = DecodingKey::from_secret(hmac_key.as_bytes());
    let data = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
    assert_eq!(data.header.typ.as_deref(), Some("JWT"));
    (data.header.kid, data.claims)
}

#[test]
fn heymarket_gets_a_token_of_iss_and_iat_under_id_and_key() {
    let value = value(&Api::HEYMARKET, Some(ID), KEY);
    let (kid, claims) = decode(&value, &format!("{ID}||{KEY}"));
    assert_eq!(kid, None);
    assert_eq!(claims, serde_json::json!({ "iss": ID, "iat": NOW - 1 }));
}

#[test]
fn key_id_gets_a_token_of_exp_with_kid() {
    let value = value(&Api::KEY_ID, Some(ID), KEY);
    let (kid, claims) = decode(&value, KEY);
    assert_eq!(kid.as_deref(), Some(ID));
    assert_eq!(claims, serde_json::json!({ "exp": NOW + 3600 }));
}

#[test]
fn keys_that_are_sent_as_they_are_need_no_clock() {
    for (api, key, expected) in [
        (Api::HEYOO, "hey_4242zz", "Bearer hey_4242zz"),
        (Api::HOOKMESH, "sk_live_abc123", "Bearer sk_live_abc123"),
        (Api::KEY_ID_STATIC, "api-token-1", "api-token-1"),
        (Api::HEYMARKET_BEARER, "team-key-1", "Bearer team-key-1"),
        // printf team-key-1: | base64
        (Api::HEYMARKET_BASIC, "team-key-1", "Basic dGVhbS1rZXktMTo="),
    ] {
        let credential = Credential::new(&api, None, key, Policy::FIELD).unwrap();
        let mut authorizer = Authorizer::<_, 64>::new(&credential).unwrap();
        let value = authorizer.authorize(Err(ClockError::Unset)).unwrap();
        assert_eq!(value.value(), expected, "{}", api.name);
    }
}

#[test]
fn a_token_is_not_signed_without_a_trusted_clock() {
    for (api, key) in [(Api::HEYMARKET, KEY), (Api::KEY_ID, KEY)] {
        let credential = Credential::new(&api, Some(ID), key, Policy::FIELD).unwrap();
        let mut authorizer = Authorizer::<_, 256>::new(&credential).unwrap();
        authorizer.authorize(at(NOW)).unwrap();
        let refused = authorizer.authorize(Err(ClockError::Unset)).map(drop);
        assert_eq!(refused, Err(AuthorizeError::Clock(ClockError::Unset)));
    }
}

#[test]
fn another_api_of_a_known_scheme_is_one_constant() {
    const PAGER: Api = Api {
        name: "pager",
        host: Some("api.pager.example"),
        scheme: Scheme::KidExp,
        lifetime_secs: 60,
        check: Request {
            method: "GET",
            path: "/me",
        },
        ..Api::BLANK
    };
    let (kid, claims) = decode(&value(&PAGER, Some("pager-7"), KEY), KEY);
    assert_eq!(kid.as_deref(), Some("pager-7"));
    assert_eq!(claims["exp"], NOW + 60);
}

#[test]
fn profiles_have_names_of_their_own_and_absolute_paths() {
    for api in Api::ALL {
        assert_eq!(Api::by_name(api.name), Some(api), "names repeat");
        assert!(
            api.check.path.starts_with('/') && api.send.is_none_or(|s| s.path.starts_with('/'))
        );
    }
    assert_eq!(Api::by_name(""), None);
}

#[test]
fn the_documented_example_fits_exactly_and_not_one_byte_less() {
    const LEN: usize = Scheme::IssIat.value_len(ID.len(), KEY.len());
    let credential = Credential::new(&Api::HEYMARKET, Some(ID), KEY, Policy::FIELD).unwrap();

    let short = Authorizer::<_, { LEN - 1 }>::new(&credential).map(drop);
    assert_eq!(
        short,
        Err(AuthorizeError::TooSmall(BufferTooSmall { needed: LEN }))
    );

    let mut authorizer = Authorizer::<_, LEN>::new(&credential).unwrap();
    let authorization = authorizer.authorize(at(NOW)).unwrap();
    let mut out = [0x55; 187];
    let refused = authorization.write_line(&mut out[..186]).map(str::len);
    assert_eq!(refused, Err(BufferTooSmall { needed: 187 }));
    assert_eq!(out, [0x55; 187], "a refused buffer is untouched");
    assert_eq!(authorization.line_len(), 187);
    let line = authorization.write_line(&mut out).unwrap();
    assert_eq!(line, format!("Authorization: {}", authorization.value()));
}

#[test]
fn a_static_key_fits_exactly_and_not_one_byte_less() {
    let credential =
        Credential::new(&Api::HEYMARKET_BASIC, None, "team-key-1", Policy::FIELD).unwrap();
    assert!(Authorizer::<_, 22>::new(&credential).is_ok());
    let short = Authorizer::<_, 21>::new(&credential).map(drop);
    assert_eq!(
        short,
        Err(AuthorizeError::TooSmall(BufferTooSmall { needed: 22 }))
    );
}

#[test]
fn a_key_in_hardware_needs_only_the_id() {
    let key = HmacKey::from_parts(&[ID.as_bytes(), b"||", KEY.as_bytes()]).unwrap();
    let mut hardware = Authorizer::<_, 172>::with_engine(&Api::HEYMARKET, ID, key.clone()).unwrap();
    let expected = value(&Api::HEYMARKET, Some(ID), KEY);
    assert_eq!(hardware.authorize(at(NOW)).unwrap().value(), expected);

    for (api, id, error) in [
        (Api::HEYOO, "", CredentialError::KeyIsSent),
        (Api::HEYMARKET, "", CredentialError::IdMissing),
        (
            Api::KEY_ID,
            "gateway 7",
            CredentialError::IdCharacter { at: 7 },
        ),
        (Api::KEY_ID, "gateway-7", CredentialError::IdNotUuid),
    ] {
        let refused = Authorizer::<_, 172>::with_engine(&api, id, key.clone()).map(drop);
        assert_eq!(refused, Err(AuthorizeError::Credential(error)));
    }
}

#[test]
fn credentials_of_the_wrong_form_are_refused_by_name() {
    use CredentialError as E;
    const HEY: &[Prefix] = &[Prefix::any("hey_")];
    let long = "k".repeat(257);
    for (api, id, key, error) in [
        (Api::HEYMARKET, None, KEY, E::IdMissing),
        (Api::HEYMARKET, Some(""), KEY, E::IdMissing),
        (Api::HEYOO, Some(ID), "hey_4242zz", E::IdUnexpected),
        (Api::HEYMARKET, Some("a\"b"), KEY, E::IdCharacter { at: 1 }),
        (Api::HEYMARKET, Some("a\\b"), KEY, E::IdCharacter { at: 1 }),
        (Api::HEYMARKET, Some("ab\n"), KEY, E::IdCharacter { at: 2 }),
        (
            Api::HEYMARKET,
            Some(&long[..65]),
            KEY,
            E::IdTooLong { len: 65 },
        ),
        (
            Api::KEY_ID,
            Some("74f80a77-9b3f-44ac-b3ad-ab68cfb548f"),
            KEY,
            E::IdNotUuid,
        ),
        (
            Api::KEY_ID,
            Some("74f80a779-b3f-44ac-b3ad-ab68cfb548fa"),
            KEY,
            E::IdNotUuid,
        ),
        (
            Api::KEY_ID,
            Some("g4f80a77-9b3f-44ac-b3ad-ab68cfb548fa"),
            KEY,
            E::IdNotUuid,
        ),
        (Api::KEY_ID, Some(ID), &KEY[..31], E::WeakKey { len: 31 }),
        (Api::HEYOO, None, "", E::KeyMissing),
        (Api::HEYOO, None, "hey_4242zz\n", E::KeyCharacter { at: 10 }),
        (Api::HEYOO, None, "hey_4242 zz", E::KeyCharacter { at: 8 }),
        (Api::HEYOO, None, "hey_4242é", E::KeyCharacter { at: 8 }),
        (
            Api::HEYOO,
            None,
            "sk_live_abc123",
            E::KeyPrefix { expected: HEY },
        ),
        (
            Api::HEYOO,
            None,
            "HEY_4242zz",
            E::KeyPrefix { expected: HEY },
        ),
        (
            Api::HEYOO,
            None,
            "hey_4242z",
            E::KeyTooShort { len: 9, needed: 10 },
        ),
        (Api::KEY_ID_STATIC, None, &long, E::KeyTooLong { len: 257 }),
        (Api::HEYMARKET_BASIC, None, "user:password", E::KeyColon),
        (Api::HOOKMESH, None, "sk_test_abc123", E::TestKey),
    ] {
        let refused = Credential::new(&api, id, key, Policy::FIELD).map(drop);
        assert_eq!(refused, Err(error), "{} {id:?} {key}", api.name);
    }
}

#[test]
fn each_build_accepts_its_own_keys_unless_told_otherwise() {
    let accepts = |key, policy| Credential::new(&Api::HOOKMESH, None, key, policy).map(drop);
    let (live, test) = ("sk_live_abc123", "sk_test_abc123");
    assert_eq!(accepts(live, Policy::FIELD), Ok(()));
    assert_eq!(accepts(test, Policy::FIELD), Err(CredentialError::TestKey));
    assert_eq!(accepts(live, Policy::TEST), Err(CredentialError::LiveKey));
    assert_eq!(accepts(test, Policy::TEST), Ok(()));
    assert_eq!(
        accepts(
            test,
            Policy {
                test_keys: true,
                ..Policy::FIELD
            }
        ),
        Ok(())
    );
    assert_eq!(
        accepts(
            live,
            Policy {
                live_keys: true,
                ..Policy::TEST
            }
        ),
        Ok(())
    );
    // Keys that don't tell what they are for are accepted by both.
    assert!(Credential::new(&Api::HEYOO, None, "hey_4242zz", Policy::TEST).is_ok());
}

#[test]
fn a_weak_key_signs_when_told_so() {
    let weak = Policy {
        weak_keys: true,
        ..Policy::FIELD
    };
    let credential = Credential::new(&Api::KEY_ID, Some(ID), "only16characters", weak).unwrap();
    let mut authorizer = Authorizer::<_, 256>::new(&credential).unwrap();
    decode(
        authorizer.authorize(at(NOW)).unwrap().value(),
        "only16characters",
    );
}

#[test]
fn the_widest_credential_is_taken() {
    let (id, key) = ("i".repeat(64), "k".repeat(256));
    assert_eq!(
        value(&Api::HEYMARKET_BASIC, None, &key).len(),
        Scheme::Basic.value_len(0, 256)
    );
    let value = value(&Api::HEYMARKET, Some(&id), &key);
    assert_eq!(decode(&value, &format!("{id}||{key}")).1["iss"], id);
}

fn any_api() -> impl Strategy<Value = Api> {
    prop::sample::select(Api::ALL)
}

/// A credential that the API takes.
fn good(api: &Api) -> impl Strategy<Value = (Option<String>, String)> + use<> {
    let id = match (api.scheme.is_token(), api.id == Api::KEY_ID.id) {
        (false, _) => Just(None).boxed(),
        (true, true) => "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
            .prop_map(Some)
            .boxed(),
        (true, false) => r"[!-~&&[^\x22\\]]{1,64}".prop_map(Some).boxed(),
    };
    let prefix = api.key.prefixes.first().map_or("", |prefix| prefix.text);
    let key = "[!-~&&[^:]]{32,200}".prop_map(move |key| format!("{prefix}{key}"));
    (id, key)
}

proptest! {
    /// The stated length is the length, and nothing in the value could end a header line.
    #[test]
    fn values_have_the_stated_length_and_no_control(
        (api, (id, key)) in any_api().prop_flat_map(|api| (Just(api), good(&api))),
        now in NOW..NOW + 1_500_000_000,
    ) {
        let credential = Credential::new(&api, id.as_deref(), &key, Policy::FIELD).unwrap();
        let mut authorizer = Authorizer::<_, 512>::new(&credential).unwrap();
        let authorization = authorizer.authorize(at(now)).unwrap();
        let value = authorization.value();
        let id_len = id.as_deref().map_or(0, str::len);
        prop_assert_eq!(value.len(), api.scheme.value_len(id_len, key.len()));
        prop_assert_eq!(authorization.line_len(), api.scheme.line_len(id_len, key.len()));
        prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        match api.scheme {
            Scheme::IssIat => {
                let id = id.unwrap();
                prop_assert_eq!(&decode(value, &format!("{id}||{key}")).1["iss"], &id);
            }
            Scheme::KidExp => prop_assert_eq!(decode(value, &key).0, id),
            Scheme::Bearer => prop_assert_eq!(value, format!("Bearer {key}")),
            Scheme::Raw => prop_assert_eq!(value, key),
            Scheme::Basic => {
                let pair = BASE64_STANDARD.encode(format!("{key}:"));
                prop_assert_eq!(value, format!("Basic {pair}"));
            }
        }
    }

    /// Whatever is pasted, what is accepted has no control, and what is refused isn't shown.
    #[test]
    fn hostile_credentials_are_refused_or_harmless_and_never_shown(
        api in any_api(),
        id in prop::option::of("\\PC{0,40}|.{0,40}"),
        prefix in prop::sample::select(vec!["", "hey_", "sk_live_", "sk_test_"]),
        rest in "[ -~\r\n\u{e9}]{0,60}|[!-~]{8,60}",
    ) {
        let key = format!("{prefix}{rest}");
        match Credential::new(&api, id.as_deref(), &key, Policy::FIELD) {
            Ok(credential) => {
                let shown = format!("{credential:?}");
                prop_assert!(!shown.contains(&key));
                let mut authorizer = Authorizer::<_, 512>::new(&credential).unwrap();
                let shown = format!("{authorizer:?}");
                prop_assert!(!shown.contains(&key));
                let authorization = authorizer.authorize(at(NOW)).unwrap();
                prop_assert_eq!(format!("{authorization:?}"), "Authorization(..)");
                let value = authorization.value();
                prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            }
            Err(error) if rest.len() >= 8 => {
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains(&rest));
            }
            Err(_) => {}
        }
    }
}
