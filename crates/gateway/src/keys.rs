//! `gateway keys`: the API keys of an organisation, where an API manages them over HTTP.

use std::io::Write;
use std::path::{Path, PathBuf};

use api_auth::{Api, Credential, Policy};
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sms_alert::{NewApiKey, Target, json_body};
use zeroize::Zeroizing;

use crate::client::{Call, Caller};
use crate::connector::ConnectionArgs;
use crate::credentials::{self, CredentialArgs};
use crate::exit::{Exit, Failure};
use crate::sign::api;
use crate::{durable, output, rotation};

/// Where Hook Mesh keeps keys.
const PATH: &str = "/v1/api-keys";

const EXAMPLES: &str = "\
Examples:
  gateway keys list --api hookmesh
  gateway keys create --api hookmesh --name 'Site 7' \\
      --scope webhooks:write --out site7.env
  gateway keys revoke --api hookmesh key_abc123
  gateway keys rotate --api hookmesh --credentials hookmesh.env \\
      --scope applications:read --scope webhooks:write \\
      --scope api-keys:read --scope api-keys:write

A new key is never shown: create writes it to a new file that only its owner may
read, ready for --credentials. rotate creates a key, stores it beside the old
one in the credentials file, checks it, puts it in the old one's place and
revokes the old one. Each step is on the disk before the next begins: started
again after a crash, it goes on where it was. A crash between creating a key and
storing it leaves that key at the API, unknown here: the next rotate names it,
keys revoke removes it. The check reads applications; a key that is to rotate
itself has to read and write API keys.

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 refused, 4 no
answer or not now, 5 a key may have been created, and the answer was lost.";

/// The options of `gateway keys`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the keys, of which only the first characters are shown
    List(CommonArgs),
    /// Create a key and write it to a file
    Create(CreateArgs),
    /// Revoke a key at once
    Revoke(RevokeArgs),
    /// Replace the key in the credentials file without downtime
    #[command(after_help = EXAMPLES)]
    Rotate(RotateArgs),
}

/// Options of each of the commands.
#[derive(Args, Debug)]
pub struct CommonArgs {
    /// The API, of which hookmesh alone has keys to manage
    #[arg(long, value_parser = api)]
    api: &'static Api,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub credentials: CredentialArgs,
}

#[derive(Args, Debug)]
struct CreateArgs {
    /// What to call the key
    #[arg(long)]
    name: String,
    /// What the key may do, such as webhooks:write; once for each scope
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
    /// The file to write the key to, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args, Debug)]
struct RevokeArgs {
    /// The key's ID, as list shows it
    #[arg(value_name = "KEY_ID")]
    id: String,
    #[command(flatten)]
    common: CommonArgs,
}

/// The options of `gateway keys rotate`.
#[derive(Args, Debug)]
pub struct RotateArgs {
    /// What to call the new key [default: the old one's name]
    #[arg(long)]
    pub name: Option<String>,
    /// What the new key may do, for the API doesn't tell what the old one may; once for each scope
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub scopes: Vec<String>,
    /// The ID of the key in the file, if the first characters don't tell
    #[arg(long, value_name = "KEY_ID")]
    pub old: Option<String>,
    #[command(flatten)]
    pub common: CommonArgs,
}

impl KeysArgs {
    /// Whether a JSON object is to be printed.
    pub fn json(&self) -> bool {
        match &self.command {
            KeysCommand::List(common) => common.json,
            KeysCommand::Create(args) => args.common.json,
            KeysCommand::Revoke(args) => args.common.json,
            KeysCommand::Rotate(args) => args.common.json,
        }
    }
}

/// Manages and prints.
pub fn run(args: &KeysArgs) -> Result<Exit, Failure> {
    let common = match &args.command {
        KeysCommand::List(common) => common,
        KeysCommand::Create(args) => &args.common,
        KeysCommand::Revoke(args) => &args.common,
        KeysCommand::Rotate(args) => &args.common,
    };
    if common.api.name != Api::HOOKMESH.name {
        return Err(Failure::usage(format_args!(
            "{} has no key management over HTTP, only hookmesh has: use the vendor's settings page",
            common.api.name
        )));
    }
    let (shown, text) = match &args.command {
        KeysCommand::List(common) => list(common)?,
        KeysCommand::Create(args) => create(args)?,
        KeysCommand::Revoke(args) => revoke(args)?,
        KeysCommand::Rotate(args) => rotation::run(args)?,
    };
    let text = match args.json() {
        true => output::json_text(&shown),
        false => text,
    };
    match args.command {
        KeysCommand::List(_) => output::line(text)?,
        _ => output::done(text),
    }
    Ok(Exit::Done)
}

fn list(args: &CommonArgs) -> Result<(Value, String), Failure> {
    let connector = args.connection.connector(args.api)?;
    let secrets = args.credentials.secrets(args.api)?;
    let keys = listed(&mut Caller::new(&secrets, &connector)?)?;
    let lines: Vec<String> = keys
        .iter()
        .map(|key| {
            let used = key.last_used_at.as_deref().unwrap_or("never");
            format!(
                "{}  {}...  created {}, last used {used}  {}",
                key.id, key.prefix, key.created_at, key.name
            )
        })
        .collect();
    let shown: Vec<Value> = keys.iter().map(Key::json).collect();
    Ok((json!({ "ok": true, "keys": shown }), lines.join("\n")))
}

fn create(args: &CreateArgs) -> Result<(Value, String), Failure> {
    let common = &args.common;
    let connector = common.connection.connector(common.api)?;
    let secrets = common.credentials.secrets(common.api)?;
    let mut caller = Caller::new(&secrets, &connector)?;
    // Before the key is made: a key that can't be stored would be lost.
    let file = durable::create_new(&args.out).map_err(|error| {
        Failure::usage(format_args!(
            "can't make {}: {error}; nothing was created",
            args.out.display()
        ))
    })?;
    let new = match created(&mut caller, &args.name, &args.scopes) {
        Ok(new) => new,
        Err(failure) => {
            // Empty, and this command's own.
            let _ = durable::remove(&args.out);
            return Err(failure);
        }
    };
    store(file, &args.out, &new)?;
    let shown = json!({ "ok": true, "id": new.id, "name": args.name, "file": args.out });
    let text = format!("created {}: the key is in {}", new.id, args.out.display());
    Ok((shown, text))
}

fn store(mut file: std::fs::File, path: &Path, new: &NewKey) -> Result<(), Failure> {
    let names = credentials::names(&Api::HOOKMESH);
    let text = Zeroizing::new(format!(
        "{}={}\n{}={}\n",
        names.key,
        new.key.expose_secret(),
        rotation::KEY_ID,
        new.id
    ));
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| {
        Failure::invalid(format_args!(
            "{} was created, but can't be written to {} ({error}): revoke it, and create another",
            new.id,
            path.display()
        ))
    })
}

