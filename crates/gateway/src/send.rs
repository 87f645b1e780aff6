//! `gateway send`: one SMS alert, delivered or not, and the exit code that says which.

use std::cell::RefCell;
use std::io::Read;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use api_auth::{Api, SendKind};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use sms_alert::{
    Account, Alert, AlertId, DeviceName, Encoding, MAX_RECORD_LEN, Outbox, PhoneNumber, RamStore,
    Recipient, Rules, Segments, State, Store,
};

use crate::client::{Call, Caller};
use crate::connector::{ConnectionArgs, Connector};
use crate::credentials::{CredentialArgs, Secrets};
use crate::delivery::{self, Left, Outcome};
use crate::exit::{Exit, Failure};
use crate::inbox::Inbox;
use crate::outbox_dir::OutboxDir;
use crate::output;
use crate::session::{self, HostSession};
use crate::sign::api;

/// Alerts that an outbox on the desktop holds.
const SLOTS: usize = 256;

/// How often a server that can't be reached is asked for its inboxes again.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  gateway send --to 15551234567 --text 'Pump 3: no flow' --inbox 42 --creator 7
  dmesg | tail -1 | gateway send --to 15551234567 --text -
  gateway send --to 15551234567 --text 'Door open' --outbox /var/lib/gateway
  gateway send --outbox /var/lib/gateway        deliver what is left there

With --outbox the alert is on the disk before anything is sent, and what could not be delivered
is sent by a later run, after a crash or a power cut too. An alert that may have been sent is not
sent again by itself: --doubtful resend does that, at the risk of a second message. The exit code
is that of the alert on the command line; without one, of the gravest that the outbox holds.

A second credential, with _STANDBY behind its names (HEYMARKET_SECRET_ID_STANDBY, ...), takes over
when the first is refused.

Exit codes:
  0  delivered
  1  unexpected
  2  usage or configuration
  3  rejected for good, or the credential is refused
  4  not delivered, worth a retry: no connection, a certificate that is not trusted, 429, 5xx
  5  may have been delivered: exactly one request was sent, and no usable answer came";

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
    api: &'static Api,
    /// The inbox to send from [default: the first that the API lists]
    #[arg(
        long,
        value_name = "N",
        env = "HEYMARKET_INBOX_ID",
        requires = "creator"
    )]
    inbox: Option<u64>,
    /// The member in whose name it is sent [default: the inbox's first]
    #[arg(
        long,
        value_name = "N",
        env = "HEYMARKET_CREATOR_ID",
        requires = "inbox"
    )]
    creator: Option<u64>,
    /// For how many seconds delivery is tried
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(0..=86_400))]
    seconds: u64,
    /// Keep alerts in this directory until they are delivered
    #[arg(long, value_name = "DIR")]
    outbox: Option<PathBuf>,
    /// What to do with alerts in the outbox that may have been sent
    #[arg(long, value_name = "WHAT", default_value = "keep", requires = "outbox")]
    doubtful: Settled,
    /// What to do with alerts in the outbox that were rejected
    #[arg(long, value_name = "WHAT", default_value = "keep", requires = "outbox")]
    rejected: Settled,
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
enum Settled {
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

fn encoding(segments: &Segments) -> &'static str {
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

struct Sender<'s> {
    args: &'s SendArgs,
    connector: &'s Connector,
    secrets: &'s Secrets,
    standby: Option<&'s Secrets>,
    deadline: Instant,
}

