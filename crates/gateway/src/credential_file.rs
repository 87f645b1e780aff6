//! A file of `NAME=VALUE` lines that only its owner may read.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::durable;
use crate::exit::Failure;
use crate::private_file;

/// More than any file of credentials has, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// The file's lines in memory.
pub struct CredentialFile {
    path: PathBuf,
    text: Zeroizing<String>,
}

impl CredentialFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no regular file, is open to others, has another line than entries and comments, or a name twice.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let unreadable = |error: io::Error| {
            Failure::usage(format_args!(
                "can't read the credentials in {name}: {error}"
            ))
        };
        let (file, _) = private_file::open(path, "the credentials")?;
        // As large as the text can get, so that no copy is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(MAX_LEN as usize + 64));
        let length = file.take(MAX_LEN + 1).read_to_string(&mut text);
        if length.map_err(unreadable)? as u64 > MAX_LEN {
            return Err(Failure::usage(format_args!(
                "{name} is longer than any file of credentials: name another"
            )));
        }
        let mut names = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            match entry(line) {
                None if is_comment(line) => {}
                None => {
                    return Err(Failure::usage(format_args!(
                        "line {number} of {name} is not NAME=VALUE"
                    )));
                }
                Some((known, _)) => {
                    // What is before the first = may be a part of a secret, so that it isn't shown.
                    if let Some(first) = names.insert(known, number) {
                        return Err(Failure::usage(format_args!(
                            "lines {first} and {number} of {name} set the same name: keep one"
                        )));
                    }
                }
            }
        }
        drop(names);
        Ok(Self {
            path: path.into(),
            text,
        })
    }

    /// Returns the value with this name.
    pub fn get(&self, name: &str) -> Option<SecretString> {
        let mut entries = self.text.lines().filter_map(entry);
        let (_, value) = entries.find(|(known, _)| *known == name)?;
        Some(value.into())
    }

    /// Returns the values of `names`, or the first name that is not there.
    pub fn all<'n>(&self, names: &[&'n str]) -> Result<Vec<SecretString>, &'n str> {
        let value = |name: &&'n str| self.get(name).ok_or(*name);
        names.iter().map(value).collect()
    }

    /// Gives names other values, or none, and writes the file; its other lines stay as they are.
    ///
    /// # Errors
    /// The file can't be written; it is as it was.
    pub fn change(&mut self, changes: &[(&str, Option<&str>)]) -> Result<(), Failure> {
        let mut text = Zeroizing::new(String::with_capacity(2 * MAX_LEN as usize));
        for line in self.text.lines() {
            let name = entry(line).map(|(name, _)| name);
            if !changes.iter().any(|(changed, _)| Some(*changed) == name) {
                text.push_str(line);
                text.push('\n');
            }
        }
        for (name, value) in changes {
            if let Some(value) = value {
                for piece in [name, "=", value, "\n"] {
                    text.push_str(piece);
                }
            }
        }
        durable::replace(&self.path, text.as_bytes()).map_err(|error| {
            Failure::invalid(format_args!("can't write {}: {error}", self.path.display()))
        })?;
        self.text = text;
        Ok(())
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Splits `NAME=VALUE`, as a shell would read it: `export` in front and quotes around the value are left out.
fn entry(line: &str) -> Option<(&str, &str)> {
    if is_comment(line) {
        return None;
    }
    let (name, value) = line.trim().split_once('=')?;
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let value = value.trim();
    let unquoted = ['"', '\''].into_iter().find_map(|quote| {
        let inside = value.strip_prefix(quote)?;
        inside.strip_suffix(quote)
    });
    (!name.is_empty()).then_some((name, unquoted.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_a_shell_would() {
        assert_eq!(entry("A=b=c"), Some(("A", "b=c")));
        assert_eq!(entry("export A='b c' "), Some(("A", "b c")));
        assert_eq!(entry("A=\"\""), Some(("A", "")));
        assert_eq!(entry("# A=b"), None);
        assert_eq!(entry("just a key"), None);
        assert_eq!(entry("=value"), None);
    }
}
