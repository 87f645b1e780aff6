//! Clock, slots, authorizers and decisions of one API, tied together.

use core::fmt;

use jwt_core::MacEngine;

use crate::api::Api;
use crate::authorization::Authorization;
use crate::authorizer::{AuthorizeError, Authorizer};
use crate::clock::{Clock, Skew};
use crate::decide::{Action, Facts, Rejection, decide, skew};
use crate::slots::{Slot, SlotError, SlotState, Slots};
use crate::state::State;

/// What keeps a device authorized with one API: ask it for a header, tell it what came back.
///
/// Every action of [`decide`] that concerns the clock or the slots is carried out here before it is
/// returned; the caller sends again, waits, and persists [`slots`](Self::slots) and
/// [`Clock::floor_secs`] when they have changed. A step of a rotation is persisted at once; a switch
/// that an answer caused may wait for the next accepted request, which spares the flash while both
/// credentials are refused.
///
/// ```
/// use api_auth::{
///     Action, Answer, Api, Authorizer, Clock, Credential, Facts, Policy, Session, Slot, Slots,
/// };
///
/// let clock = Clock::new(1_713_000_000, 0);
/// let mut session = Session::<_, 64>::new(&Api::HEYOO, clock, Slots::EMPTY, None, None);
/// for (slot, key) in [(Slot::A, "hey_first1"), (Slot::B, "hey_second2")] {
///     let credential = Credential::new(&Api::HEYOO, None, key, Policy::FIELD)?;
///     session.deploy(slot, Authorizer::new(&credential)?)?;
/// }
///
/// assert_eq!(session.authorize(1_000)?.value(), "Bearer hey_first1");
/// let refused = Facts::new(Answer::Status(401));
/// assert_eq!(session.answered(&refused, 2_000), Action::SwitchSecret { to: Slot::B });
/// assert_eq!(session.authorize(2_000)?.value(), "Bearer hey_second2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session<'a, E: MacEngine, const N: usize> {
    api: &'a Api,
    clock: Clock,
    state: State,
    a: Option<Authorizer<E, N>>,
    b: Option<Authorizer<E, N>>,
}

/// What an API's check says about the credential in the standby slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It was accepted; persist the slots.
    Works,
    /// It was recognised, but may not do what the check asks: see to its permissions.
    Forbidden,
    /// It was refused: retire it, and deploy another.
    Refused,
    /// The clock was wrong and is corrected: check again at once.
    ClockCorrected,
    /// The answer says nothing about it: check again after so many seconds, or the caller's backoff.
    Unclear {
        /// Seconds that the server asked for, 0 if it didn't.
        after_secs: u32,
    },
}

impl<'a, E: MacEngine, const N: usize> Session<'a, E, N> {
    /// Returns a session with the slots as persisted, and the credentials that they hold.
    ///
    /// A slot whose credential is missing becomes empty, and the other one active if there is one. So pass
    /// `None` for a credential that is gone for good, not for one whose storage failed just now. What an
    /// empty slot still holds, after a power cut, is dropped.
    pub fn new(
        api: &'a Api,
        clock: Clock,
        mut slots: Slots,
        a: Option<Authorizer<E, N>>,
        b: Option<Authorizer<E, N>>,
    ) -> Self {
        for (slot, credential) in [(Slot::A, &a), (Slot::B, &b)] {
            if credential.is_none() {
                slots = slots.lost(slot);
            }
        }
        Self {
            api,
            clock,
            state: State::new(slots),
            a: a.filter(|_| slots.state(Slot::A) != SlotState::Empty),
            b: b.filter(|_| slots.state(Slot::B) != SlotState::Empty),
        }
    }

