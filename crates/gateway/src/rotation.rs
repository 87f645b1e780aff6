//! `gateway keys rotate`: the documented order, with the credentials file as the two slots.
//!
//! The key in use is always the one under the API's own name, so every other command goes on working between any two
//! steps. The other one has `_STANDBY` behind its name, and `HOOKMESH_SLOTS` says how far the rotation has come.

use std::path::Path;

use api_auth::{Api, Slot, Slots, Step};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::check;
use crate::client::Caller;
use crate::connector::Connector;
use crate::credential_file::CredentialFile;
use crate::credentials::Secrets;
use crate::exit::Failure;
use crate::keys::{self, RotateArgs};
use crate::output;

/// The name of the ID that belongs to the key in use.
pub const KEY_ID: &str = "HOOKMESH_KEY_ID";

const KEY: &str = "HOOKMESH_API_KEY";
const STANDBY_KEY: &str = "HOOKMESH_API_KEY_STANDBY";
const STANDBY_KEY_ID: &str = "HOOKMESH_KEY_ID_STANDBY";
const SLOTS: &str = "HOOKMESH_SLOTS";

/// The IDs of the keys that there were before one was created that is not stored yet.
const CREATING: &str = "HOOKMESH_CREATING";

/// Rotates, or goes on with a rotation that was begun.
pub fn run(args: &RotateArgs) -> Result<(Value, String), Failure> {
    let common = &args.common;
    let connector = common.connection.connector(&Api::HOOKMESH)?;
    let path = common.credentials.path().ok_or_else(|| {
        Failure::usage(
            "a rotation needs a file to store the new key in: name it with --credentials FILE",
        )
    })?;
    // Refuses a key that is malformed before anything is done with it.
    common.credentials.secrets(&Api::HOOKMESH)?;
    let mut rotation = Rotation {
        args,
        connector: &connector,
        file: CredentialFile::read(path)?,
        path,
    };
    let mut slots = rotation.slots()?;
    if slots.next() == Step::Rest {
        slots = rotation.deploy(slots)?;
    } else {
        output::note("going on with the rotation that was begun");
    }
    loop {
        slots = match slots.next() {
            Step::Check(_) => rotation.check(slots)?,
            Step::Promote => rotation.promote(slots)?,
            Step::Revoke(_) => rotation.revoke(slots)?,
            Step::Deploy(_) | Step::Rest => break,
        };
    }
    let id = rotation.text(KEY_ID).unwrap_or_default();
    Ok((
        json!({ "ok": true, "id": id, "file": path }),
        format!("rotated: {id} is in use, its key is in {}", path.display()),
    ))
}

struct Rotation<'r> {
    args: &'r RotateArgs,
    connector: &'r Connector,
    file: CredentialFile,
    path: &'r Path,
}

