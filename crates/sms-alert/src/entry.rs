//! What is known of an alert in the outbox, and the rules for it.

use crate::alert::Priority;
use crate::local_id::AlertId;
#[cfg(doc)]
use crate::outbox::Outbox;

/// What becomes of an alert that may have been sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaybeSentPolicy {
    /// It is reported and kept, and not sent again until [`Outbox::resend`] says so: no duplicates.
    #[default]
    Hold,
    /// It is sent again with the same `local_id` until [`MAX_DOUBTS`] requests for it, restarts included, have left a
    /// doubt, and then held: a duplicate rather than a gap.
    Resend,
}

impl MaybeSentPolicy {
    /// Returns where an alert stands after so many doubts.
    pub(crate) const fn after(self, doubts: u8) -> State {
        match self {
            Self::Resend if doubts < MAX_DOUBTS => State::Queued,
            Self::Resend | Self::Hold => State::MaybeSent,
        }
    }
}

/// Most requests for an alert that leave a doubt: half a day of them at the default backoff.
///
/// A server that acts and never answers makes a duplicate of each, and most alerts have no expiry to end that.
pub const MAX_DOUBTS: u8 = 250;

/// What becomes of an alert that finds the outbox full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused.
    #[default]
    Refuse,
    /// It takes the place of an alert that waits for no more than an operator, or else of the
    /// oldest alert of lower priority; without either it is refused.
    DropLower,
}

/// The stated choices of an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What becomes of an alert that may have been sent.
    pub maybe_sent: MaybeSentPolicy,
    /// What becomes of an alert that finds the outbox full.
    pub when_full: WhenFull,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// An attempt is under way.
    Sending,
    /// It may have been sent and is held, see [`MaybeSentPolicy::Hold`].
    MaybeSent,
    /// The server refused it with this status; sending it again is of no use.
    Rejected(u16),
    /// Its record can't be read.
    Unreadable,
}

/// What the outbox remembers of an alert without reading its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The alert's number; the one of an unreadable record is not that of the alert it held.
    pub id: AlertId,
    /// The alert's priority.
    pub priority: Priority,
    /// Where it stands.
    pub state: State,
    /// Whether an earlier request for it may have been acted upon, so that the next can be a duplicate.
    pub doubtful: bool,
    /// The Unix time in seconds from which it is of no use.
    pub expires_at: Option<u64>,
    /// The attempts since the start that ended without a settlement.
    pub failures: u16,
    /// The attempts since it was pushed or released after which the server may have acted, earlier starts' included.
    pub doubts: u8,
    /// The uptime in milliseconds before which it is not tried.
    pub due_ms: u64,
    /// Whether the store says that a request may have reached the server.
    pub(crate) stored_sending: bool,
    /// Whether the attempt under way may have sent something.
    pub(crate) begun: bool,
}

/// What [`Outbox::push`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The number of the new alert.
    pub id: AlertId,
    /// The alert that gave way to it.
    pub dropped: Option<Entry>,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this alert.
    Send(AlertId),
    /// Nothing until this uptime in milliseconds.
    At(u64),
    /// Nothing until an alert is pushed or released.
    Nothing,
}

impl Entry {
    /// An entry with a number that no alert has: openings never get that far.
    pub(crate) const fn unreadable(index: u16) -> Self {
        Self {
            id: AlertId(u64::MAX - index as u64),
            priority: Priority::Normal,
            state: State::Unreadable,
            doubtful: true,
            expires_at: None,
            failures: 0,
            doubts: 0,
            due_ms: 0,
            stored_sending: false,
            begun: false,
        }
    }
}
