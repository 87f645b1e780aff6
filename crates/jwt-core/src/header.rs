//! The JOSE header of an HS256 token (RFC 7515 §4, RFC 7519 §5).

use crate::base64url::Writer;
use crate::json::{self, Sink};

/// The protected header: `alg` is always `HS256`, `kid` is optional, `typ` is `JWT`.
///
/// Members are emitted in that order, as in `{"alg":"HS256","typ":"JWT"}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    kid: Option<&'a str>,
}

impl<'a> Header<'a> {
    /// Returns `{"alg":"HS256","typ":"JWT"}`.
    pub const fn new() -> Self {
        Self { kid: None }
    }

    /// Returns the header with the key ID `kid` (RFC 7515 §4.1.4), any text, escaped as JSON wants.
    pub const fn with_kid(kid: &'a str) -> Self {
        Self { kid: Some(kid) }
    }

    /// Returns the length of the header's JSON in bytes, before base64url.
    #[allow(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub const fn len(&self) -> usize {
        let kid = match self.kid {
            Some(kid) => ",\"kid\":".len() + json::string_len(kid),
            None => 0,
        };
        "{\"alg\":\"HS256\",\"typ\":\"JWT\"}".len() + kid
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.write(b"{\"alg\":\"HS256\"");
        if let Some(kid) = self.kid {
            out.write(b",\"kid\":");
            json::write_string(out, kid);
        }
        out.write(b",\"typ\":\"JWT\"}");
    }
}
