//! Phone numbers as the APIs take them: the digits of an international number without `+`.
//!
//! ITU-T E.164 section 6.2.1: 15 digits at the most, the country code first, and no country code
//! starts with 0. It names no least length; 7 is that of the shortest numbers in use (Niue: 683 and
//! 4 digits).

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits of the shortest number.
pub const MIN_DIGITS: usize = 7;

/// Digits of the longest number.
pub const MAX_DIGITS: usize = 15;

/// An international phone number: country code and national number.
///
/// ```
/// use sms_alert::{PhoneError, PhoneNumber};
///
/// assert_eq!(PhoneNumber::new("15551234567")?.as_str(), "15551234567");
/// assert_eq!(PhoneNumber::new("+15551234567"), Err(PhoneError::NotDigits));
/// # Ok::<(), PhoneError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhoneNumber {
    digits: [u8; MAX_DIGITS],
    length: u8,
}

impl PhoneNumber {
    /// Checks a number.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn new(text: &str) -> Result<Self, PhoneError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError::NotDigits);
        }
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&text.len()) {
            return Err(PhoneError::Length(text.len()));
        }
        if text.starts_with('0') {
            return Err(PhoneError::LeadingZero);
        }
        let mut digits = [0; MAX_DIGITS];
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte;
        }
        Ok(Self {
            digits,
            length: text.len() as u8,
        })
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        let digits = self.digits.get(..usize::from(self.length));
        // All of them are ASCII digits, as `new` has checked.
        core::str::from_utf8(digits.unwrap_or_default()).unwrap_or_default()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// With a `+`, as people write it.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.as_str())
    }
}

impl Serialize for PhoneNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(<&str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Says which rule of E.164 a text breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneError {
    /// It holds something else than digits.
    NotDigits,
    /// It has too few or too many digits; this is their number.
    Length(usize),
    /// It starts with 0, as national and `00` notations do.
    LeadingZero,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDigits => f.write_str(
                "a phone number should be digits only, country code first: \
                 15551234567, without +, spaces or dashes",
            ),
            Self::Length(length) => write!(
                f,
                "a phone number should have {MIN_DIGITS} to {MAX_DIGITS} digits with its \
                 country code; this one has {length}"
            ),
            Self::LeadingZero => f.write_str(
                "a phone number should start with its country code, which is never 0: \
                 write 441632960000, not 01632960000 or 00441632960000",
            ),
        }
    }
}

impl core::error::Error for PhoneError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_error() {
        for (text, error) in [
            ("", PhoneError::Length(0)),
            ("683400", PhoneError::Length(6)),
            ("1234567890123456", PhoneError::Length(16)),
            ("01632960000", PhoneError::LeadingZero),
            ("+15551234567", PhoneError::NotDigits),
            ("1 555 1234567", PhoneError::NotDigits),
            ("1555123456\u{0667}", PhoneError::NotDigits),
        ] {
            assert_eq!(PhoneNumber::new(text), Err(error), "{text:?}");
        }
        for text in ["6834000", "123456789012345"] {
            assert_eq!(PhoneNumber::new(text).unwrap().as_str(), text);
        }
    }
}
