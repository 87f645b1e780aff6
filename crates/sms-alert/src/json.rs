//! Looks up one value in a JSON text (RFC 8259) that may be cut off or hostile.
//!
//! An answer longer than its buffer is still searched as far as it was kept, and nesting costs one
//! bit a level, not a stack frame: both are why this is not a deserialiser.

use core::str::Chars;

/// Levels of nesting that are followed; a value below them is not found.
pub const MAX_DEPTH: u32 = u32::BITS;

/// A value that [`find`] has come upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(Text<'a>),
    /// A number, as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// An object.
    Object,
    /// An array.
    Array,
}

impl<'a> Value<'a> {
    /// Returns the string, when it is one.
    pub const fn text(self) -> Option<Text<'a>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a whole number without sign, also when it is written as a string.
    pub fn integer(self) -> Option<u64> {
        let (Self::Number(digits) | Self::Text(Text(digits))) = self else {
            return None;
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }
}

/// A JSON string as it is written between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// Returns the characters with escapes resolved; a broken escape becomes U+FFFD.
    pub fn chars(self) -> impl Iterator<Item = char> + use<'a> {
        let mut rest = self.0.chars();
        core::iter::from_fn(move || match rest.next()? {
            '\\' => Some(unescape(&mut rest)),
            plain => Some(plain),
        })
    }

    /// Says whether the string, with escapes resolved, is `other`.
    pub fn is(self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

fn unescape(rest: &mut Chars<'_>) -> char {
    match rest.next() {
        Some(plain @ ('"' | '\\' | '/')) => plain,
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => utf16(rest).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// Reads the digits of `\uXXXX` and, after a high surrogate, the whole of its partner.
fn utf16(rest: &mut Chars<'_>) -> Option<char> {
    let first = hex4(rest)?;
    let mut ahead = rest.clone();
    if let 0xD800..0xDC00 = first
        && (ahead.next(), ahead.next()) == (Some('\\'), Some('u'))
        && let Some(second @ 0xDC00..0xE000) = hex4(&mut ahead)
    {
        *rest = ahead;
        return char::decode_utf16([first, second]).next()?.ok();
    }
    char::from_u32(first.into())
}

fn hex4(rest: &mut Chars<'_>) -> Option<u16> {
    let mut value = 0_u16;
    for _ in 0..4 {
        let digit = rest.clone().next()?.to_digit(16)?;
        rest.next();
        value = (value << 4) | digit as u16;
    }
    Some(value)
}

/// Finds the value under the member names `path`, from the outermost object inwards.
///
/// Of members with equal names the first counts. What follows the value is not looked at, so that
/// a text cut off behind it still answers.
///
/// ```
/// use sms_alert::{Value, find};
///
/// let cut = r#"{"error":{"code":"forbidden","retry_after":60},"details":[{"fie"#;
/// assert_eq!(find(cut, &["error", "retry_after"]), Some(Value::Number("60")));
/// assert_eq!(find(cut, &["details"]), Some(Value::Array));
/// assert_eq!(find(cut, &["message"]), None);
/// ```
pub fn find<'a>(json: &'a str, path: &[&str]) -> Option<Value<'a>> {
    let mut scanner = Scanner {
        rest: json,
        objects: 0,
        depth: 0,
    };
    let mut names = path.iter();
    let mut wanted = true;
    // The depth of the object whose members are compared with the next name.
    let mut searched = 0;
    let mut name = None;
    let mut expect = Expect::Value;
    loop {
        let token = scanner.next()?;
        expect = match (expect, token) {
            (Expect::Value | Expect::ValueOrEnd, Token::Value(value)) => {
                if wanted {
                    name = names.next();
                    match (name, value) {
                        (None, value) => return Some(value),
                        (Some(_), Value::Object) => searched = scanner.depth,
                        (Some(_), _) => return None,
                    }
                    wanted = false;
                }
                match value {
                    Value::Object => Expect::NameOrEnd,
                    Value::Array => Expect::ValueOrEnd,
                    _ => Expect::CommaOrEnd,
                }
            }
            (Expect::Name | Expect::NameOrEnd, Token::Value(Value::Text(text))) => {
                wanted = scanner.depth == searched && name.is_some_and(|name| text.is(name));
                Expect::Colon
            }
            (Expect::Colon, Token::Colon) => Expect::Value,
            (Expect::CommaOrEnd, Token::Comma) if scanner.in_object() => Expect::Name,
            (Expect::CommaOrEnd, Token::Comma) if scanner.depth > 0 => Expect::Value,
            (Expect::CommaOrEnd | Expect::NameOrEnd, Token::ObjectEnd) => scanner.close(true)?,
            (Expect::CommaOrEnd | Expect::ValueOrEnd, Token::ArrayEnd) => scanner.close(false)?,
            _ => return None,
        };
        if scanner.depth < searched || scanner.depth == 0 {
            return None;
        }
    }
}

#[derive(Clone, Copy)]
enum Expect {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    CommaOrEnd,
}

enum Token<'a> {
    Value(Value<'a>),
    ObjectEnd,
    ArrayEnd,
    Colon,
    Comma,
}

struct Scanner<'a> {
    rest: &'a str,
    /// One bit a level, the innermost lowest: 1 for an object, 0 for an array.
    objects: u32,
    depth: u32,
}

impl<'a> Scanner<'a> {
    const fn in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    fn open(&mut self, object: bool) -> Option<()> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth = self.depth.saturating_add(1);
        self.objects = (self.objects << 1) | u32::from(object);
        Some(())
    }

    fn close(&mut self, object: bool) -> Option<Expect> {
        if self.depth == 0 || self.in_object() != object {
            return None;
        }
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
        Some(Expect::CommaOrEnd)
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let mut chars = text.chars();
        let first = chars.next()?;
        self.rest = chars.as_str();
        Some(match first {
            '{' => {
                self.open(true)?;
                Token::Value(Value::Object)
            }
            '[' => {
                self.open(false)?;
                Token::Value(Value::Array)
            }
            '}' => Token::ObjectEnd,
            ']' => Token::ArrayEnd,
            ':' => Token::Colon,
            ',' => Token::Comma,
            '"' => Token::Value(Value::Text(self.string()?)),
            _ => Token::Value(self.word(text)?),
        })
    }

    /// Reads up to the closing quote; the opening one is read.
    fn string(&mut self) -> Option<Text<'a>> {
        let start = self.rest;
        let mut escaped = false;
        for (at, char) in start.char_indices() {
            match char {
                '\0'..' ' => return None,
                '"' if !escaped => {
                    let (text, rest) = start.split_at_checked(at)?;
                    self.rest = rest.get(1..)?;
                    return Some(Text(text));
                }
                _ => escaped = char == '\\' && !escaped,
            }
        }
        None
    }

    /// Reads a number or a literal at the start of `text`. One that the text's end cuts off is none.
    fn word(&mut self, text: &'a str) -> Option<Value<'a>> {
        let is_end = |char| matches!(char, ',' | ']' | '}' | ' ' | '\t' | '\n' | '\r');
        let end = match text.find(is_end) {
            Some(end) => end,
            None if self.depth == 0 => text.len(),
            None => return None,
        };
        let (word, rest) = text.split_at_checked(end)?;
        self.rest = rest;
        match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ if is_number(word) => Some(Value::Number(word)),
            _ => None,
        }
    }
}

/// RFC 8259 section 6.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once(['.']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}
