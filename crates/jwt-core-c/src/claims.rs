//! What a token says, as C passes it.

use core::ffi::c_char;

use jwt_core::{Claims, Header, Times};

use crate::memory::{self, Output};
use crate::status::jwt_status;

/// A time that a token does not have.
pub const JWT_ABSENT: u64 = u64::MAX;

/// Bytes that are read.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_bytes {
    /// The first byte; may be null if there are none.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// Text that is read, in UTF-8, with or without a zero behind it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_text {
    /// The first byte; null for text that there is none of.
    pub data: *const c_char,
    /// How many bytes, a zero behind them not counted.
    pub len: usize,
}

/// What a token says besides its times: text without data is left out, so all zeros is nothing.
///
/// The header is `{"alg":"HS256","kid":"...","typ":"JWT"}`; the claims follow each other in the order of
/// the fields. Text is escaped as JSON wants it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_claims {
    /// Key ID, in the header.
    pub kid: jwt_text,
    /// Issuer.
    pub iss: jwt_text,
    /// Subject.
    pub sub: jwt_text,
    /// Audience, a single one.
    pub aud: jwt_text,
    /// Token ID.
    pub jti: jwt_text,
}

/// When a token is valid, in Unix seconds; `JWT_ABSENT` leaves a time out.
///
/// They follow the other claims, in the order of the fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jwt_times {
    /// The token is not accepted from this second on.
    pub exp: u64,
    /// The token is not accepted before.
    pub nbf: u64,
    /// When the token was issued.
    pub iat: u64,
}

impl jwt_text {
    /// Returns the text, `None` if there is none.
    ///
    /// # Safety
    /// The text's data is null, or points to as many bytes as it says, which nobody changes during `'a`.
    pub(crate) unsafe fn get<'a>(self) -> Result<Option<&'a str>, jwt_status> {
        if self.data.is_null() && self.len == 0 {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { memory::slice(self.data.cast::<u8>(), self.len) }?;
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(jwt_status::JWT_ERROR_NOT_UTF8),
        }
    }
}

impl jwt_claims {
    /// Returns the header and the claims.
    ///
    /// # Safety
    /// As [`jwt_text::get`], for each text.
    pub(crate) unsafe fn get<'a>(&self) -> Result<(Header<'a>, Claims<'a>), jwt_status> {
        // SAFETY: the caller's promise.
        let kid = unsafe { self.kid.get() }?;
        let claims = Claims {
            // SAFETY: the caller's promise.
            iss: unsafe { self.iss.get() }?,
            // SAFETY: the caller's promise.
            sub: unsafe { self.sub.get() }?,
            // SAFETY: the caller's promise.
            aud: unsafe { self.aud.get() }?,
            // SAFETY: the caller's promise.
            jti: unsafe { self.jti.get() }?,
        };
        Ok((kid.map_or(Header::new(), Header::with_kid), claims))
    }

    /// Refuses texts that overlap with what is written to.
    pub(crate) fn apart_from(&self, out: &Output) -> Result<(), jwt_status> {
        for text in [self.kid, self.iss, self.sub, self.aud, self.jti] {
            out.apart_from(text.data, text.len)?;
        }
        Ok(())
    }
}

impl From<jwt_times> for Times {
    fn from(times: jwt_times) -> Self {
        let time = |seconds: u64| (seconds != JWT_ABSENT).then_some(seconds);
        Self {
            exp: time(times.exp),
            nbf: time(times.nbf),
            iat: time(times.iat),
        }
    }
}
