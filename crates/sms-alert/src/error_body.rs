//! What an answer that is no success says, in the shapes of the four APIs.
//!
//! Hook Mesh: `{"error":{"code":…,"message":…,"retry_after":60}}`. Key-ID: `{"error":"…"}`. Heymarket
//! and Heyoo document no shape; Heyoo promises a text that names the missing permissions. So the
//! usual members are tried in turn, and a body that is no JSON is the message itself.

use heapless::String;

use crate::json::find;

/// Bytes of an error code that are kept.
pub const MAX_CODE_LEN: usize = 48;

/// Bytes of an error message that are kept.
pub const MAX_MESSAGE_LEN: usize = 256;

/// The code, the text and the hint of an error answer; each is empty or absent when the answer has
/// none. Control characters are replaced by spaces, so that both can be shown on a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorBody {
    /// A word for programs, such as `forbidden` or `bad_data`.
    pub code: String<MAX_CODE_LEN>,
    /// A text for the operator, such as the permissions that are missing.
    pub message: String<MAX_MESSAGE_LEN>,
    /// Seconds to wait.
    pub retry_after_secs: Option<u64>,
}

impl ErrorBody {
    /// Reads the body of an answer that is no success.
    ///
    /// ```
    /// use sms_alert::ErrorBody;
    ///
    /// let body = ErrorBody::read(r#"{"error":"jwt token is missing 'kid' header parameter"}"#);
    /// assert_eq!(body.message, "jwt token is missing 'kid' header parameter");
    /// ```
    pub fn read(body: &str) -> Self {
        let texts = |paths: &[&[&str]]| {
            let mut found = paths.iter().filter_map(|path| find(body, path)?.text());
            found.find(|text| text.chars().next().is_some())
        };
        let mut read = Self::default();
        if let Some(code) = texts(&[&["error", "code"], &["code"], &["error_code"]]) {
            keep(&mut read.code, code.chars());
        }
        if let Some(message) = texts(&[
            &["error", "message"],
            &["message"],
            &["error_description"],
            &["detail"],
            &["error"],
        ]) {
            keep(&mut read.message, message.chars());
        } else if read.code.is_empty() {
            keep(&mut read.message, body.trim().chars());
        }
        let hint = find(body, &["error", "retry_after"]).or_else(|| find(body, &["retry_after"]));
        read.retry_after_secs = hint.and_then(|value| value.integer());
        read
    }
}

fn keep<const N: usize>(kept: &mut String<N>, text: impl Iterator<Item = char>) {
    for char in text {
        let shown = if char.is_control() { ' ' } else { char };
        if kept.push(shown).is_err() {
            return;
        }
    }
}
