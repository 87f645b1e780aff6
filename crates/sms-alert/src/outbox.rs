//! The alerts that are not settled yet, in a store that outlasts a power cut.
//!
//! | an alert is | in the store | after a restart |
//! | --- | --- | --- |
//! | pushed | queued, before [`push`](Outbox::push) returns | queued |
//! | about to be sent | sending, before the first byte of the request | may have been sent |
//! | answered "not now" | queued again | queued; may have been sent, if an earlier request was left without a usable answer |
//! | answered "never" | rejected, with the status | rejected |
//! | left without a usable answer | sending, as it was | may have been sent |
//! | delivered | removed | |
//!
//! So the store errs to one side only: an alert that was delivered a moment before the power went
//! comes back as one that may have been sent, never as one that was not.

use core::fmt;

use crate::alert::{Alert, Priority};
use crate::entry::{Entry, Next, Pushed, Rules, State, WhenFull};
use crate::local_id::{AlertId, DeviceName, LocalIdText};
use crate::record::{self, MAX_RECORD_LEN, Record, Stored};
use crate::store::Store;

/// The record that counts openings; alerts have the ones after it.
const OPENINGS: u16 = 0;

/// A bounded queue of alerts in a [`Store`]; `SLOTS` alerts fit, and the store needs `SLOTS + 1` records of
/// [`MAX_RECORD_LEN`] bytes.
pub struct Outbox<S: Store, const SLOTS: usize> {
    store: S,
    device: DeviceName,
    rules: Rules,
    next: AlertId,
    slots: [Option<Entry>; SLOTS],
}

impl<S: Store, const SLOTS: usize> Outbox<S, SLOTS> {
    /// Opens the outbox: reads what the store holds and writes one record, the count of openings.
    ///
    /// `seed`, a random number, is where the count starts in an empty store, and how far it goes on when it
    /// can't be read, so that a device whose store was erased or damaged does not repeat the numbers it
    /// had before.
    ///
    /// # Errors
    /// When the count can't be written.
    pub fn open(
        store: S,
        device: DeviceName,
        rules: Rules,
        seed: u32,
    ) -> Result<Self, OutboxError<S::Error>> {
        const { assert!(SLOTS > 0 && SLOTS < u16::MAX as usize) };
        let mut outbox = Self {
            store,
            device,
            rules,
            next: AlertId::first(0),
            slots: [None; SLOTS],
        };
        let mut buffer = [0; MAX_RECORD_LEN];
        let count = outbox
            .read(OPENINGS, &mut buffer)
            .and_then(record::decode_opening);
        let mut last = count;
        for slot in 0..SLOTS {
            let index = index(slot);
            let entry = match outbox.store.get(index, &mut buffer) {
                Ok(None) => continue,
                Ok(Some(length)) => Record::decode(buffer.get(..length).unwrap_or_default()).ok(),
                Err(_) => None,
            };
            let entry = entry.map_or(Entry::unreadable(index), |record| {
                last = last.max(Some(record.id().opening()));
                outbox.restored(&record)
            });
            if let Some(place) = outbox.slots.get_mut(slot) {
                *place = Some(entry);
            }
        }
        let unknown = if count.is_none() { seed >> 1 } else { 0 };
        let opening = last.map_or(0, |last| last.wrapping_add(1));
        let opening = opening.wrapping_add(unknown);
        outbox
            .store
            .put(OPENINGS, &record::encode_opening(opening))
            .map_err(OutboxError::Store)?;
        outbox.next = AlertId::first(opening);
        Ok(outbox)
    }

    /// Takes in an alert; when this returns, the alert is in the store.
    ///
    /// # Errors
    /// [`OutboxError::Full`] when the outbox is full and no alert gives way, or the store's error;
    /// the outbox is as it was.
    pub fn push(&mut self, alert: &Alert) -> Result<Pushed, OutboxError<S::Error>> {
        let slot = self.place_for(alert.priority).ok_or(OutboxError::Full)?;
        let id = self.next;
        let record = Record {
            id: id.0,
            stored: Stored::Queued,
            doubtful: false,
            alert: alert.clone(),
            doubts: 0,
        };
        self.write(slot, &record)?;
        self.next = id.next();
        let entry = self.restored(&record);
        let dropped = self
            .slots
            .get_mut(slot)
            .and_then(|place| place.replace(entry));
        Ok(Pushed { id, dropped })
    }

