//! A request as the API handlers see it, and the reply that they give back.

use base64ct::{Base64, Encoding};
use serde_json::Value;

/// A parsed request: header names are lower case, the body is whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path without the API's base path and without the query.
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What an `Authorization` header holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Authorization<'a> {
    /// None was sent, or it was empty.
    Missing,
    /// `Bearer TOKEN`.
    Bearer(&'a str),
    /// `Basic base64(USER:PASSWORD)`.
    Basic { user: String, password: String },
    /// Anything else: a bare value, an unknown scheme, Basic that does not decode.
    Raw(&'a str),
}

impl Request {
    /// The credential that was presented; scheme names are matched in any case, as RFC 9110 section 11.1 says.
    pub(crate) fn credential(&self) -> Authorization<'_> {
        let value = self.authorization.as_deref().unwrap_or("").trim();
        if value.is_empty() {
            return Authorization::Missing;
        }
        match value.split_once(' ') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
                Authorization::Bearer(rest.trim_start())
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
                basic(rest.trim_start()).unwrap_or(Authorization::Raw(value))
            }
            _ => Authorization::Raw(value),
        }
    }

    /// The body as JSON, if it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

fn basic(encoded: &str) -> Option<Authorization<'static>> {
    let text = String::from_utf8(Base64::decode_vec(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Authorization::Basic {
        user: user.into(),
        password: password.into(),
    })
}

/// A reply before it is framed: status, extra headers, and a body that is JSON text or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".into())],
            body: body.to_string(),
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(value: &str) -> Request {
        Request {
            method: "GET".into(),
            path: "/".into(),
            authorization: Some(value.into()),
            body: Vec::new(),
        }
    }

    #[test]
    fn schemes() {
        assert_eq!(
            credential("Bearer abc").credential(),
            Authorization::Bearer("abc")
        );
        assert_eq!(
            credential("bearer  abc").credential(),
            Authorization::Bearer("abc")
        );
        assert_eq!(credential("abc").credential(), Authorization::Raw("abc"));
        assert_eq!(credential(" ").credential(), Authorization::Missing);
        // base64 of "KEY:", from RFC 7617's rule of an empty password.
        assert_eq!(
            credential("Basic S0VZOg==").credential(),
            Authorization::Basic {
                user: "KEY".into(),
                password: String::new()
            }
        );
        assert_eq!(
            credential("Basic ?").credential(),
            Authorization::Raw("Basic ?")
        );
    }
}
