//! Standard output and error, which may be closed at any time.

use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde_json::Value;

use crate::exit::{Exit, Failure};

/// Prints one line to standard output; a reader that has gone away is no failure.
pub fn line(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::invalid(format_args!(
            "can't write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Prints one line about what has been done, to standard error if standard output won't have it: a script has to
/// learn that it is done nevertheless.
pub fn done(text: impl Display) {
    if let Err(failure) = line(&text) {
        note(format_args!("error: {failure}"));
        note(text);
    }
}

/// Prints one line to standard error, as far as that goes.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints what was done, for a person or a script.
pub fn report(json: bool, facts: Value, text: impl Display) -> Result<Exit, Failure> {
    match json {
        true => line(json_text(&facts))?,
        false => line(text)?,
    }
    Ok(Exit::Done)
}

/// Returns text of others without what a terminal would obey: controls, and what turns the direction of writing, become
/// spaces.
pub fn printable(text: &str) -> String {
    text.replace(is_obeyed, " ")
}

/// Returns a value as JSON on one line, in which text of others has escapes for what a terminal would obey.
pub fn json_text(value: &Value) -> String {
    let mut text = String::new();
    // Only a string of JSON can have any of these, and all have four digits.
    for char in value.to_string().chars() {
        match is_obeyed(char) {
            // A string takes everything.
            true => drop(write!(text, "\\u{:04x}", u32::from(char))),
            false => text.push(char),
        }
    }
    text
}

fn is_obeyed(char: char) -> bool {
    let turns = matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    char.is_control() || turns
}

/// Returns a path as a shell takes it.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+=:,@%".contains(char);
    match text.chars().all(plain) && !text.is_empty() {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_of_others_steers_no_terminal() {
        // A name that reads as another, a line of its own, a colour.
        assert_eq!(printable("pump\u{202e}7-\u{2066}x"), "pump 7- x");
        assert_eq!(printable("a\nb\u{1b}[31m\u{85}\u{2028}"), "a b [31m  ");
        assert_eq!(
            printable("Pumpe 7: kein Durchfluß, مضخة"),
            "Pumpe 7: kein Durchfluß, مضخة"
        );
    }

    proptest! {
        #[test]
        fn json_is_printable_and_means_the_same(name: String, text: String, any in "\\PC*[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]{0,9}") {
            let value = serde_json::json!({ name: [text, any], "n": 1.5 });
            let shown = json_text(&value);
            prop_assert_eq!(&printable(&shown), &shown);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