    /// Returns what is to be done at `now_ms`, milliseconds of uptime: the oldest due alert of the
    /// highest priority comes first.
    pub fn next(&self, now_ms: u64) -> Next {
        let queued = || self.entries().filter(|entry| entry.state == State::Queued);
        let due = queued().filter(|entry| entry.due_ms <= now_ms);
        if let Some(entry) = due.min_by_key(|entry| (core::cmp::Reverse(entry.priority), entry.id))
        {
            return Next::Send(entry.id);
        }
        match queued().map(|entry| entry.due_ms).min() {
            Some(due_ms) => Next::At(due_ms),
            None => Next::Nothing,
        }
    }

    /// Removes one queued alert that has expired by `unix_secs` and returns what it was.
    ///
    /// # Errors
    /// The store's error; the alert is still there.
    pub fn expire(&mut self, unix_secs: u64) -> Result<Option<Entry>, OutboxError<S::Error>> {
        let is_expired = |entry: &&Entry| {
            entry.state == State::Queued && entry.expires_at.is_some_and(|at| at <= unix_secs)
        };
        let Some(entry) = self.entries().find(is_expired).copied() else {
            return Ok(None);
        };
        self.remove(entry.id)?;
        Ok(Some(entry))
    }

    /// Takes a queued alert for an attempt: it is not handed out again and does not give way until
    /// the attempt is settled. Nothing is written.
    ///
    /// # Errors
    /// [`OutboxError::Unknown`] when it is not queued.
    pub fn take(&mut self, id: AlertId) -> Result<Entry, OutboxError<S::Error>> {
        let slot = self.find(id, |state| state == State::Queued)?;
        self.update(slot, |entry| {
            entry.state = State::Sending;
            entry.begun = false;
        });
        self.entry(id).copied().ok_or(OutboxError::Unknown)
    }

    /// Settles an attempt of which nothing is known, if one is under way: it leaves a doubt if it had
    /// [begun](Self::begin).
    pub fn abandon(&mut self, id: AlertId) {
        let Ok(slot) = self.find(id, |state| state == State::Sending) else {
            return;
        };
        match self.entry(id).is_some_and(|entry| entry.begun) {
            // Can't fail: the alert is being sent.
            true => self.doubt(id, 0).unwrap_or_default(),
            false => self.update(slot, |entry| entry.state = State::Queued),
        }
    }

    /// Writes down that the request of a taken alert is about to be sent; call it before the first byte.
    ///
    /// # Errors
    /// The store's error: then don't send.
    pub fn begin(&mut self, id: AlertId) -> Result<(), OutboxError<S::Error>> {
        let slot = self.find(id, |state| state == State::Sending)?;
        self.rewrite(slot, Stored::Sending)?;
        self.update(slot, |entry| {
            entry.stored_sending = true;
            entry.begun = true;
        });
        Ok(())
    }

    /// Settles an attempt that has certainly sent nothing: the alert is due again at `due_ms`.
    ///
    /// # Errors
    /// The store's error: after a restart the alert will count as one that may have been sent.
    pub fn postpone(&mut self, id: AlertId, due_ms: u64) -> Result<(), OutboxError<S::Error>> {
        let slot = self.find(id, |state| state == State::Sending)?;
        let mut was_stored = false;
        self.update(slot, |entry| {
            entry.state = State::Queued;
            entry.due_ms = due_ms;
            entry.failures = entry.failures.saturating_add(1);
            was_stored = core::mem::take(&mut entry.stored_sending);
        });
        match was_stored {
            true => self.rewrite(slot, Stored::Queued),
            false => Ok(()),
        }
    }

    /// Settles an attempt after which the server may have acted: the policy decides. Nothing is
    /// written, for the store already says so.
    ///
    /// # Errors
    /// [`OutboxError::Unknown`] when the alert is not being sent.
    pub fn doubt(&mut self, id: AlertId, due_ms: u64) -> Result<(), OutboxError<S::Error>> {
        let slot = self.find(id, |state| state == State::Sending)?;
        let policy = self.rules.maybe_sent;
        self.update(slot, |entry| {
            entry.doubtful = true;
            entry.due_ms = due_ms;
            entry.failures = entry.failures.saturating_add(1);
            entry.doubts = entry.doubts.saturating_add(1);
            entry.state = policy.after(entry.doubts);
        });
        Ok(())
    }

