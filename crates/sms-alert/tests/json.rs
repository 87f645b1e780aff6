//! The look-up in JSON beside serde_json, and on texts that are cut off or no JSON at all.

use proptest::prelude::*;
use serde_json::Value as Json;
use sms_alert::{ErrorBody, Value, find};

fn json() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        proptest::sample::select(vec!["error", "code", "", "\"\\\n\u{1}", "🚨é", "1"])
            .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|members| { Json::Object(members.into_iter().collect()) }),
        ]
    })
}

/// Few enough that paths often lead somewhere.
fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["error", "code", "a", "ä\"\\", ""]).prop_map(str::to_owned)
}

fn same(found: Option<Value<'_>>, expected: Option<&Json>) -> bool {
    match (found, expected) {
        (None, None)
        | (Some(Value::Null), Some(Json::Null))
        | (Some(Value::Array), Some(Json::Array(_)))
        | (Some(Value::Object), Some(Json::Object(_))) => true,
        (Some(Value::Bool(found)), Some(Json::Bool(expected))) => found == *expected,
        (Some(Value::Number(found)), Some(Json::Number(expected))) => found == expected.to_string(),
        (Some(Value::Text(found)), Some(Json::String(expected))) => {
            found.is(expected) && found.chars().collect::<String>() == *expected
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn finds_what_serde_json_finds(
        json in json(),
        path in prop::collection::vec(name(), 0..4),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let expected = path.iter().try_fold(&json, |value, name| value.get(name));
        prop_assert!(same(find(&text, &path), expected), "{text} {path:?}: {:?}", find(&text, &path));
    }

    #[test]
    fn a_cut_hides_a_value_or_leaves_it(
        json in json(),
        path in prop::collection::vec(name(), 1..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = serde_json::to_string(&json).unwrap();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let cut = text.floor_char_boundary(cut.index(text.len() + 1));
        let part = find(&text[..cut], &path);
        prop_assert!(part.is_none() || part == find(&text, &path));
    }

    #[test]
    fn any_text_is_survived(text in any::<String>(), bytes in "[\\[\\]{}:,\"\\\\ue0-9dD8 ]{0,80}") {
        for text in [text, bytes] {
            find(&text, &["error", "code"]);
            let body = ErrorBody::read(&text);
            prop_assert!(!body.message.chars().chain(body.code.chars()).any(char::is_control));
        }
    }
}

#[test]
fn escapes_are_resolved_as_rfc_8259_has_them() {
    // The G clef of RFC 8259 section 7.
    for (text, expected) in [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\uD834\uDD1E!""#, "\u{1D11E}!"),
        (r#""\ud834""#, "\u{fffd}"),
        (r#""\udd1e\ud834""#, "\u{fffd}\u{fffd}"),
        (r#""\ud834\u0041""#, "\u{fffd}A"),
        (r#""\u00e9\u20AC""#, "é€"),
    ] {
        let found: String = find(text, &[]).unwrap().text().unwrap().chars().collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn nesting_has_an_end_and_costs_no_stack() {
    let nested = |levels: usize| {
        format!(
            "{{\"deep\":{},\"id\":7}}",
            "[".repeat(levels) + &"]".repeat(levels)
        )
    };
    assert_eq!(find(&nested(31), &["id"]), Some(Value::Number("7")));
    assert_eq!(find(&nested(32), &["id"]), None);
    assert_eq!(find(&nested(1_000_000), &["id"]), None);
}

#[test]
fn no_json_is_no_answer() {
    for text in [
        "",
        "{",
        "}",
        "{]",
        "[}",
        "{,}",
        "{\"id\"}",
        "{\"id\" 7}",
        "{\"id\":}",
        "{7:7,\"id\":7}",
        "{\"a\":1 \"id\":7}",
        "{\"a\":01,\"id\":7}",
        "{\"a\":1.,\"id\":7}",
        "{\"a\":+1,\"id\":7}",
        "{\"a\":nul,\"id\":7}",
        "{\"a\":\"\n\",\"id\":7}",
        "[{\"id\":7}]",
        "7",
        "{\"id\":7",
        "{\"id\":12",
    ] {
        assert_eq!(find(text, &["id"]), None, "{text:?}");
    }
}

#[test]
fn error_bodies_of_the_four_apis() {
    let read = |text: &str| {
        let body = ErrorBody::read(text);
        (
            body.code.to_string(),
            body.message.to_string(),
            body.retry_after_secs,
        )
    };
    let expect = |code: &str, message: &str, hint| (code.to_owned(), message.to_owned(), hint);
    // Hook Mesh, as its documentation prints it.
    assert_eq!(
        read(
            "{\n  \"error\": {\n    \"code\": \"rate_limit_exceeded\",\n    \"message\": \"Rate limit exceeded. Retry after 60 seconds.\",\n    \"retry_after\": 60\n  }\n}"
        ),
        expect(
            "rate_limit_exceeded",
            "Rate limit exceeded. Retry after 60 seconds.",
            Some(60)
        )
    );
    // Key-ID.
    assert_eq!(
        read(r#"{"error":"jwt token is missing 'kid' header parameter"}"#),
        expect("", "jwt token is missing 'kid' header parameter", None)
    );
    // Heymarket and Heyoo state no shape: the usual ones.
    assert_eq!(
        read(r#"{"code":"bad_data","message":"inbox_id"}"#),
        expect("bad_data", "inbox_id", None)
    );
    assert_eq!(
        read(r#"{"message":"needs campaigns.read"}"#),
        expect("", "needs campaigns.read", None)
    );
    assert_eq!(read("bad_data\n"), expect("", "bad_data", None));
    assert_eq!(
        read("<h1>\u{1b}[31mBad Gateway</h1>"),
        expect("", "<h1> [31mBad Gateway</h1>", None)
    );
    assert_eq!(read(""), expect("", "", None));
}
