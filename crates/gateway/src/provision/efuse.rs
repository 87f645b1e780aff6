//! `gateway provision efuse-key` and `device-key`: the 32 bytes that are burnt into a fuse block.

use std::path::PathBuf;

use api_auth::{Api, Scheme};
use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::credentials::{CredentialArgs, Secrets};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::output::report;
use crate::provision::custody;
use crate::provision::key_file::{self, KEY_LEN};
use crate::provision::target::Target;
use crate::sign::api;

/// Length of HMAC-SHA256's block: a longer key is hashed before it is used (RFC 2104, section 2).
const BLOCK_LEN: usize = 64;

const EXAMPLES: &str = "\
Examples:
  gateway provision efuse-key --target esp32c3 --api heymarket --out site7.hmac
  gateway provision device-key --target esp32c3 --out pump7.key

The file is readable by its owner alone, and is as secret as the credential: it
signs whatever the credential signs. Delete it when the fuses are burnt. A
device key is kept: images and gateway device need it.

Exit codes: 0 written, 1 unexpected, 2 usage or configuration: nothing was
written.";

/// The options of `gateway provision efuse-key`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EfuseKeyArgs {
    /// The API whose tokens the chip is to sign: heymarket or key-id
    #[arg(long, value_parser = api)]
    api: &'static Api,
    #[command(flatten)]
    burn: BurnArgs,
    /// The fuse block that the command burns
    #[arg(long, value_name = "0-5", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..6))]
    block: u8,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// The options of `gateway provision device-key`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DeviceKeyArgs {
    #[command(flatten)]
    burn: BurnArgs,
}

/// What both have.
#[derive(Args, Debug)]
struct BurnArgs {
    /// The chip
    #[arg(long, value_enum, default_value = "esp32c3")]
    target: Target,
    /// The file to write, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl EfuseKeyArgs {
    /// Whether a JSON object is to be printed.
    pub fn json(&self) -> bool {
        self.burn.json
    }
}

impl DeviceKeyArgs {
    /// Whether a JSON object is to be printed.
    pub fn json(&self) -> bool {
        self.burn.json
    }
}

/// Writes the key that signs an API's tokens.
pub fn run_efuse_key(args: &EfuseKeyArgs) -> Result<Exit, Failure> {
    args.burn.check()?;
    if !matches!(args.api.scheme, Scheme::IssIat | Scheme::KidExp) {
        return Err(Failure::usage(format_args!(
            "{} is sent its key as it is: nothing is signed with it, so no fuse block can keep it",
            args.api.name
        )));
    }
    let secrets = args.credentials.secrets(args.api)?;
    let (key, form) = efuse_key(&secrets)?;
    key_file::write(&args.burn.out, &key)?;
    let form = match form {
        Form::Digest { len } => {
            format!("the SHA-256 of the {len}-byte HMAC key, which HMAC would compute itself")
        }
        Form::Padded { len } => {
            format!("the {len}-byte HMAC key and zeros, as HMAC would pad it itself")
        }
    };
    custody::warn_of_device_key_place(args.block, args.burn.target);
    args.burn.report(args.block, &form)
}

/// Writes a random device key.
pub fn run_device_key(args: &DeviceKeyArgs) -> Result<Exit, Failure> {
    args.burn.check()?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    getrandom::fill(&mut *key)
        .map_err(|error| Failure::invalid(format_args!("no random numbers can be had: {error}")))?;
    key_file::write(&args.burn.out, &key)?;
    let block = args.burn.target.device_key_place();
    args.burn.report(block, "a random device key")
}

impl BurnArgs {
    fn check(&self) -> Result<(), Failure> {
        match self.target.has_hmac_peripheral() {
            true => Ok(()),
            false => Err(Failure::usage(format_args!(
                "{} has no HMAC peripheral that a fuse block could be the key of: use a secure element, or esp32c3, esp32c6, esp32s3",
                self.target.name()
            ))),
        }
    }

    fn report(&self, block: u8, what: &str) -> Result<Exit, Failure> {
        let command = format!(
            "espefuse --chip {} --port PORT burn-key BLOCK_KEY{block} {} HMAC_UP",
            self.target.name(),
            output::shell_word(&self.out)
        );
        output::note(format_args!(
            "warning: burning is final: block {block} of that chip can never be changed or read again; \
             espefuse --virt rehearses it"
        ));
        report(
            self.json,
            json!({
                "ok": true,
                "file": self.out,
                "target": self.target.name(),
                "block": block,
                "burn": command,
            }),
            format_args!(
                "{} is written: {what}\nburn it with: {command}",
                self.out.display()
            ),
        )
    }
}

/// How a key of another length has become one of 32 bytes.
enum Form {
    Digest { len: usize },
    Padded { len: usize },
}

/// Returns the 32 bytes with which the peripheral computes the same HMAC as with the credential's key.
///
/// The peripheral puts 32 zeros behind its key to fill HMAC's block. So does HMAC with a key that it had to hash, and
/// with one of up to 32 bytes that zeros were put behind; a key of 33 to 64 bytes would itself fill part of them.
fn efuse_key(secrets: &Secrets) -> Result<(Zeroizing<[u8; KEY_LEN]>, Form), Failure> {
    let id = secrets.credential()?.id().as_bytes();
    let secret = secrets.key().expose_secret().as_bytes();
    let parts: &[&[u8]] = match secrets.api.scheme {
        Scheme::IssIat => &[id, b"||", secret],
        _ => &[secret],
    };
    let hmac_key = Zeroizing::new(parts.concat());
    let len = hmac_key.len();
    let mut key = Zeroizing::new([0; KEY_LEN]);
    match len {
        0..=KEY_LEN => {
            key[..len].copy_from_slice(&hmac_key);
            Ok((key, Form::Padded { len }))
        }
        _ if len > BLOCK_LEN => {
            key.copy_from_slice(&Sha256::digest(&*hmac_key));
            Ok((key, Form::Digest { len }))
        }
        _ => Err(Failure::usage(format_args!(
            "the HMAC key has {len} bytes: a fuse block holds 32, and HMAC hashes only keys longer than {BLOCK_LEN} bytes \
             down to that; have a secret of up to 32 or of more than {BLOCK_LEN} bytes issued, or seal it in flash with a device key"
        ))),
    }
}
