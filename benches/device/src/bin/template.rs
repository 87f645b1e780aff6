//! Signs as firmware should: everything that stays the same is prepared once.
#![no_std]
#![no_main]

use device::{ID_LEN, Outside, entry, halt, transmit_buffer};
use jwt_core::{Claims, Header, HmacKey, Template, Times, template_len};

const HEADER: Header = Header::new();
/// Length of `{"iss":"…"}` in bytes.
const CLAIMS_LEN: usize = r#"{"iss":""}"#.len() + ID_LEN;
const LEN: usize = template_len(HEADER.len(), CLAIMS_LEN);

#[entry]
fn main() -> ! {
    let mut outside = Outside::begin();
    let buffer = transmit_buffer();
    let (id, key) = outside.credential();
    let claims = Claims {
        iss: Some(id),
        ..Claims::NONE
    };
    // Matched by reference: a match by value moves what it finds to another place on the stack.
    let key = HmacKey::from_parts(&[id.as_bytes(), b"||", key.as_bytes()]);
    if let Ok(key) = &key
        && let Ok(template) = &mut Template::<_, LEN>::new(key, &HEADER, &claims)
    {
        while let Ok(token) = template.sign(&Times::iat(outside.now()), buffer) {
            outside.send(token);
        }
    }
    halt()
}
