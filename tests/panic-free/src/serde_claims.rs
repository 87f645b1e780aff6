//! Claims of `jwt-core` through `serde`: apart from the rest, because `serde-json-core` is in it.

use core::hint::black_box;

use jwt_core::{Json, JsonError};
use serde::Serialize;

use crate::display;
use crate::jwt_core::{Peripheral, sign_once};

#[derive(Serialize)]
struct Custom<'a> {
    text: &'a str,
    number: i64,
    list: &'a [u32],
    flag: Option<bool>,
}

#[inline(never)]
pub fn use_all() {
    let custom: Result<Json<128>, JsonError> = Json::new(&Custom {
        text: black_box("text"),
        number: black_box(1),
        list: black_box(&[1, 2]),
        flag: black_box(None),
    });
    match custom {
        Ok(json) => {
            black_box(json.as_str());
            sign_once(Peripheral, &json);
        }
        Err(error) => display::<JsonError>(&error),
    }
}