impl Sender<'_> {
    fn send<S: Store<Error: 'static>, const SLOTS: usize>(
        &self,
        mut outbox: Outbox<S, SLOTS>,
        alert: Option<&Alert>,
    ) -> Result<Exit, Failure> {
        self.settle(&mut outbox)?;
        // From here on the alert is kept, whatever happens.
        let pushed = alert.map(|alert| outbox.push(alert)).transpose();
        let pushed = pushed.map_err(|error| Failure::new(Exit::Retry, error))?;
        let id = pushed.map(|pushed| pushed.id);
        if let (Some(id), Some(_)) = (id, &self.args.outbox) {
            output::note(format_args!("stored as {}", outbox.local_id(id)));
        }
        let outbox = RefCell::new(outbox);
        let queued = |entry: &sms_alert::Entry| entry.state == State::Queued;
        let is_idle = !outbox.borrow().entries().any(queued);
        let outcomes = match is_idle {
            true => Ok(Vec::new()),
            false => self.deliver(&outbox),
        };
        let outcomes = outcomes.map_err(|failure| match self.args.outbox {
            None => failure,
            Some(_) => {
                let message = format!("{failure}; nothing in the outbox is lost");
                let left = Left::of(&outbox.borrow());
                failure.saying(message).with("outbox", left.json())
            }
        })?;
        self.report(&outbox.borrow(), alert, id, &outcomes)
    }

    fn deliver<S: Store<Error: 'static>, const SLOTS: usize>(
        &self,
        outbox: &RefCell<Outbox<S, SLOTS>>,
    ) -> Result<Vec<Outcome>, Failure> {
        let api = self.connector.placed(self.args.api);
        let session = session::open_at(api, self.secrets, self.standby)?;
        let (account, session) = self.account(session)?;
        delivery::run(
            outbox,
            session,
            self.secrets,
            self.connector,
            account,
            self.deadline,
            &|step| output::note(step),
        )
    }

    /// Does with settled alerts what the options say.
    fn settle<S: Store, const SLOTS: usize>(
        &self,
        outbox: &mut Outbox<S, SLOTS>,
    ) -> Result<(), Failure> {
        let entries: Vec<(AlertId, State)> = outbox
            .entries()
            .map(|entry| (entry.id, entry.state))
            .collect();
        for (id, state) in entries {
            let what = match state {
                State::MaybeSent => self.args.doubtful,
                State::Rejected(_) => self.args.rejected,
                _ => Settled::Keep,
            };
            match what {
                Settled::Keep => Ok(()),
                Settled::Resend => outbox.resend(id),
                Settled::Discard => outbox.discard(id),
            }
            .map_err(|error| Failure::invalid(format_args!("alert {id}: {error}")))?;
        }
        Ok(())
    }

    /// Returns what messages are sent from: as told, or the first inbox that the API lists.
    fn account(&self, session: HostSession) -> Result<(Account<'static>, HostSession), Failure> {
        if let (Some(inbox_id), Some(creator_id)) = (self.args.inbox, self.args.creator) {
            let account = Account::Heymarket {
                inbox_id,
                creator_id,
            };
            return Ok((account, session));
        }
        let mut caller = Caller::with(session, self.secrets, self.connector);
        let answer = loop {
            let failure = match caller.call(Call::get(self.args.api.check.path)) {
                Ok(answer) => break answer,
                Err(failure) => failure,
            };
            let in_time = Instant::now() + LOOKUP_INTERVAL < self.deadline;
            if caller.has_remedy() {
                output::note(format_args!("{failure}; trying again"));
            } else if failure.exit == Exit::Retry && in_time {
                output::note(format_args!("{failure}; trying again"));
                thread::sleep(LOOKUP_INTERVAL);
            } else {
                return Err(failure);
            }
        };
        let inboxes = Inbox::list(&answer.text);
        let chosen = inboxes
            .iter()
            .find_map(|inbox| Some((inbox, *inbox.members.first()?)));
        let (inbox, creator_id) = chosen.ok_or_else(|| {
            Failure::usage(
                "the API lists no inbox with a member: name them with --inbox and --creator",
            )
        })?;
        output::note(format_args!(
            "sending from inbox {} ({}) as member {creator_id}; --inbox and --creator choose others",
            inbox.id, inbox.name
        ));
        let account = Account::Heymarket {
            inbox_id: inbox.id,
            creator_id,
        };
        Ok((account, caller.into_session()))
    }

    fn report<S: Store, const SLOTS: usize>(
        &self,
        outbox: &Outbox<S, SLOTS>,
        alert: Option<&Alert>,
        id: Option<AlertId>,
        outcomes: &[Outcome],
    ) -> Result<Exit, Failure> {
        let left = Left::of(outbox);
        let untried = |id| Outcome {
            id,
            exit: Exit::Retry,
            message: "not delivered: there was no time to try it".into(),
            message_id: None,
            request_id: String::new(),
            status: 0,
            attempts: 0,
        };
        let own = id.map(|id| {
            let tried = outcomes.iter().find(|outcome| outcome.id == id);
            tried.cloned().unwrap_or_else(|| untried(id))
        });
        let exit = own.as_ref().map_or(left.exit(), |own| own.exit);
        if self.args.json {
            let shown: Vec<Value> = outcomes
                .iter()
                .map(|outcome| outcome.json(&outbox.local_id(outcome.id)))
                .collect();
            let mut object = match &own {
                Some(outcome) => outcome.json(&outbox.local_id(outcome.id)),
                None => json!({ "ok": exit == Exit::Done, "exit": exit as u8 }),
            };
            if let (Some(alert), Some(object)) = (alert, object.as_object_mut()) {
                let segments = Segments::of(alert.text());
                object.insert("segments".into(), segments.count.into());
                object.insert("encoding".into(), encoding(&segments).into());
            }
            if let (Some(_), Some(object)) = (&self.args.outbox, object.as_object_mut()) {
                object.insert("alerts".into(), shown.into());
                object.insert("outbox".into(), left.json());
            }
            output::line(object)?;
            return Ok(exit);
        }
        if let Some(outcome) = &own {
            match outcome.exit {
                Exit::Done => output::line(&outcome.message)?,
                _ => output::note(format_args!("error: {}", outcome.message)),
            }
        }
        if self.args.outbox.is_some() {
            output::line(format_args!(
                "outbox: {} waiting, {} may have been sent, {} rejected, {} damaged",
                left.queued, left.doubtful, left.rejected, left.unreadable
            ))?;
        }
        Ok(exit)
    }
}
