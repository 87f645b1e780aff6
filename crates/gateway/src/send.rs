//! `gateway send`: one SMS alert, delivered or not, and the exit code that says which.

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use api_auth::{Api, SendKind};
use clap::{Args, ValueEnum};
use sms_alert::{
    Alert, DeviceName, Encoding, MAX_RECORD_LEN, Outbox, PhoneNumber, RamStore, Recipient, Rules,
    Segments, Store,
};

use crate::connector::ConnectionArgs;
use crate::credentials::CredentialArgs;
use crate::exit::{Exit, Failure};
use crate::outbox_dir::OutboxDir;
use crate::sender::Sender;
use crate::sign::api;
use crate::{delivery, output};

/// Alerts that an outbox on the desktop holds.
const SLOTS: usize = 256;

const EXAMPLES: &str = "\
Examples:
  gateway send --to 15551234567 --text 'Pump 3: no flow' --inbox 42 --creator 7
  dmesg | tail -1 | gateway send --to 15551234567 --text -
  gateway send --to 15551234567 --text 'Door open' --outbox /var/lib/gateway
  gateway send --outbox /var/lib/gateway        deliver what is left there

With --outbox the alert is on the disk before anything is sent, and what could
not be delivered is sent by a later run, after a crash or a power cut too. An
alert that may have been sent is not sent again by itself: --doubtful resend
does that, at the risk of a second message. The exit code is that of the alert
on the command line; without one, of the gravest that the outbox holds. Alerts
are sent from the inbox that the run names: keep one outbox for each inbox.

A second credential, with _STANDBY behind its names
(HEYMARKET_SECRET_ID_STANDBY, ...), takes over when the first is refused.

Exit codes:
  0  delivered
  1  unexpected
  2  usage or configuration
  3  rejected for good, or the credential is refused
  4  not delivered, worth a retry: no connection, a certificate that is not
     trusted, 429, 5xx
  5  may have been delivered: exactly one request was sent, and no usable answer
     came";

/// The options of `gateway send`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SendArgs {
    /// The phone to alert: digits only, country code first, as in 15551234567
    #[arg(long, value_name = "NUMBER", value_parser = phone, required_unless_present = "outbox", requires = "text")]
    to: Option<PhoneNumber>,
    /// What to say; - reads it from standard input
    #[arg(long, required_unless_present = "outbox", requires = "to")]
    text: Option<String>,
    /// The API, or how to authenticate to it: heymarket, heymarket-bearer, heymarket-basic
    #[arg(long, value_parser = api, default_value = "heymarket")]
    pub api: &'static Api,
    /// The inbox to send from [default: the first that the API lists]
    #[arg(
        long,
        value_name = "N",
        value_parser = account_number,
        env = "HEYMARKET_INBOX_ID",
        requires = "creator"
    )]
    pub inbox: Option<u64>,
    /// The member in whose name it is sent [default: the inbox's first]
    #[arg(
        long,
        value_name = "N",
        value_parser = account_number,
        env = "HEYMARKET_CREATOR_ID",
        requires = "inbox"
    )]
    pub creator: Option<u64>,
    /// For how many seconds delivery is tried
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(0..=86_400))]
    seconds: u64,
    /// Keep alerts in this directory until they are delivered
    #[arg(long, value_name = "DIR")]
    pub outbox: Option<PathBuf>,
    /// What to do with alerts in the outbox that may have been sent
    #[arg(long, value_name = "WHAT", default_value = "keep", requires = "outbox")]
    pub doubtful: Settled,
    /// What to do with alerts in the outbox that were rejected
    #[arg(long, value_name = "WHAT", default_value = "keep", requires = "outbox")]
    pub rejected: Settled,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// What becomes of alerts that nothing happens to by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Settled {
    /// Leave them there
    Keep,
    /// Send them again
    Resend,
    /// Remove them
    Discard,
}

