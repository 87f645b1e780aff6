//! Standard output and error, which may be closed at any time.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::exit::Failure;

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
