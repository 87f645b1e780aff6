//! Standard output and error, which may be closed at any time.

use std::fmt::Display;
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
        true => line(facts)?,
        false => line(text)?,
    }
    Ok(Exit::Done)
}

/// Returns text of others without what a terminal would obey: controls, and what turns the direction of writing, become
/// spaces.
pub fn printable(text: &str) -> String {
    let turns = |char| matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace(|char: char| char.is_control() || turns(char), " ")
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
}
