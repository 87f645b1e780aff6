//! A strict reader of JSON objects (RFC 8259): no recursion, no copy, nesting of at most 32 levels.
//!
//! It is what stands between a received token and any other reader: some let raw control characters
//! pass, or recurse on values that they ignore.

/// Deepest nesting of objects and arrays in a member that is accepted, and written.
pub(crate) const MAX_DEPTH: u32 = 32;

/// Passes the name and the value of every member of the object `text` to `visit`, as they are
/// written: names without their quotes, escapes not decoded.
///
/// `None` if `text` is not one JSON object; members before the fault may have been visited.
pub(crate) fn visit_members<'a>(
    text: &'a str,
    mut visit: impl FnMut(&'a str, &'a str),
) -> Option<()> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.expect(b'{')?;
    if scanner.peek()? == b'}' {
        scanner.at += 1;
    } else {
        loop {
            let name = scanner.member_name()?;
            let value = scanner.value()?;
            visit(name, value);
            match scanner.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
    }
    scanner.skip_white_space();
    (scanner.at == text.len()).then_some(())
}

/// Returns whether the JSON string text `raw`, without its quotes, spells the ASCII text `plain`.
///
/// A `\u` escape counts as the character it stands for, so that a name cannot be hidden behind one.
pub(crate) fn spells(raw: &str, plain: &str) -> bool {
    let mut rest = raw;
    for expected in plain.chars() {
        let (char, after) = match rest.strip_prefix("\\u") {
            Some(escape) => {
                let Some((digits, after)) = escape.split_at_checked(4) else {
                    return false;
                };
                let code = u32::from_str_radix(digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                (code, after)
            }
            None => {
                let mut chars = rest.chars();
                (chars.next(), chars.as_str())
            }
        };
        if char != Some(expected) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    /// Returns the next byte that is not white space and stays on it.
    fn peek(&mut self) -> Option<u8> {
        self.skip_white_space();
        self.byte()
    }

    /// Returns the next byte that is not white space and goes past it.
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn since(&self, start: usize) -> Option<&'a str> {
        self.text.get(start..self.at)
    }

    /// Reads `"name":` and returns the name as it is written.
    fn member_name(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.at;
        self.string_end()?;
        let name = self.text.get(start..self.at.checked_sub(1)?)?;
        self.expect(b':')?;
        Some(name)
    }

    /// Reads any value and returns its text.
    fn value(&mut self) -> Option<&'a str> {
        self.skip_white_space();
        let start = self.at;
        let mut depth = 0u32;
        let mut objects = 0u32; // one bit a level, the innermost lowest
        loop {
            let first = self.next()?;
            if let b'{' | b'[' = first {
                if depth == MAX_DEPTH {
                    return None;
                }
                let object = first == b'{';
                depth += 1;
                objects = objects << 1 | u32::from(object);
                if self.peek()? != if object { b'}' } else { b']' } {
                    if object {
                        self.member_name()?;
                    }
                    continue;
                }
            } else {
                self.scalar_end(first)?;
            }
            // A value has ended, or an empty container is about to.
            loop {
                if depth == 0 {
                    return self.since(start);
                }
                let in_object = objects & 1 == 1;
                match (self.next()?, in_object) {
                    (b',', true) => {
                        self.member_name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => {
                        depth -= 1;
                        objects >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// Goes past a string, number or literal whose `first` byte has been read.
    fn scalar_end(&mut self, first: u8) -> Option<()> {
        match first {
            b'"' => self.string_end(),
            b't' => self.literal_end("rue"),
            b'f' => self.literal_end("alse"),
            b'n' => self.literal_end("ull"),
            b'-' | b'0'..=b'9' => self.number_end(first),
            _ => None,
        }
    }

    /// Goes past a string whose opening quote has been read.
    fn string_end(&mut self) -> Option<()> {
        loop {
            let byte = self.byte()?;
            self.at += 1;
            match byte {
                b'"' => return Some(()),
                b'\\' => {
                    let escape = self.byte()?;
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => self.code_end()?,
                        _ => return None,
                    }
                }
                0x00..=0x1f => return None,
                _ => {}
            }
        }
    }

    /// Goes past the digits of a `\u` escape and, after the first half of a surrogate pair, past the
    /// second. Half a pair is in the grammar, but stands for no character (RFC 8259 §8.2).
    fn code_end(&mut self) -> Option<()> {
        match self.code_unit()? {
            0xd800..=0xdbff => {
                self.literal_end("\\u")?;
                matches!(self.code_unit()?, 0xdc00..=0xdfff).then_some(())
            }
            0xdc00..=0xdfff => None,
            _ => Some(()),
        }
    }

    fn code_unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.byte()?).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }

    fn literal_end(&mut self, rest: &str) -> Option<()> {
        let end = self.at.checked_add(rest.len())?;
        if self.text.get(self.at..end)? != rest {
            return None;
        }
        self.at = end;
        Some(())
    }

    /// Goes past a number whose `first` byte has been read.
    fn number_end(&mut self, first: u8) -> Option<()> {
        let leading = if first == b'-' {
            let digit = self.byte()?;
            self.at += 1;
            digit
        } else {
            first
        };
        match leading {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn skip_digits(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        self.skip_digits();
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::format;
    use std::string::String;

    fn accepts(text: &str) -> bool {
        visit_members(text, |_, _| {}).is_some()
    }

    #[test]
    fn nesting_is_capped_without_recursion() {
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(accepts(&nested(MAX_DEPTH as usize)));
        assert!(!accepts(&nested(MAX_DEPTH as usize + 1)));
        assert!(!accepts(&format!("{{\"a\":{}", "[".repeat(100_000))));
    }

    #[test]
    fn escapes_do_not_hide_a_name() {
        assert!(spells("exp", "exp"));
        assert!(spells("e\\u0078p", "exp"));
        assert!(!spells("e\\u0078", "exp"));
        assert!(!spells("expo", "exp"));
        assert!(!spells("\\u00", "exp"));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for text in ["\\ud83d\\ude00", "\\uD83D\\uDE00", "\\ud7ff", "\\ue000"] {
            let text = format!("{{\"a\":\"{text}\"}}");
            assert!(accepts(&text), "{text}");
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
        for text in [
            "\\ud83d",
            "\\ude00",
            "\\ude00\\ud83d",
            "\\ud83d\\ud83d",
            "\\ud83dx",
            "\\ud83d\\n",
        ] {
            let text = format!("{{\"a\":\"{text}\"}}");
            assert!(!accepts(&text), "{text}");
            serde_json::from_str::<serde_json::Value>(&text).unwrap_err();
        }
    }

    /// Text that is JSON, or nearly.
    fn near_json() -> impl Strategy<Value = String> {
        let token = prop::sample::select(&[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"\\u00e9\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "\"😀\"",
            "0",
            "01",
            "-1",
            "-",
            "1.5",
            "1.",
            "2e3",
            "2e",
            "true",
            "false",
            "null",
            "nul",
            " ",
            "\n",
        ]);
        prop::collection::vec(token, 0..14)
            .prop_map(|tokens| format!("{{\"a\":{}}}", tokens.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn accepts_the_objects_that_serde_json_accepts(text in near_json()) {
            let expected = serde_json::from_str::<HashMap<String, serde::de::IgnoredAny>>(&text);
            prop_assert_eq!(accepts(&text), expected.is_ok(), "{}", text);
        }

        #[test]
        fn accepts_any_serialized_object(
            members in prop::collection::hash_map(any::<String>(), any::<(i64, String, Option<f64>)>(), 0..5)
        ) {
            let text = serde_json::to_string_pretty(&members).unwrap();
            let mut count = 0;
            prop_assert!(visit_members(&text, |_, _| count += 1).is_some());
            prop_assert_eq!(count, members.len());
        }
    }
}
