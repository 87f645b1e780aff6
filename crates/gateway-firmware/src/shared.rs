//! What the parts of a serving application share; each borrows it for moments, never across a wait.

use core::cell::RefCell;

use embassy_time::Instant;
use jwt_core::MacEngine;
use sms_alert::{Alert, Outbox, OutboxError, Pushed, State};

use crate::board::{Board, ChipKeys};
use crate::common::Common;
use crate::configuration::Configuration;
use crate::records::{OUTBOX_SLOTS, OutboxRecords, RecordsError};
use crate::refusal::BoardRefusal;

/// The outbox in the board's flash.
pub(crate) type BoardOutbox<'a, F> = Outbox<OutboxRecords<'a, F>, OUTBOX_SLOTS>;

/// The error of the board's flash.
pub(crate) type FlashError<B> =
    <<B as Board>::Flash as embedded_storage::nor_flash::ErrorType>::Error;

/// A key in the board's chip.
pub(crate) type ChipKey<B> = <<B as Board>::ChipKeys as ChipKeys>::Key;

/// The error of it.
pub(crate) type ChipKeyError<B> = <ChipKey<B> as MacEngine>::Error;

/// The error of the outbox in the flash.
pub(crate) type PushError<B> = OutboxError<RecordsError<FlashError<B>>>;

pub(crate) struct Shared<'a, B: Board> {
    pub common: &'a Common<'a, B>,
    pub configuration: &'a Configuration,
    pub outbox: &'a RefCell<BoardOutbox<'a, B::Flash>>,
    /// Why nothing is sent, if nothing is.
    pub refusal: Option<&'a BoardRefusal<B>>,
}

impl<B: Board> Shared<'_, B> {
    /// Takes an alert into the outbox and wakes the sender.
    pub fn push(&self, alert: &Alert) -> Result<Pushed, PushError<B>> {
        let mut outbox = self
            .outbox
            .try_borrow_mut()
            .map_err(|_| OutboxError::Busy)?;
        let pushed = outbox.push(alert)?;
        self.common.wake.signal(());
        Ok(pushed)
    }

    /// Queues again what was held or refused, and returns how many alerts that are.
    pub fn resend(&self) -> Result<usize, PushError<B>> {
        let mut outbox = self
            .outbox
            .try_borrow_mut()
            .map_err(|_| OutboxError::Busy)?;
        let held: heapless::Vec<_, OUTBOX_SLOTS> = outbox
            .entries()
            .filter(|entry| matches!(entry.state, State::MaybeSent | State::Rejected(_)))
            .map(|entry| entry.id)
            .collect();
        for id in &held {
            outbox.resend(*id)?;
        }
        self.common.wake.signal(());
        Ok(held.len())
    }
}

/// Returns the milliseconds since the start.
pub(crate) fn uptime_ms() -> u64 {
    Instant::now().as_millis()
}
