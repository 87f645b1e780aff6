//! The payload of a token (RFC 7519 §4): constant claims first, times last.
//!
//! Times come last because they are what changes: everything before them can be encoded and
//! absorbed once, which is what a [`Template`](crate::Template) does.

use crate::base64url::Writer;
use crate::json::{self, Sink};

/// Most seconds that a time claim may have, 2^53 - 1: exact in every JSON reader (RFC 8259 §6).
pub const MAX_SECONDS: u64 = (1 << 53) - 1;

/// What a token states besides its times: [`Claims`], or [`Json`](crate::Json) for any others.
pub trait Payload: sealed::Payload {}

pub(crate) mod sealed {
    use super::Writer;

    /// A JSON object whose closing brace is yet to come.
    pub trait Payload {
        /// The length in bytes of the object with its closing brace.
        fn json_len(&self) -> usize;
        /// Writes the object up to its closing brace.
        fn write_open(&self, out: &mut Writer<'_>);
        /// Whether it has no member, so that a next one needs no comma.
        fn has_no_member(&self) -> bool;
    }
}

/// The registered claims that are text (RFC 7519 §4.1), emitted in the order of the fields.
///
/// ```
/// use jwt_core::{Claims, Times};
///
/// let claims = Claims { iss: Some("gateway 7"), ..Claims::NONE };
/// // {"iss":"gateway 7","iat":1713225600}
/// assert_eq!(claims.len(&Times::iat(1_713_225_600)), 36);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims<'a> {
    /// Issuer.
    pub iss: Option<&'a str>,
    /// Subject.
    pub sub: Option<&'a str>,
    /// Audience, a single one.
    pub aud: Option<&'a str>,
    /// Token ID.
    pub jti: Option<&'a str>,
}

impl Claims<'_> {
    /// No claim.
    pub const NONE: Self = Self {
        iss: None,
        sub: None,
        aud: None,
        jti: None,
    };

    /// Returns the length in bytes of the payload's JSON with `times`, before base64url.
    ///
    /// With [`MAX_SECONDS`] in the times it is the longest that the payload can get.
    #[allow(clippy::len_without_is_empty, reason = "the shortest payload is `{}`")]
    pub const fn len(&self, times: &Times) -> usize {
        self.object_len() + times.len(self.is_none())
    }

    const fn object_len(&self) -> usize {
        let members = member_len("iss", self.iss)
            + member_len("sub", self.sub)
            + member_len("aud", self.aud)
            + member_len("jti", self.jti);
        "{}".len() + members - if self.is_none() { 0 } else { ",".len() }
    }

    const fn is_none(&self) -> bool {
        matches!(
            self,
            Claims {
                iss: None,
                sub: None,
                aud: None,
                jti: None
            }
        )
    }
}

/// Returns the length of `"name":"value",`, 0 without a value.
const fn member_len(name: &str, value: Option<&str>) -> usize {
    match value {
        Some(value) => json::string_len(name) + json::string_len(value) + ":,".len(),
        None => 0,
    }
}

impl Payload for Claims<'_> {}

impl sealed::Payload for Claims<'_> {
    fn json_len(&self) -> usize {
        self.object_len()
    }

    fn write_open(&self, out: &mut Writer<'_>) {
        let mut separator: &[u8] = b"{\"";
        for (name, value) in [
            ("iss", self.iss),
            ("sub", self.sub),
            ("aud", self.aud),
            ("jti", self.jti),
        ] {
            if let Some(value) = value {
                out.write(separator);
                out.write(name.as_bytes());
                out.write(b"\":");
                json::write_string(out, value);
                separator = b",\"";
            }
        }
        if self.is_none() {
            out.write(b"{");
        }
    }

    fn has_no_member(&self) -> bool {
        self.is_none()
    }
}

/// The registered claims that are times (RFC 7519 §4.1.4 to §4.1.6), in Unix seconds.
///
/// They are emitted after all other claims, in the order of the fields, as whole numbers of at most
/// [`MAX_SECONDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Expiration time: the token is not accepted from this second on.
    pub exp: Option<u64>,
    /// Not before: the token is not accepted earlier.
    pub nbf: Option<u64>,
    /// Issued at.
    pub iat: Option<u64>,
}

impl Times {
    /// No time.
    pub const NONE: Self = Self {
        exp: None,
        nbf: None,
        iat: None,
    };

    /// Returns the time of issue alone, as Heymarket wants it.
    pub const fn iat(iat: u64) -> Self {
        Self {
            iat: Some(iat),
            ..Self::NONE
        }
    }

    /// Returns the time of expiry alone, the least that the Key-ID JWT API wants.
    pub const fn exp(exp: u64) -> Self {
        Self {
            exp: Some(exp),
            ..Self::NONE
        }
    }

    /// Returns the length of the members in bytes; the `first` of an object has no comma.
    pub(crate) const fn len(&self, first: bool) -> usize {
        let members =
            Self::member_len(self.exp) + Self::member_len(self.nbf) + Self::member_len(self.iat);
        members - if first && members > 0 { ",".len() } else { 0 }
    }

    const fn member_len(seconds: Option<u64>) -> usize {
        match seconds {
            Some(seconds) => ",\"exp\":".len() + json::digits_len(seconds),
            None => 0,
        }
    }

    /// Returns the first time that is larger than [`MAX_SECONDS`].
    pub(crate) fn out_of_range(&self) -> Option<u64> {
        [self.exp, self.nbf, self.iat]
            .into_iter()
            .flatten()
            .find(|seconds| *seconds > MAX_SECONDS)
    }
}
