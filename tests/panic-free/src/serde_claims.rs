//! Claims of `jwt-core` through `serde`: values of every kind that a serializer knows.

use core::fmt;
use core::hint::black_box;

use jwt_core::{Json, JsonError, write_object};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::display;
use crate::jwt_core::{Peripheral, sign_once};

#[derive(Serialize)]
struct Custom<'a> {
    text: &'a str,
    letter: char,
    small: i8,
    number: i64,
    large: u64,
    huge: u128,
    short: f32,
    long: f64,
    flag: Option<bool>,
    list: &'a [u32],
    tuple: (u8, ()),
    kinds: [Kind; 4],
    bytes: Bytes<'a>,
    shown: Shown<'a>,
    map: Members<'a>,
}

#[derive(Serialize)]
enum Kind {
    Unit,
    Newtype(u16),
    Tuple(i16, i32),
    Struct { member: Unit },
}

#[derive(Serialize)]
struct Unit;

struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, black_box(1))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Members<'a>(&'a [(&'a str, f64)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
            map.serialize_entry(&black_box(1), value)?;
        }
        map.end()
    }
}

#[inline(never)]
pub fn use_all() {
    let custom = Custom {
        text: black_box("text"),
        letter: black_box('é'),
        small: black_box(1),
        number: black_box(1),
        large: black_box(1),
        huge: black_box(1),
        short: black_box(1.5),
        long: black_box(1.5),
        flag: black_box(None),
        list: black_box(&[1, 2]),
        tuple: (black_box(1), ()),
        kinds: [
            Kind::Unit,
            Kind::Newtype(black_box(1)),
            Kind::Tuple(black_box(1), black_box(2)),
            Kind::Struct { member: Unit },
        ],
        bytes: Bytes(black_box(b"bytes")),
        shown: Shown(black_box("text")),
        map: Members(black_box(&[("name", 0.1)])),
    };
    let claims: Result<Json<512>, JsonError> = Json::new(&custom);
    match claims {
        Ok(json) => {
            black_box(json.as_str());
            sign_once(Peripheral, &json);
        }
        Err(error) => display::<JsonError>(&error),
    }
    let mut out = [0; 512];
    black_box(write_object(&custom, black_box(out.as_mut_slice())).is_ok());
}