fn phone(text: &str) -> Result<PhoneNumber, String> {
    PhoneNumber::new(text).map_err(|error| error.to_string())
}

/// Reads the number of an inbox or a member.
///
/// What the environment says is named as if the option had been given, so the error says where else it comes from.
fn account_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        "gateway check lists the numbers; without the option HEYMARKET_INBOX_ID and HEYMARKET_CREATOR_ID of the environment count".into()
    })
}

/// Sends and prints.
pub fn run(args: &SendArgs) -> Result<Exit, Failure> {
    let deadline = Instant::now() + Duration::from_secs(args.seconds);
    if args.api.send.map(|send| send.kind) != Some(SendKind::HeymarketMessage) {
        return Err(Failure::usage(format_args!(
            "{} sends no SMS: use heymarket, heymarket-bearer or heymarket-basic",
            args.api.name
        )));
    }
    let alert = alert(args)?;
    let connector = args.connection.connector(args.api)?;
    let secrets = args.credentials.secrets(args.api)?;
    let standby = args.credentials.standby(args.api)?;
    let sender = Sender {
        args,
        connector: &connector,
        secrets: &secrets,
        standby: standby.as_ref(),
        deadline,
    };
    match &args.outbox {
        None => {
            let store = RamStore::<2, MAX_RECORD_LEN>::new();
            let outbox = open(store, "desk")?;
            sender.send::<_, 1>(outbox, alert.as_ref())
        }
        Some(path) => {
            let store = OutboxDir::open(path, deadline)?;
            let name = format!("desk-{:08x}", delivery::random());
            let name = store.text_file("device", &name).map_err(|error| {
                Failure::usage(format_args!(
                    "can't use the outbox {}: {error}",
                    path.display()
                ))
            })?;
            let outbox = open(store, name.trim())?;
            sender.send::<_, SLOTS>(outbox, alert.as_ref())
        }
    }
}

fn alert(args: &SendArgs) -> Result<Option<Alert>, Failure> {
    let (Some(to), Some(text)) = (args.to, &args.text) else {
        return Ok(None);
    };
    let mut read = String::new();
    let text = match text.as_str() {
        "-" => {
            std::io::stdin()
                .lock()
                .take(64 * 1024)
                .read_to_string(&mut read)
                .map_err(|error| {
                    Failure::usage(format_args!(
                        "can't read the text from standard input: {error}"
                    ))
                })?;
            read.trim_end()
        }
        text => text,
    };
    if text.trim().is_empty() {
        return Err(Failure::usage("the text is empty: say what happened"));
    }
    let alert = Alert::new(Recipient::Phone(to), text).map_err(Failure::usage)?;
    let segments = Segments::of(text);
    output::note(format_args!("alert to {to}: {}", describe(&segments)));
    Ok(Some(alert))
}

/// Says what a text costs.
pub fn describe(segments: &Segments) -> String {
    let plural = if segments.count == 1 { "" } else { "s" };
    let reason = match segments.encoding {
        Encoding::Gsm7 => "",
        Encoding::Ucs2 => ", for it has a character beyond the GSM alphabet",
    };
    format!(
        "{} segment{plural} ({} units of {}{reason})",
        segments.count,
        segments.units,
        encoding(segments)
    )
}

/// Names the encoding of a text.
pub fn encoding(segments: &Segments) -> &'static str {
    match segments.encoding {
        Encoding::Gsm7 => "GSM-7",
        Encoding::Ucs2 => "UCS-2",
    }
}

/// Opens an outbox whose alerts are numbered under a name.
pub fn open<S: Store, const SLOTS: usize>(
    store: S,
    device: &str,
) -> Result<Outbox<S, SLOTS>, Failure> {
    let device = DeviceName::new(device).map_err(Failure::usage)?;
    Outbox::open(store, device, Rules::default(), delivery::random())
        .map_err(|error| Failure::usage(format_args!("can't open the outbox: {error}")))
}
