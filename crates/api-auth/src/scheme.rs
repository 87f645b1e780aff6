//! The ways of authenticating that the APIs know, and how long each one's header gets.

use jwt_core::{Claims, Header, Times, token_len};

/// The latest second that the lengths below are computed for: ten digits, until the year 2286.
const LAST_TEN_DIGITS: u64 = 9_999_999_999;

/// `Authorization: `, in front of every value.
pub(crate) const FIELD: &str = "Authorization: ";

/// What an API wants behind `Authorization:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer` and an HS256 token of `iss` (the secret's ID) and `iat`, signed with `ID||KEY`.
    ///
    /// The server counts the token's lifetime from `iat`.
    IssIat,
    /// `Bearer` and an HS256 token of `exp`, with the key's ID as `kid` in the header.
    KidExp,
    /// `Bearer` and the key (RFC 6750 §2.1).
    Bearer,
    /// The key and nothing else.
    Raw,
    /// `Basic` with the key as user name and an empty password (RFC 7617 §2).
    Basic,
}

impl Scheme {
    /// Whether each value is a signed token, which takes a trusted clock and an ID beside the key.
    pub const fn is_token(self) -> bool {
        matches!(self, Self::IssIat | Self::KidExp)
    }

    /// Returns what precedes the key or token in the header's value.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::IssIat | Self::KidExp | Self::Bearer => "Bearer ",
            Self::Raw => "",
            Self::Basic => "Basic ",
        }
    }

    /// Returns the length in bytes of the header's value for an ID and a key of these lengths in bytes.
    ///
    /// Tokens have a fixed length until the year 2286, when seconds get an eleventh digit. The length
    /// of what a scheme doesn't use (the key of a token, the ID of any other) doesn't matter.
    ///
    /// ```
    /// use api_auth::Scheme;
    ///
    /// // "Bearer " and the 165 bytes of the token in Heymarket's documentation.
    /// const LEN: usize = Scheme::IssIat.value_len(36, 32);
    /// assert_eq!(LEN, 172);
    /// ```
    pub const fn value_len(self, id_len: usize, key_len: usize) -> usize {
        let credential_len = match self {
            Self::IssIat => {
                let claims = Claims {
                    iss: Some(""),
                    ..Claims::NONE
                };
                let payload_len = claims
                    .len(&Times::iat(LAST_TEN_DIGITS))
                    .saturating_add(id_len);
                token_len(Header::new().len(), payload_len)
            }
            Self::KidExp => {
                let header_len = Header::with_kid("").len().saturating_add(id_len);
                token_len(header_len, Claims::NONE.len(&Times::exp(LAST_TEN_DIGITS)))
            }
            Self::Bearer | Self::Raw => key_len,
            Self::Basic => basic_len(key_len),
        };
        self.prefix().len().saturating_add(credential_len)
    }

    /// Returns the length in bytes of the whole line, `Authorization: ` included, CRLF not.
    ///
    /// ```
    /// use api_auth::Scheme;
    ///
    /// assert_eq!(Scheme::IssIat.line_len(36, 32), 187);
    /// ```
    pub const fn line_len(self, id_len: usize, key_len: usize) -> usize {
        FIELD.len().saturating_add(self.value_len(id_len, key_len))
    }
}

/// Returns the length of the padded base64 of a key and a colon (RFC 4648 §4).
pub(crate) const fn basic_len(key_len: usize) -> usize {
    key_len.saturating_add(1).div_ceil(3).saturating_mul(4)
}
