//! HS256 JSON Web Tokens, signed and verified in fixed buffers that the caller owns.
//!
//! `no_std`, without a heap, without `unsafe`, and without a reachable panic: the project's tests
//! link it for Cortex-M0+ and RISC-V and look for panicking code in what is left.
//!
//! - [`HmacKey`] prepares a key once; a [`MacEngine`] may as well be a chip's peripheral.
//! - [`sign`] makes a token of a [`Header`], [`Claims`] (or [`Json`] of any shape) and [`Times`].
//! - [`write_object`] makes JSON of any `serde` value, for claims or for the body of a request.
//! - [`Template`] signs it again with new times at the cost of 3 SHA-256 compressions.
//! - [`token_len`] and its relatives are `const`, so that buffers are sized by the compiler.
//! - [`inspect`] reads a token without trusting it; [`verify`] checks its signature and times.
//!
//! The formats are those of RFC 7515 (JWS, compact serialization), RFC 7518 §3.2 (HS256) and RFC
//! 7519 (JWT), with the advice of RFC 8725.
#![no_std]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod base64url;
mod claims;
mod custom;
mod engine;
mod header;
mod inspect;
mod json;
mod json_error;
mod key;
mod object;
mod scan;
mod sha256;
mod sign;
mod template;
mod token;
mod verify;

pub use claims::{Claims, MAX_SECONDS, Payload, Times};
pub use custom::Json;
pub use engine::MacEngine;
pub use header::Header;
pub use inspect::{MAX_TOKEN_LEN, Part, TokenError, Unverified, inspect};
pub use json_error::JsonError;
pub use key::{HmacKey, KeyError, MIN_KEY_LEN, Midstate, PREPARED_LEN};
pub use object::write_object;
pub use sign::{
    BEARER_LINE_PREFIX, SIGNATURE_PART_LEN, SignError, bearer_line_len, sign, token_len,
};
pub use template::{Template, template_len};
pub use token::Token;
pub use verify::{TimeError, Validation, Verified, VerifyError, verify};