    /// Settles an attempt that the server has refused for good: the alert is kept until
    /// [`resend`](Self::resend) or [`discard`](Self::discard).
    ///
    /// # Errors
    /// The store's error: after a restart the alert will count as one that may have been sent.
    pub fn reject(&mut self, id: AlertId, status: u16) -> Result<(), OutboxError<S::Error>> {
        let slot = self.find(id, |state| state == State::Sending)?;
        self.update(slot, |entry| entry.state = State::Rejected(status));
        self.rewrite(slot, Stored::Rejected(status))
    }

    /// Settles an attempt that has succeeded: the alert is removed.
    ///
    /// # Errors
    /// The store's error: the alert now counts as one that may have been sent and is held.
    pub fn delivered(&mut self, id: AlertId) -> Result<(), OutboxError<S::Error>> {
        let slot = self.find(id, |state| state == State::Sending)?;
        self.update(slot, |entry| entry.state = State::MaybeSent);
        self.remove(id)
    }

    /// Queues an alert again that was held or rejected.
    ///
    /// # Errors
    /// [`OutboxError::Unknown`] when there is no such alert, or the store's error.
    pub fn resend(&mut self, id: AlertId) -> Result<(), OutboxError<S::Error>> {
        let is_settled = |state| matches!(state, State::MaybeSent | State::Rejected(_));
        let slot = self.find(id, is_settled)?;
        self.rewrite_with(slot, Stored::Queued, 0)?;
        self.update(slot, |entry| {
            entry.state = State::Queued;
            entry.stored_sending = false;
            entry.doubts = 0;
            entry.due_ms = 0;
        });
        Ok(())
    }

    /// Removes an alert that no attempt is under way for.
    ///
    /// # Errors
    /// [`OutboxError::Unknown`] when there is no such alert, or the store's error.
    pub fn discard(&mut self, id: AlertId) -> Result<(), OutboxError<S::Error>> {
        self.find(id, |state| state != State::Sending)?;
        self.remove(id)
    }

