//! The caller's parts of a request head, checked once, so that no part can end its line and
//! start another: header injection is impossible by construction.
//!
//! Sources: RFC 9110 section 5.5 (field values), RFC 9110 section 7.2 and RFC 3986 section 3.2
//! (host and port), RFC 9112 section 3.2.1 and RFC 3986 section 3.3 (origin form).

use core::fmt;

/// Bytes of the longest host: a DNS name of 253 characters, `:` and a port of five digits.
pub const MAX_HOST_LEN: usize = 253 + 1 + 5;

/// A header field value: 1 or more visible ASCII characters, with single spaces inside.
///
/// `Debug` shows the length alone, for the value may be a credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderValue<'a>(&'a str);

impl<'a> HeaderValue<'a> {
    /// Checks a value.
    ///
    /// # Errors
    /// [`FieldError::Value`] when it is empty, starts or ends with a space, or holds anything
    /// but visible ASCII and spaces.
    pub const fn new(value: &'a str) -> Result<Self, FieldError> {
        let mut rest = value.as_bytes();
        let (Some(b'!'..=b'~'), Some(b'!'..=b'~')) = (rest.first(), rest.last()) else {
            return Err(FieldError::Value);
        };
        while let [byte, tail @ ..] = rest {
            if !matches!(byte, b' '..=b'~') {
                return Err(FieldError::Value);
            }
            rest = tail;
        }
        Ok(Self(value))
    }

    /// Returns the value as text.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for HeaderValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderValue({} bytes)", self.0.len())
    }
}

/// A host with an optional port: `api.heymarket.com`, `127.0.0.1:8080`, `[::1]:8080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    text: &'a str,
    name: &'a str,
    port: Option<u16>,
}

impl<'a> Host<'a> {
    /// Checks a host name, an IPv4 address or an IPv6 address in brackets, with `:port` or without.
    ///
    /// # Errors
    /// [`FieldError::Host`] when it is none of these or longer than 259 bytes.
    pub fn new(text: &'a str) -> Result<Self, FieldError> {
        let (name, rest) = match text.strip_prefix('[') {
            Some(inside) => inside.split_once([']']).ok_or(FieldError::Host)?,
            None => text
                .split_at_checked(text.find([':']).unwrap_or(text.len()))
                .ok_or(FieldError::Host)?,
        };
        let allowed = |byte: u8| match text.starts_with('[') {
            true => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
            false => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'),
        };
        if name.is_empty() || text.len() > MAX_HOST_LEN || !name.bytes().all(allowed) {
            return Err(FieldError::Host);
        }
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(port(digits)?),
            None if rest.is_empty() => None,
            None => return Err(FieldError::Host),
        };
        Ok(Self { text, name, port })
    }

    /// Returns the whole as it stands in the `Host` field.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Returns the name or the address to connect to, without brackets and port.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the port, when one is named.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

fn port(digits: &str) -> Result<u16, FieldError> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FieldError::Host);
    }
    digits.parse().map_err(|_| FieldError::Host)
}

/// A request target in origin form: a base, a path, and perhaps one more segment, the name of a
/// resource that came from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    path: &'a str,
    segment: &'a str,
}

impl<'a> Target<'a> {
    /// Checks a path with an optional query: `/v1/inboxes`, `/v1/api-keys?limit=5`.
    ///
    /// # Errors
    /// [`FieldError::Target`] when it does not start with `/` or holds a character that RFC 3986
    /// does not allow in a path or a query.
    pub const fn new(path: &'a str) -> Result<Self, FieldError> {
        let mut rest = path.as_bytes();
        if !matches!(rest.first(), Some(b'/')) {
            return Err(FieldError::Target);
        }
        while let [byte, tail @ ..] = rest {
            let allowed = is_unreserved(*byte)
                || matches!(
                    byte,
                    b'/' | b'?' | b':' | b'@' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')'
                )
                || matches!(byte, b'*' | b'+' | b',' | b';' | b'=');
            if !allowed {
                return Err(FieldError::Target);
            }
            rest = tail;
        }
        Ok(Self { path, segment: "" })
    }

    /// Appends `/` and one segment, such as the identifier of the key to revoke.
    ///
    /// # Errors
    /// [`FieldError::Segment`] when the segment is empty, `.` or `..`, or holds anything but
    /// letters, digits, `-`, `.`, `_` and `~`, so that it can name one resource and no other.
    pub const fn with_segment(self, segment: &'a str) -> Result<Self, FieldError> {
        let mut rest = segment.as_bytes();
        if matches!(rest, [] | [b'.'] | [b'.', b'.']) {
            return Err(FieldError::Segment);
        }
        while let [byte, tail @ ..] = rest {
            if !is_unreserved(*byte) {
                return Err(FieldError::Segment);
            }
            rest = tail;
        }
        Ok(Self {
            path: self.path,
            segment,
        })
    }

    /// Returns the pieces that follow one another in the request line.
    pub(crate) const fn pieces(&self) -> [&'a str; 3] {
        let slash = if self.segment.is_empty() { "" } else { "/" };
        [self.path, slash, self.segment]
    }
}

/// RFC 3986 section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Says what a part of a request head should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldError {
    /// A header value is not printable ASCII.
    Value,
    /// A host is not a name or an address with an optional port.
    Host,
    /// A target is not an absolute path.
    Target,
    /// A path segment is not a plain identifier.
    Segment,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "a header value should be printable ASCII without spaces at its ends",
            Self::Host => "a host should look like api.heymarket.com, 127.0.0.1:8080 or [::1]:8080",
            Self::Target => "a path should start with / and hold URL characters only",
            Self::Segment => "an identifier in a path should hold letters, digits, - . _ ~ only",
        })
    }
}

impl core::error::Error for FieldError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_end_a_line() {
        for bad in ["a\r\nX: y", "a\n", "\r", "", " a", "a ", "a\0", "é", "a\tb"] {
            assert_eq!(HeaderValue::new(bad), Err(FieldError::Value), "{bad:?}");
        }
        for bad in ["/a b", "/a\r\n", "a", "", "/é", "/a#b", "/\u{7f}"] {
            assert_eq!(Target::new(bad), Err(FieldError::Target), "{bad:?}");
        }
        let keys = Target::new("/v1/api-keys").unwrap();
        for bad in ["", ".", "..", "a/b", "a?b", "a%2e", "a b"] {
            assert_eq!(keys.with_segment(bad), Err(FieldError::Segment), "{bad:?}");
        }
    }

    #[test]
    fn a_host_falls_into_name_and_port() {
        for (text, name, port) in [
            ("api.heymarket.com", "api.heymarket.com", None),
            ("127.0.0.1:8080", "127.0.0.1", Some(8080)),
            ("[::1]:443", "::1", Some(443)),
            ("[fe80::1]", "fe80::1", None),
        ] {
            let host = Host::new(text).unwrap();
            assert_eq!(
                (host.name(), host.port(), host.as_str()),
                (name, port, text)
            );
        }
        for bad in [
            "", ":80", "a:", "a:+1", "a:65536", "a:b", "a/b", "a b", "[::1", "[]", "[::1]x", "a@b",
            "a\r\n", "::1",
        ] {
            assert_eq!(Host::new(bad), Err(FieldError::Host), "{bad:?}");
        }
    }
}
