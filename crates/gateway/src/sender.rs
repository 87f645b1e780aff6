//! The work of `gateway send`: the alert goes into the outbox, the outbox is delivered, and what became of it is printed.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sms_alert::{Account, Alert, AlertId, Outbox, Segments, State, Store};

use crate::check;
use crate::client::Caller;
use crate::connector::Connector;
use crate::credentials::Secrets;
use crate::delivery::{self, Progress};
use crate::exit::{Exit, Failure};
use crate::inbox::Inbox;
use crate::outcome::{Left, Outcome};
use crate::output;
use crate::send::{SendArgs, Settled, encoding};
use crate::session::{self, HostSession};

/// How often a server that can't be reached is asked for its inboxes again.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(2);

/// Sends the alert of the command line, and those of the outbox.
pub struct Sender<'s> {
    /// What was asked for.
    pub args: &'s SendArgs,
    /// Where to.
    pub connector: &'s Connector,
    /// By whose authority.
    pub secrets: &'s Secrets,
    /// What takes over when that is refused.
    pub standby: Option<&'s Secrets>,
    /// Until when.
    pub deadline: Instant,
}

impl Sender<'_> {
    /// Pushes the alert, delivers what is due, prints what became of it.
    pub fn send<S: Store<Error: 'static>, const SLOTS: usize>(
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
            false => self.deliver(&outbox, id),
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
        own: Option<AlertId>,
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
            // What the run ends with is said at its end.
            &|progress| match progress {
                Progress::Attempt(outcome)
                    if Some(outcome.id) == own && !outcome.will_be_retried() => {}
                progress => output::note(progress),
            },
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
            let failure = match check::ask(&mut caller, self.args.api) {
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
        let own = id.map(|id| {
            let tried = outcomes.iter().find(|outcome| outcome.id == id);
            tried.cloned().unwrap_or_else(|| Outcome::untried(id))
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
            output::done(output::json_text(&object));
            return Ok(exit);
        }
        if let Some(outcome) = &own {
            match outcome.exit {
                Exit::Done => output::done(&outcome.message),
                _ => output::note(format_args!("error: {}", outcome.message)),
            }
        }
        if self.args.outbox.is_some() {
            output::done(format_args!(
                "outbox: {} waiting, {} may have been sent, {} rejected, {} damaged",
                left.queued, left.doubtful, left.rejected, left.unreadable
            ));
        }
        Ok(exit)
    }
}
