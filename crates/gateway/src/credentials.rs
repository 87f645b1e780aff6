//! Where secrets come from: a file, the environment, or a person at a terminal. Never the command line,
//! which every user of the machine can read.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use api_auth::{Api, Credential, CredentialError, Policy, Scheme};
use clap::Args;
use jwt_core::{HmacKey, KeyError};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::credential_file::CredentialFile;
use crate::exit::Failure;

/// The names as `--help` lists them.
pub const HELP: &str = "\
Credentials, from the environment or from --credentials FILE:
  heymarket         HEYMARKET_SECRET_ID, HEYMARKET_SECRET_KEY
  heymarket-bearer  HEYMARKET_API_KEY (legacy; heymarket-basic has the same)
  key-id            KEY_ID_JWT_KID, KEY_ID_JWT_SECRET
  key-id-static     KEY_ID_API_TOKEN
  heyoo             HEYOO_API_KEY
  hookmesh          HOOKMESH_API_KEY
  --claims, verify  JWT_KEY";

/// The name of the key that signs and verifies tokens of no particular API.
pub const JWT_KEY: &str = "JWT_KEY";

/// Options of every command that needs a credential.
#[derive(Args, Clone, Debug, Default)]
pub struct CredentialArgs {
    /// Read the credentials from NAME=VALUE lines of this file, which only its owner may read; without it they come
    /// from the environment, else a hidden prompt asks for them
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Accept HMAC keys of less than 32 bytes, against RFC 7518
    #[arg(long)]
    weak_key: bool,
    /// Accept test keys (sk_test_...), which alert nobody
    #[arg(long)]
    test_key: bool,
}

/// A key, and the ID that belongs to it if its API has one.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The API that they are for.
    pub api: &'static Api,
    /// What may be used of them.
    pub policy: Policy,
    id: Option<SecretString>,
    key: SecretString,
}

impl Secrets {
    /// Takes an ID and a key as they are.
    pub fn new(api: &'static Api, policy: Policy, id: Option<String>, key: String) -> Self {
        Self {
            api,
            policy,
            id: id.map(SecretString::from),
            key: key.into(),
        }
    }

    /// Takes a key of an API whose keys have no ID.
    pub fn of_key(api: &'static Api, policy: Policy, key: SecretString) -> Self {
        Self {
            api,
            policy,
            id: None,
            key,
        }
    }

    /// Returns the key, to be stored.
    pub fn key(&self) -> &SecretString {
        &self.key
    }

    /// Checks them against what the API issues.
    pub fn credential(&self) -> Result<Credential<'_>, Failure> {
        let id = self.id.as_ref().map(|id| id.expose_secret());
        Credential::new(self.api, id, self.key.expose_secret(), self.policy).map_err(|error| {
            let names = names(self.api);
            Failure::usage(match error {
                CredentialError::IdMissing
                | CredentialError::IdUnexpected
                | CredentialError::IdTooLong { .. }
                | CredentialError::IdCharacter { .. }
                | CredentialError::IdNotUuid => {
                    format!("{}: {error}", names.id.unwrap_or(names.key))
                }
                CredentialError::WeakKey { .. } => {
                    format!("{}: {error} with --weak-key", names.key)
                }
                CredentialError::TestKey => {
                    format!("{}: {error}, or allow it with --test-key", names.key)
                }
                _ => format!("{}: {error}", names.key),
            })
        })
    }

    /// Returns a server's text without words that are part of a token or of the key, should it echo them.
    pub fn redact(&self, text: &str) -> String {
        let key = self.key.expose_secret();
        let is_secret = |word: &str| {
            let is_part = word.len() >= 8 && key.contains(word);
            is_part || word.contains(key) || word.contains("eyJ")
        };
        let between = |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | ',' | ':');
        text.split_inclusive(between)
            .map(|word| match is_secret(word.trim_end_matches(between)) {
                true => "[redacted] ",
                false => word,
            })
            .collect()
    }

    /// Prepares the HMAC key that the API's tokens are signed with.
    pub fn hmac_key(&self) -> Result<HmacKey, Failure> {
        let id = self.credential()?.id().as_bytes();
        let key = self.key.expose_secret().as_bytes();
        match self.api.scheme {
            Scheme::IssIat => HmacKey::weak(&[id, b"||", key]),
            _ => HmacKey::weak(&[key]),
        }
        .map_err(Failure::usage)
    }
}

/// What the ID and the key of an API are called in the environment and in a file.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The ID, where there is one.
    pub id: Option<&'static str>,
    /// The key.
    pub key: &'static str,
}