impl Rotation<'_> {
    /// Reads how far the rotation has come; without a record there is one key, and it is in use.
    fn slots(&self) -> Result<Slots, Failure> {
        let Some(record) = self.text(SLOTS) else {
            let slots = Slots::EMPTY.deployed(Slot::A).map_err(Failure::invalid)?;
            return Ok(slots.accepted(Slot::A));
        };
        let number = u32::from_str_radix(&record, 16).map_err(|_| self.unreadable())?;
        Slots::from_bytes(&number.to_be_bytes()).map_err(|_| self.unreadable())
    }

    fn unreadable(&self) -> Failure {
        Failure::usage(format_args!(
            "{SLOTS} in {} is unreadable: see with gateway keys list which keys there are, \
             and remove the line",
            self.path.display()
        ))
    }

    /// Creates a key and stores it beside the one in use.
    fn deploy(&mut self, slots: Slots) -> Result<Slots, Failure> {
        let active = self.secrets(KEY)?;
        let mut caller = Caller::new(&active, self.connector)?;
        let listed = keys::listed(&mut caller)?;
        self.tell_of_lost(&listed);
        let ids: Vec<&str> = listed.iter().map(|key| key.id.as_str()).collect();
        let ids = ids.join(",");
        let old = self.old_key(listed, &active)?;
        let name = self.args.name.as_deref().unwrap_or(&old.name);
        // On the disk before the key is made: what is lost from here on is named by the next run.
        self.file.change(&[(CREATING, Some(&ids))])?;
        let new = match keys::created(&mut caller, name, &self.args.scopes) {
            Ok(new) => new,
            Err(failure) => {
                if matches!(failure.status(), Some(400..500)) {
                    // Refused, so nothing was made.
                    self.file.change(&[(CREATING, None)])?;
                }
                return Err(failure);
            }
        };
        output::note(format_args!("created {}", new.id));
        let slots = slots.deployed(slots.standby()).map_err(Failure::invalid)?;
        let stored = self.file.change(&[
            (KEY_ID, Some(&old.id)),
            (STANDBY_KEY, Some(new.key.expose_secret())),
            (STANDBY_KEY_ID, Some(&new.id)),
            (SLOTS, Some(&record(&slots))),
            (CREATING, None),
        ]);
        stored.map_err(|failure| {
            Failure::new(
                failure.exit,
                format_args!("{failure}; {} was created and is lost: revoke it", new.id),
            )
        })?;
        Ok(slots)
    }

    /// Names the keys that may have been made by a rotation which ended before it stored one.
    ///
    /// They are not revoked: somebody else may have made them meanwhile.
    fn tell_of_lost(&self, listed: &[keys::Key]) {
        let Some(before) = self.text(CREATING) else {
            return;
        };
        for key in listed {
            if !before.split(',').any(|id| id == key.id) {
                output::note(format_args!(
                    "warning: {} ({}) has appeared since a rotation ended while it created a key: \
                     if nobody has it, gateway keys revoke {}",
                    key.id, key.name, key.id
                ));
            }
        }
    }

    /// Finds out which key of the listing is the one in the file.
    fn old_key(&self, listed: Vec<keys::Key>, active: &Secrets) -> Result<keys::Key, Failure> {
        let own = active.key().expose_secret();
        let told = self.args.old.clone().or_else(|| self.text(KEY_ID));
        let is_told = |key: &keys::Key| match &told {
            Some(id) => key.id == *id,
            None => !key.prefix.is_empty(),
        };
        // Also an ID that was told: it is the key to be revoked in the end.
        let mut candidates = listed
            .into_iter()
            .filter(|key| is_told(key) && own.starts_with(&key.prefix));
        match (candidates.next(), candidates.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(Failure::usage(
                "the API lists no key that could be the one in the file: name its ID with --old",
            )),
            (Some(_), Some(_)) => Err(Failure::usage(
                "the API lists several keys that begin like the one in the file: name its ID with --old",
            )),
        }
    }

    /// Asks the API whether it accepts the new key.
    fn check(&mut self, slots: Slots) -> Result<Slots, Failure> {
        let new = self.secrets(STANDBY_KEY)?;
        let mut caller = Caller::new(&new, self.connector)?;
        check::ask(&mut caller, &Api::HOOKMESH).map_err(|failure| {
            let message =
                format!("the new key is stored, but not in use, for its check failed: {failure}");
            failure.saying(message)
        })?;
        output::note("checked: the new key is accepted");
        let slots = slots.accepted(slots.standby());
        self.file.change(&[(SLOTS, Some(&record(&slots)))])?;
        Ok(slots)
    }

    /// Puts the new key in the place of the old one.
    fn promote(&mut self, slots: Slots) -> Result<Slots, Failure> {
        let slots = slots.promoted().map_err(Failure::invalid)?;
        let [old, old_id, new, new_id] =
            [KEY, KEY_ID, STANDBY_KEY, STANDBY_KEY_ID].map(|name| self.file.get(name));
        let value = |value: &'_ Option<SecretString>| {
            value.as_ref().map(|value| value.expose_secret().to_owned())
        };
        let [old, old_id, new, new_id] =
            [value(&old), value(&old_id), value(&new), value(&new_id)].map(zeroize::Zeroizing::new);
        self.file.change(&[
            (KEY, new.as_deref()),
            (KEY_ID, new_id.as_deref()),
            (STANDBY_KEY, old.as_deref()),
            (STANDBY_KEY_ID, old_id.as_deref()),
            (SLOTS, Some(&record(&slots))),
        ])?;
        output::note("promoted: the new key is in use");
        Ok(slots)
    }

    /// Revokes the old key and removes it from the file.
    fn revoke(&mut self, slots: Slots) -> Result<Slots, Failure> {
        let id = self.text(STANDBY_KEY_ID).ok_or_else(|| self.unreadable())?;
        let new = self.secrets(KEY)?;
        let result = keys::revoked(&mut Caller::new(&new, self.connector)?, &id);
        match result {
            Ok(()) => output::note(format_args!("revoked {id}")),
            Err(failure) if failure.status() == Some(404) => {
                output::note(format_args!("{id} was revoked already"));
            }
            Err(failure) if failure.status() == Some(403) => self.revoke_itself(&id)?,
            Err(failure) => return Err(kept(&id, failure)),
        }
        self.file.change(&[
            (STANDBY_KEY, None),
            (STANDBY_KEY_ID, None),
            // One key that is in use: what no record says, too.
            (SLOTS, None),
        ])?;
        Ok(slots.retired())
    }

    /// Has the old key revoke itself, for the new one may not manage keys.
    fn revoke_itself(&self, id: &str) -> Result<(), Failure> {
        let old = self.secrets(STANDBY_KEY)?;
        match keys::revoked(&mut Caller::new(&old, self.connector)?, id) {
            Ok(()) => output::note(format_args!(
                "revoked {id}; the new key may not manage keys"
            )),
            Err(failure) if failure.status() == Some(401) => {
                output::note(format_args!("{id} was revoked already"));
            }
            Err(failure) => return Err(kept(id, failure)),
        }
        Ok(())
    }

    fn secrets(&self, name: &str) -> Result<Secrets, Failure> {
        let key = self
            .file
            .get(name)
            .ok_or_else(|| Failure::usage(format_args!("{} has no {name}", self.path.display())))?;
        let policy = self.args.common.credentials.policy();
        let secrets = Secrets::of_key(&Api::HOOKMESH, policy, key);
        secrets.credential()?;
        Ok(secrets)
    }

    /// Returns a value that is not secret.
    fn text(&self, name: &str) -> Option<String> {
        Some(self.file.get(name)?.expose_secret().to_owned())
    }
}

fn record(slots: &Slots) -> String {
    format!("{:08x}", u32::from_be_bytes(slots.to_bytes()))
}

fn kept(id: &str, failure: Failure) -> Failure {
    let message =
        format!("the new key is in use, but {id} is not revoked yet: {failure}; run it again");
    failure.saying(message)
}
