//! Signs without keeping anything from one token to the next.
#![no_std]
#![no_main]

use device::{Outside, entry, transmit_buffer};
use jwt_core::{Claims, Header, HmacKey, Times, sign};

#[entry]
fn main() -> ! {
    let mut outside = Outside::begin();
    let buffer = transmit_buffer();
    loop {
        let (id, key) = outside.credential();
        let claims = Claims {
            iss: Some(id),
            ..Claims::NONE
        };
        let now = Times::iat(outside.now());
        if let Ok(key) = HmacKey::from_parts(&[id.as_bytes(), b"||", key.as_bytes()])
            && let Ok(token) = sign(key, &Header::new(), &claims, &now, buffer)
        {
            outside.send(token);
        }
    }
}