    /// Returns the API.
    pub const fn api(&self) -> &'a Api {
        self.api
    }

    /// Returns the clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the clock, to be [set](Clock::set).
    pub const fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// Returns the slots; persist them when they have changed.
    pub const fn slots(&self) -> Slots {
        self.state.slots()
    }

    /// Takes a new credential, already stored, into an empty slot: persist the slots after it.
    ///
    /// # Errors
    /// [`SlotError::Occupied`].
    pub fn deploy(&mut self, slot: Slot, authorizer: Authorizer<E, N>) -> Result<(), SlotError> {
        self.state.set_slots(self.slots().deployed(slot)?);
        *self.authorizer(slot) = Some(authorizer);
        Ok(())
    }

    /// Makes the standby the active slot: persist the slots after it.
    ///
    /// # Errors
    /// [`SlotError::NotVerified`].
    pub fn promote(&mut self) -> Result<(), SlotError> {
        self.state.set_slots(self.slots().promoted()?);
        Ok(())
    }

    /// Drops the standby's credential: persist the slots after it, then erase what is stored.
    pub fn retire(&mut self) {
        let slots = self.slots();
        *self.authorizer(slots.standby()) = None;
        self.state.set_slots(slots.retired());
    }

    /// Returns the header of a request that starts now, at an uptime in milliseconds.
    ///
    /// # Errors
    /// [`AuthorizeError::NoCredential`] and those of [`Authorizer::authorize`].
    pub fn authorize(
        &mut self,
        uptime_ms: u64,
    ) -> Result<&Authorization<N>, AuthorizeError<E::Error>> {
        self.authorize_slot(self.slots().active(), uptime_ms)
    }

    /// Returns the header of an API's check of the standby slot.
    ///
    /// # Errors
    /// As [`authorize`](Self::authorize).
    pub fn authorize_standby(
        &mut self,
        uptime_ms: u64,
    ) -> Result<&Authorization<N>, AuthorizeError<E::Error>> {
        self.authorize_slot(self.slots().standby(), uptime_ms)
    }

    fn authorize_slot(
        &mut self,
        slot: Slot,
        uptime_ms: u64,
    ) -> Result<&Authorization<N>, AuthorizeError<E::Error>> {
        let now = self.clock.now(uptime_ms);
        match self.authorizer(slot) {
            Some(authorizer) => authorizer.authorize(now),
            None => Err(AuthorizeError::NoCredential),
        }
    }

    /// Learns from the answer to a request with the active slot's credential, and says what to do.
    pub fn answered(&mut self, facts: &Facts, uptime_ms: u64) -> Action {
        let used = self.slots().active();
        let (action, state) = decide(self.api, facts, &self.clock, uptime_ms, &self.state);
        self.state = state;
        self.apply(action, used, facts, uptime_ms);
        action
    }

    /// Learns from the answer to an API's check with the standby slot's credential.
    ///
    /// The active slot is none the worse for it.
    pub fn standby_answered(&mut self, facts: &Facts, uptime_ms: u64) -> Check {
        let used = self.slots().standby();
        let (action, state) = decide(self.api, facts, &self.clock, uptime_ms, &self.state);
        self.apply(action, used, facts, uptime_ms);
        match action {
            Action::Accepted { .. } => {
                self.state.set_slots(self.slots().accepted(used));
                Check::Works
            }
            Action::CorrectClock { .. } => {
                self.state = state;
                Check::ClockCorrected
            }
            Action::SwitchSecret { .. } | Action::Refused { .. } => {
                match skew(self.api, facts, &self.clock, uptime_ms) {
                    Some((Skew::Beyond, _)) => Check::Unclear { after_secs: 0 },
                    _ => Check::Refused,
                }
            }
            Action::Rejected(Rejection::Forbidden) => Check::Forbidden,
            Action::Retry { after_secs } | Action::ClockWrong { after_secs } => {
                Check::Unclear { after_secs }
            }
            Action::Rejected(_) | Action::MaybeSent => Check::Unclear { after_secs: 0 },
        }
    }

    /// Carries out what an action means for the clock and for the token that was `used`.
    fn apply(&mut self, action: Action, used: Slot, facts: &Facts, uptime_ms: u64) {
        match action {
            Action::Accepted { .. } => {
                if let Some(server_secs) = facts.date.filter(|_| facts.secure) {
                    self.clock.confirm(server_secs, uptime_ms);
                }
            }
            Action::CorrectClock { server_secs } => {
                // Can't fail: the decision asked the same clock whether it can be corrected.
                let _ = self.clock.learn(server_secs, uptime_ms);
                self.renew(used);
            }
            Action::SwitchSecret { .. } | Action::Refused { .. } | Action::ClockWrong { .. } => {
                self.renew(used);
            }
            Action::Retry { .. } | Action::MaybeSent | Action::Rejected(_) => {}
        }
    }

    fn renew(&mut self, slot: Slot) {
        if let Some(authorizer) = self.authorizer(slot) {
            authorizer.renew();
        }
    }

    const fn authorizer(&mut self, slot: Slot) -> &mut Option<Authorizer<E, N>> {
        match slot {
            Slot::A => &mut self.a,
            Slot::B => &mut self.b,
        }
    }
}

impl<E: MacEngine, const N: usize> fmt::Debug for Session<'_, E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("api", &self.api.name)
            .field("clock", &self.clock)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