/// Returns the names for an API.
pub fn names(api: &Api) -> Names {
    let (id, key) = match api.name {
        "heymarket" => (Some("HEYMARKET_SECRET_ID"), "HEYMARKET_SECRET_KEY"),
        "heymarket-bearer" | "heymarket-basic" => (None, "HEYMARKET_API_KEY"),
        "key-id" => (Some("KEY_ID_JWT_KID"), "KEY_ID_JWT_SECRET"),
        "key-id-static" => (None, "KEY_ID_API_TOKEN"),
        "heyoo" => (None, "HEYOO_API_KEY"),
        "hookmesh" => (None, "HOOKMESH_API_KEY"),
        _ => (None, "API_KEY"),
    };
    Names { id, key }
}

impl CredentialArgs {
    /// Returns the credential of an API, whose ID and key come from the same source.
    pub fn secrets(&self, api: &'static Api) -> Result<Secrets, Failure> {
        let names = names(api);
        let wanted: Vec<&str> = names.id.into_iter().chain([names.key]).collect();
        self.found(api, &wanted, &format!("the credential of {}", api.name))
    }

    /// Returns the second credential of an API, if there is one: its names end in `_STANDBY`.
    pub fn standby(&self, api: &'static Api) -> Result<Option<Secrets>, Failure> {
        let names = names(api);
        let wanted: Vec<String> = names
            .id
            .into_iter()
            .chain([names.key])
            .map(|name| format!("{name}_STANDBY"))
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        if !self.has(&wanted)? {
            return Ok(None);
        }
        self.found(api, &wanted, "the standby credential").map(Some)
    }

    /// Returns a credential by the names of its ID, if it has one, and its key.
    fn found(&self, api: &'static Api, names: &[&str], what: &str) -> Result<Secrets, Failure> {
        let mut found = self.find(names, what)?;
        let secrets = Secrets {
            api,
            policy: self.policy(),
            key: found.pop().unwrap_or_default(),
            id: found.pop(),
        };
        secrets.credential()?;
        Ok(secrets)
    }

    /// Returns the same options with another file.
    pub fn with_file(&self, path: PathBuf) -> Self {
        Self {
            credentials: Some(path),
            ..self.clone()
        }
    }

    /// Returns the file that was named.
    pub fn path(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    /// Returns which keys are accepted.
    pub fn policy(&self) -> Policy {
        Policy {
            live_keys: true,
            test_keys: self.test_key,
            weak_keys: self.weak_key,
        }
    }

    /// Prepares the HMAC key that is `JWT_KEY`.
    pub fn jwt_key(&self) -> Result<HmacKey, Failure> {
        let found = self.find(&[JWT_KEY], "the key")?;
        let key = found.first().map(ExposeSecret::expose_secret);
        let key = key.unwrap_or_default().as_bytes();
        let prepared = match self.weak_key {
            true => HmacKey::weak(&[key]),
            false => HmacKey::new(key),
        };
        prepared.map_err(|error| {
            Failure::usage(match error {
                KeyError::TooShort { .. } => {
                    format!("{JWT_KEY}: {error}, which --weak-key does")
                }
                _ => format!("{JWT_KEY}: {error}"),
            })
        })
    }

    /// Whether everything that an API's credential consists of is there without asking a person.
    pub fn has(&self, names: &[&str]) -> Result<bool, Failure> {
        Ok(match &self.credentials {
            Some(path) => CredentialFile::read(path)?.all(names).is_ok(),
            None => names.iter().all(|name| std::env::var_os(name).is_some()),
        })
    }

    /// Returns the values with these names, all from the same source; `what` they are is said when a person is asked.
    pub fn find(&self, names: &[&str], what: &str) -> Result<Vec<SecretString>, Failure> {
        if let Some(path) = &self.credentials {
            return CredentialFile::read(path)?.all(names).map_err(|missing| {
                Failure::usage(format_args!(
                    "{} has no {missing}: add the line {missing}=...",
                    path.display()
                ))
            });
        }
        let values: Vec<Option<SecretString>> = names
            .iter()
            .map(|name| from_environment(name))
            .collect::<Result<_, _>>()?;
        if values.iter().any(Option::is_some) || !std::io::stdin().is_terminal() {
            let missing = |name: &&str| {
                Failure::usage(format_args!(
                    "{name} is not set: export {}, or name a file with --credentials",
                    names.join(" and ")
                ))
            };
            let pairs = values.into_iter().zip(names);
            return pairs
                .map(|(value, name)| value.ok_or_else(|| missing(name)))
                .collect();
        }
        names.iter().map(|name| ask(name, what)).collect()
    }
}

fn from_environment(name: &str) -> Result<Option<SecretString>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value.into())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format_args!(
            "{name} is not text: copy it again"
        ))),
    }
}

/// Asks at the terminal without showing what is typed.
fn ask(name: &str, what: &str) -> Result<SecretString, Failure> {
    let typed = rpassword::prompt_password(format!("{name}, of {what} (not shown): "));
    let typed = typed.map_err(|error| {
        Failure::usage(format_args!(
            "can't ask for {name}: {error}; export it, or name a file with --credentials"
        ))
    })?;
    Ok(Zeroizing::new(typed).trim().into())
}