fn revoke(args: &RevokeArgs) -> Result<(Value, String), Failure> {
    let common = &args.common;
    let connector = common.connection.connector(common.api)?;
    let secrets = common.credentials.secrets(common.api)?;
    revoked(&mut Caller::new(&secrets, &connector)?, &args.id).map_err(|failure| {
        match failure.status() {
            Some(404) => {
                let message = format!(
                    "there is no key {}, or it was revoked already: gateway keys list shows which there are ({failure})",
                    args.id
                );
                failure.saying(message)
            }
            _ => failure,
        }
    })?;
    Ok((
        json!({ "ok": true, "id": args.id }),
        format!("revoked {}: it is refused from now on", args.id),
    ))
}

/// A key as the listing shows it.
#[derive(Clone, Debug)]
pub struct Key {
    /// What revoking takes.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    created_at: String,
    last_used_at: Option<String>,
}

impl Key {
    fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| Some(output::printable(key[name].as_str()?));
        Some(Self {
            id: text("id")?,
            name: text("name").unwrap_or_default(),
            prefix: text("prefix").unwrap_or_default(),
            created_at: text("created_at").unwrap_or_default(),
            last_used_at: text("last_used_at"),
        })
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "prefix": self.prefix,
            "created_at": self.created_at,
            "last_used_at": self.last_used_at,
        })
    }
}

/// A key that was made just now.
pub struct NewKey {
    /// What revoking takes.
    pub id: String,
    /// The key, which no answer shows again.
    pub key: SecretString,
}

impl NewKey {
    /// Whether it is a key of the API with an ID that it can be revoked by, each of them a word of one line.
    fn is_one(&self) -> bool {
        let any = Policy {
            test_keys: true,
            ..Policy::FIELD
        };
        let key = self.key.expose_secret();
        let id = Target::new(PATH).and_then(|path| path.with_segment(&self.id));
        id.is_ok() && Credential::new(&Api::HOOKMESH, None, key, any).is_ok()
    }
}

/// Asks for the keys.
pub fn listed(caller: &mut Caller<'_>) -> Result<Vec<Key>, Failure> {
    let answer = caller.call(Call::get(PATH))?;
    let parsed: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    match parsed["data"].as_array() {
        Some(keys) => Ok(keys.iter().filter_map(Key::read).collect()),
        None => Err(Failure::invalid("the answer is no list of keys")),
    }
}

/// Has a key made.
pub fn created(caller: &mut Caller<'_>, name: &str, scopes: &[String]) -> Result<NewKey, Failure> {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let new = NewApiKey {
        name,
        scopes: &scopes,
    };
    let mut body = [0; 4096];
    let body = json_body(&new, &mut body).map_err(Failure::usage)?;
    let answer = caller.call(Call::post(PATH, body)).map_err(|failure| match failure.exit {
        Exit::MaybeSent => {
            let message = format!(
                "{failure}; a key named {name:?} may have been created: gateway keys list shows it, revoke it"
            );
            failure.saying(message)
        }
        _ => failure,
    })?;
    let text = |member: &str| {
        let found = sms_alert::find(&answer.text, &[member])?.text()?;
        Some(found.chars().collect::<String>())
    };
    let new = text("id").zip(text("key")).map(|(id, key)| NewKey {
        id,
        key: key.into(),
    });
    new.filter(NewKey::is_one).ok_or_else(|| {
        Failure::invalid(format_args!(
            "the answer names no key that can be used: gateway keys list shows whether {name:?} was created, revoke it"
        ))
    })
}

/// Has a key revoked.
pub fn revoked(caller: &mut Caller<'_>, id: &str) -> Result<(), Failure> {
    caller.call(Call::delete(PATH, id)).map(|_| ())
}
