//! Looks up members in any text; in what `serde_json` reads, they are the ones that it reads.
#![no_main]

use std::fmt;

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;
use sms_alert::{Value, find};

/// Levels of nesting that are followed.
const LEVELS: usize = 32;

fuzz_target!(|text: &str| {
    for path in [&[][..], &["id"], &["error", "message"], &["", "a", "b"]] {
        if let Some(Value::Text(text)) = find(text, path) {
            assert!(text.is(&text.chars().collect::<String>()));
        }
    }
    // What opens no more than that many levels is nested no deeper.
    let opened = text.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    if opened.count() > LEVELS {
        return;
    }
    let Ok(Members(members)) = serde_json::from_str(text) else {
        return;
    };
    for (at, (outer, value)) in members.iter().enumerate() {
        // Of equal names the first counts.
        if members[..at].iter().any(|(earlier, _)| earlier == outer) {
            continue;
        }
        let found = find(text, &[outer]).expect("a member that is there");
        same(found, value);
        if let (Json::Object(inner), Value::Object) = (value, found) {
            for name in inner.keys() {
                assert!(find(text, &[outer, name]).is_some());
            }
        }
    }
});

fn same(found: Value<'_>, expected: &Json) {
    match (found, expected) {
        (Value::Text(text), Json::String(string)) => assert!(text.is(string)),
        (Value::Number(digits), Json::Number(number)) => {
            assert_eq!(serde_json::from_str(digits).ok().as_ref(), Some(number));
            if let Some(integer) = found.integer() {
                assert_eq!(number.as_u64(), Some(integer));
            }
        }
        (Value::Bool(found), Json::Bool(bool)) => assert_eq!(found, *bool),
        (Value::Null, Json::Null)
        | (Value::Object, Json::Object(_))
        | (Value::Array, Json::Array(_)) => {}
        _ => panic!("{found:?} for {expected}"),
    }
}

/// The members of an object as they are written, also those with equal names.
struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
