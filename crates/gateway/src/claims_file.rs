//! The claims that a person has written: signed as they are, or not at all.

use std::io::Read;
use std::path::Path;
use std::{fmt, fs};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::exit::Failure;

/// Most bytes of the claims: what a token of the longest readable length holds.
pub const MAX_LEN: usize = 12 * 1024;

/// The whole numbers up to 2^53, beyond which a floating-point number loses digits (RFC 8259 section 6).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a JSON object from a file, or from standard input if that is `-`.
///
/// # Errors
/// It can't be read, is too long, is no JSON object, has a name twice or a number that can't be kept.
pub fn read(path: &Path) -> Result<Map<String, Value>, Failure> {
    let limit = MAX_LEN as u64 + 1;
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin()
            .lock()
            .take(limit)
            .read_to_string(&mut text),
        _ => fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)),
    };
    let name = path.display();
    let length = read
        .map_err(|error| Failure::usage(format_args!("can't read claims from {name}: {error}")))?;
    if length > MAX_LEN {
        return Err(Failure::usage(format_args!(
            "the claims in {name} have more than {MAX_LEN} bytes: a token can't hold them"
        )));
    }
    let Claims(claims) = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format_args!(
            "the claims in {name} are not a JSON object: {error}"
        ))
    })?;
    if !claims.values().all(is_kept) {
        return Err(Failure::usage(format_args!(
            "the claims in {name} have a number with more digits than JSON readers keep: give it as text"
        )));
    }
    Ok(claims)
}

/// Whether a value is the one that was written: a number that no integer type holds is kept in part.
fn is_kept(value: &Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().is_some_and(|number| number.abs() < EXACT)
        }
        Value::Array(values) => values.iter().all(is_kept),
        Value::Object(members) => members.values().all(is_kept),
        _ => true,
    }
}

/// An object no name of which stands twice (RFC 7519 section 4).
struct Claims(Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
        let mut claims = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if claims.contains_key(&name) {
                return Err(A::Error::custom(format_args!("{name:?} stands twice")));
            }
            claims.insert(name, value);
        }
        Ok(Claims(claims))
    }
}
