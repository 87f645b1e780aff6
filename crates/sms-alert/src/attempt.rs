//! One alert in the hands of the client: taken from the outbox, and settled in it whatever happens.

use core::cell::RefCell;

use crate::local_id::AlertId;
use crate::message::{Account, MessageError};
use crate::outbox::{Outbox, OutboxError};
use crate::report::Report;
use crate::store::Store;
use crate::verdict::Verdict;

/// An attempt under way; dropped unsettled, it counts as one without an answer if it had begun, or else as none.
pub(crate) struct Attempt<'o, S: Store, const SLOTS: usize> {
    outbox: &'o RefCell<Outbox<S, SLOTS>>,
    id: AlertId,
    failures: u16,
    doubtful: bool,
}

impl<'o, S: Store, const SLOTS: usize> Attempt<'o, S, SLOTS> {
    pub fn take(
        outbox: &'o RefCell<Outbox<S, SLOTS>>,
        id: AlertId,
    ) -> Result<Self, OutboxError<S::Error>> {
        let mut borrowed = outbox.try_borrow_mut().map_err(|_| OutboxError::Busy)?;
        let entry = borrowed.take(id)?;
        Ok(Self {
            outbox,
            id,
            failures: entry.failures,
            doubtful: entry.doubtful,
        })
    }

    /// Returns the attempts before this one that came to nothing.
    pub const fn failures(&self) -> u16 {
        self.failures
    }

    /// Writes the body of the request into `out` and returns its length.
    pub fn body(
        &self,
        account: &Account<'_>,
        out: &mut [u8],
    ) -> Result<Result<usize, MessageError>, OutboxError<S::Error>> {
        let mut outbox = self
            .outbox
            .try_borrow_mut()
            .map_err(|_| OutboxError::Busy)?;
        let alert = outbox.alert(self.id)?;
        let local_id = outbox.local_id(self.id);
        Ok(account.body(&alert, &local_id, out).map(<[u8]>::len))
    }

    /// Writes down that the request is about to be sent.
    pub fn begin(&self) -> Result<(), OutboxError<S::Error>> {
        let mut outbox = self
            .outbox
            .try_borrow_mut()
            .map_err(|_| OutboxError::Busy)?;
        outbox.begin(self.id)
    }

    /// Settles the alert by the verdict and completes the report.
    pub fn settle<C, E>(
        self,
        verdict: Verdict,
        due_ms: u64,
        mut report: Report<C, E, S::Error>,
    ) -> Report<C, E, S::Error> {
        let settled = match self.outbox.try_borrow_mut() {
            Err(_) => Err(OutboxError::Busy),
            Ok(mut outbox) => match &verdict {
                Verdict::Delivered { .. } => outbox.delivered(self.id),
                Verdict::MaybeSent => outbox.doubt(self.id, due_ms),
                Verdict::Rejected(_) => outbox.reject(self.id, report.status),
                Verdict::RetryAt(_)
                | Verdict::FixClock(_)
                | Verdict::SwitchSecret(_)
                | Verdict::Refused => outbox.postpone(self.id, due_ms),
            },
        };
        report.id = self.id;
        report.doubtful = self.doubtful;
        report.verdict = verdict;
        report.unsettled = settled.err();
        report
    }
}

impl<S: Store, const SLOTS: usize> Drop for Attempt<'_, S, SLOTS> {
    fn drop(&mut self) {
        if let Ok(mut outbox) = self.outbox.try_borrow_mut() {
            outbox.abandon(self.id);
        }
    }
}
