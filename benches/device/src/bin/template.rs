//! Signs as firmware should: everything that stays the same is prepared once.
#![no_std]
#![no_main]

use device::{ID_LEN, Outside, TOKEN_LEN, entry, halt};
use jwt_core::{Claims, Header, HmacKey, Template, Times, template_len};

const HEADER: Header = Header::new();
/// Length of `{"iss":"…"}` in bytes.
const CLAIMS_LEN: usize = r#"{"iss":""}"#.len() + ID_LEN;
const LEN: usize = template_len(HEADER.len(), CLAIMS_LEN);

#[entry]
fn main() -> ! {
    let mut outside = Outside::begin();
    let mut buffer = [0; TOKEN_LEN];
    let (id, key) = outside.credential();
    let claims = Claims {
        iss: Some(id),
        ..Claims::NONE
    };
    if let Ok(key) = HmacKey::from_parts(&[id.as_bytes(), b"||", key.as_bytes()])
        && let Ok(mut template) = Template::<_, LEN>::new(&key, &HEADER, &claims)
    {
        while let Ok(token) = template.sign(&Times::iat(outside.now()), &mut buffer) {
            outside.send(token);
        }
    }
    halt()
}
