//! The token that a command is given: as an argument, or on standard input, with what is usually around it.

use std::io::{IsTerminal, Read};

use clap::Args;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::output;

/// More than any token has, in bytes.
const MAX_INPUT_LEN: u64 = 64 * 1024;

/// The argument.
#[derive(Args, Clone)]
pub struct TokenArg {
    /// The token, with or without `Authorization: Bearer`; `-` or nothing reads it from standard input, where other
    /// users of this machine don't see it
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

impl TokenArg {
    /// Returns the token alone.
    pub fn read(&self) -> Result<Zeroizing<String>, Failure> {
        let mut text = Zeroizing::new(String::new());
        match self.token.as_deref() {
            Some("-") | None => {
                if std::io::stdin().is_terminal() {
                    output::note("paste the token, then Ctrl-D:");
                }
                std::io::stdin()
                    .lock()
                    .take(MAX_INPUT_LEN)
                    .read_to_string(&mut text)
                    .map_err(|error| {
                        Failure::usage(format_args!(
                            "can't read a token from standard input: {error}"
                        ))
                    })?;
            }
            Some(token) => text.push_str(token),
        }
        let token = without(without(text.trim(), "authorization:"), "bearer ");
        match token {
            "" => Err(Failure::usage(
                "there is no token: give it as argument, or on standard input",
            )),
            token => Ok(Zeroizing::new(token.into())),
        }
    }
}

/// Removes a prefix, whatever its case.
fn without<'t>(text: &'t str, prefix: &str) -> &'t str {
    match text.split_at_checked(prefix.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(prefix) => rest.trim_start(),
        _ => text,
    }
}

impl std::fmt::Debug for TokenArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenArg(..)")
    }
}
