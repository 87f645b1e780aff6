//! How the program ends: the exit codes, and the failure that leads to one.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::output;

/// The exit codes as `--help` lists them.
pub const HELP: &str = "\
Exit codes:
  0  delivered, valid, done
  1  invalid or unexpected
  2  usage or configuration: nothing was sent, change the command or
     the credentials
  3  rejected for good: the same request would be refused again
  4  not delivered, worth a retry
  5  may have been delivered: the request was sent and no answer came";

/// What the exit code tells a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Delivered, valid, done.
    Done = 0,
    /// Invalid or unexpected.
    Invalid = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Rejected for good.
    Rejected = 3,
    /// Not delivered, worth a retry.
    Retry = 4,
    /// May have been delivered.
    MaybeSent = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to, in one line that says what to do.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The exit code that it leads to.
    pub exit: Exit,
    /// The line; no part of it is a secret or a token.
    pub message: String,
    /// What a script may want to know beside it.
    facts: Map<String, Value>,
}

impl Failure {
    /// Something is invalid, or happened that should not.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::new(Exit::Invalid, message)
    }

    /// The command line, the credentials or a file need a change.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Ends with `exit`; line breaks and other controls in the message become spaces.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        let message = output::printable(&message.to_string());
        let words: Vec<&str> = message.split_whitespace().collect();
        Self {
            exit,
            message: words.join(" "),
            facts: Map::new(),
        }
    }

    /// Adds a fact for scripts.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.into(), value.into());
        self
    }

    /// Says it in other words, with the same exit code and facts.
    pub fn saying(mut self, message: impl fmt::Display) -> Self {
        self.message = Self::new(self.exit, message).message;
        self
    }

    /// Returns the status of the answer that led to the failure.
    pub fn status(&self) -> Option<u64> {
        self.facts.get("status")?.as_u64()
    }

    /// The failure as `--json` prints it.
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("ok".into(), false.into());
        object.insert("exit".into(), (self.exit as u8).into());
        object.insert("error".into(), self.message.clone().into());
        object.extend(self.facts.clone());
        object.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