    /// Returns what is known of each alert, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().flatten()
    }

    /// Returns what is known of an alert.
    pub fn entry(&self, id: AlertId) -> Option<&Entry> {
        self.entries().find(|entry| entry.id == id)
    }

    /// Reads an alert.
    ///
    /// # Errors
    /// [`OutboxError::Unknown`] when there is no such alert, [`OutboxError::Unreadable`], after which it
    /// is set aside as such, or the store's error.
    pub fn alert(&mut self, id: AlertId) -> Result<Alert, OutboxError<S::Error>> {
        let slot = self.find(id, |_| true)?;
        let loaded = self.load(slot).map(|record| record.alert);
        if let Err(OutboxError::Unreadable) = loaded {
            self.update(slot, |entry| entry.state = State::Unreadable);
        }
        loaded
    }

    /// Returns the `local_id` that the API is told for this alert.
    pub fn local_id(&self, id: AlertId) -> LocalIdText {
        self.device.local_id(id)
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    fn restored(&self, record: &Record) -> Entry {
        let doubts = match record.stored {
            Stored::Queued | Stored::Rejected(_) => record.doubts,
            // The request that was under way left one more.
            Stored::Sending => record.doubts.saturating_add(1),
        };
        let (state, doubtful) = match record.stored {
            // An earlier doubt was no reason to hold it then, which the policy now may make it.
            Stored::Queued if doubts > 0 => (self.rules.maybe_sent.after(doubts), true),
            Stored::Queued => (State::Queued, record.doubtful),
            Stored::Rejected(status) => (State::Rejected(status), record.doubtful),
            Stored::Sending => (self.rules.maybe_sent.after(doubts), true),
        };
        Entry {
            id: record.id(),
            priority: record.alert.priority,
            state,
            doubtful,
            expires_at: record.alert.expires_at,
            failures: 0,
            doubts,
            due_ms: 0,
            stored_sending: record.stored == Stored::Sending,
            begun: false,
        }
    }

    /// Returns a free slot, or the one whose alert gives way to one of this priority.
    fn place_for(&self, priority: Priority) -> Option<usize> {
        let slots = || self.slots.iter().enumerate();
        if let Some((slot, _)) = slots().find(|(_, place)| place.is_none()) {
            return Some(slot);
        }
        let rank = |entry: &Entry| match (self.rules.when_full, entry.state) {
            (WhenFull::Refuse, _) | (_, State::Sending | State::Unreadable) => None,
            (_, State::MaybeSent | State::Rejected(_)) if entry.priority <= priority => Some(0),
            (_, State::Queued) if entry.priority < priority => Some(1),
            _ => None,
        };
        slots()
            .filter_map(|(slot, place)| Some((slot, place.as_ref()?)))
            .filter_map(|(slot, entry)| Some(((rank(entry)?, entry.priority, entry.id), slot)))
            .min()
            .map(|(_, slot)| slot)
    }

    fn find(
        &self,
        id: AlertId,
        expected: impl Fn(State) -> bool,
    ) -> Result<usize, OutboxError<S::Error>> {
        let is_meant = |place: &Option<Entry>| {
            place.is_some_and(|entry| entry.id == id && expected(entry.state))
        };
        self.slots
            .iter()
            .position(is_meant)
            .ok_or(OutboxError::Unknown)
    }

    fn update(&mut self, slot: usize, change: impl FnOnce(&mut Entry)) {
        if let Some(Some(entry)) = self.slots.get_mut(slot) {
            change(entry);
        }
    }

    fn read<'b>(&mut self, index: u16, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let length = self.store.get(index, buffer).ok()??;
        buffer.get(..length)
    }

    fn load(&mut self, slot: usize) -> Result<Record, OutboxError<S::Error>> {
        let mut buffer = [0; MAX_RECORD_LEN];
        let length = self
            .store
            .get(index(slot), &mut buffer)
            .map_err(OutboxError::Store)?;
        let bytes = length
            .and_then(|length| buffer.get(..length))
            .unwrap_or_default();
        Record::decode(bytes).map_err(|_| OutboxError::Unreadable)
    }

    /// Writes the record of a slot anew, with what the entry knows of doubts.
    fn rewrite(&mut self, slot: usize, stored: Stored) -> Result<(), OutboxError<S::Error>> {
        let entry = self.slots.get(slot).copied().flatten();
        self.rewrite_with(slot, stored, entry.map_or(0, |entry| entry.doubts))
    }

    fn rewrite_with(
        &mut self,
        slot: usize,
        stored: Stored,
        doubts: u8,
    ) -> Result<(), OutboxError<S::Error>> {
        let mut record = self.load(slot)?;
        record.stored = stored;
        record.doubts = doubts;
        if let Some(Some(entry)) = self.slots.get(slot) {
            record.doubtful = entry.doubtful;
        }
        self.write(slot, &record)
    }

    fn write(&mut self, slot: usize, record: &Record) -> Result<(), OutboxError<S::Error>> {
        let mut buffer = [0; MAX_RECORD_LEN];
        // The buffer has room for the longest record.
        let bytes = record
            .encode(&mut buffer)
            .map_err(|_| OutboxError::Unreadable)?;
        self.store
            .put(index(slot), bytes)
            .map_err(OutboxError::Store)
    }

    fn remove(&mut self, id: AlertId) -> Result<(), OutboxError<S::Error>> {
        let slot = self.find(id, |_| true)?;
        self.store.remove(index(slot)).map_err(OutboxError::Store)?;
        if let Some(place) = self.slots.get_mut(slot) {
            *place = None;
        }
        Ok(())
    }
}

/// Returns the number of the record of a slot; there are fewer slots than numbers.
const fn index(slot: usize) -> u16 {
    (slot as u16).saturating_add(1)
}

/// Says why the outbox has not done what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutboxError<E> {
    /// Every slot is taken and no alert gives way.
    Full,
    /// There is no such alert, or it is not in the state for this.
    Unknown,
    /// The alert's record can't be read.
    Unreadable,
    /// The outbox is borrowed elsewhere.
    Busy,
    /// The store failed.
    Store(E),
}

impl<E: fmt::Display> fmt::Display for OutboxError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "the outbox is full: deliver, resend or discard what it holds, or raise the priority",
            ),
            Self::Unknown => f.write_str("the outbox holds no such alert in this state"),
            Self::Unreadable => f.write_str("the alert's record is damaged: discard it"),
            Self::Busy => f.write_str("the outbox is in use: borrow it for moments only"),
            Self::Store(error) => write!(f, "the outbox's store failed: {error}"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for OutboxError<E> {}
