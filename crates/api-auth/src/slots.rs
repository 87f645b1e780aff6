//! Two slots for credentials, and the order in which one replaces the other without downtime.
//!
//! APIs let two secrets exist at once, so that a new one is in use before the old one is revoked.
//! [`Slots`] says how far that has come. It is a record of [`Slots::RECORD_LEN`] bytes that is persisted
//! after every step; the credentials themselves are stored elsewhere, one per slot.

use core::fmt;

/// One of the two places for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// Returns the other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// What is known of the credential in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// There is none; what the storage holds all the same is to be erased.
    Empty,
    /// It is stored, and the server hasn't seen it.
    Trial,
    /// The server has accepted it; it waits for its promotion.
    Verified,
    /// It has been promoted, or taken over when the other was refused.
    Good,
    /// The other one has replaced it; it is to be revoked.
    Retiring,
}

/// What comes next in a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Store a credential in the slot, then persist [`Slots::deployed`].
    Deploy(Slot),
    /// Ask the API's check with the slot's credential, then persist [`Slots::accepted`].
    Check(Slot),
    /// Persist [`Slots::promoted`].
    Promote,
    /// Revoke the slot's credential at the server, persist [`Slots::retired`], erase the slot.
    ///
    /// After a power cut it may be revoked already: that the server doesn't know it is a success.
    Revoke(Slot),
    /// Nothing until the next rotation, which begins with a [`Deploy`](Self::Deploy) to the standby.
    Rest,
}

/// Which slot is in use, and how far a rotation has come.
///
/// The order is the vendors': create a second secret, deploy it, check it, promote it, revoke the first.
///
/// | step | the active slot | the standby | persisted by |
/// | --- | --- | --- | --- |
/// | a new secret is stored | `Good` | `Empty` → `Trial` | [`deployed`](Self::deployed) |
/// | the server accepts it | `Good` | `Trial` → `Verified` | [`accepted`](Self::accepted) |
/// | it takes over | `Good` | `Retiring`: the slots have changed places | [`promoted`](Self::promoted) |
/// | the old one is revoked | `Good` | `Retiring` → `Empty` | [`retired`](Self::retired) |
///
/// Every step is one write of one record, so a power cut leaves the state before or after it. A secret is
/// stored only in a slot that the record calls `Empty`, before the record says `Trial`, and erased after
/// the record says `Empty`; a half-written or half-erased one is therefore in an `Empty` slot, and
/// [`next`](Self::next) after the start goes on where the cut was. The active slot is never written to.
///
/// ```
/// use api_auth::{Slot, SlotState, Slots, Step};
///
/// let mut slots = Slots::EMPTY.deployed(Slot::A)?.accepted(Slot::A); // provisioned
/// assert_eq!(slots.next(), Step::Rest);
///
/// slots = slots.deployed(Slot::B)?;
/// assert_eq!(slots.next(), Step::Check(Slot::B));
/// slots = slots.accepted(Slot::B);
/// assert_eq!(slots.next(), Step::Promote);
/// slots = slots.promoted()?;
/// assert_eq!((slots.active(), slots.next()), (Slot::B, Step::Revoke(Slot::A)));
/// slots = slots.retired();
/// assert_eq!(slots.state(Slot::A), SlotState::Empty);
/// # Ok::<(), api_auth::SlotError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    active: Slot,
    a: SlotState,
    b: SlotState,
}

impl Slots {
    /// A device without any credential.
    pub const EMPTY: Self = Self {
        active: Slot::A,
        a: SlotState::Empty,
        b: SlotState::Empty,
    };

    /// Length of the record in bytes.
    pub const RECORD_LEN: usize = 4;

    /// The layout of the record.
    const VERSION: u8 = 1;

    /// Returns the slot whose credential is in use.
    pub const fn active(&self) -> Slot {
        self.active
    }

    /// Returns the slot whose credential is not in use.
    pub const fn standby(&self) -> Slot {
        self.active.other()
    }

    /// Returns what is known of a slot's credential.
    pub const fn state(&self, slot: Slot) -> SlotState {
        match slot {
            Slot::A => self.a,
            Slot::B => self.b,
        }
    }

    /// Returns what comes next.
    pub const fn next(&self) -> Step {
        let standby = self.standby();
        match (self.state(self.active), self.state(standby)) {
            (SlotState::Empty, _) => Step::Deploy(self.active),
            (SlotState::Trial, _) => Step::Check(self.active),
            (_, SlotState::Trial) => Step::Check(standby),
            (_, SlotState::Verified) => Step::Promote,
            (_, SlotState::Retiring) => Step::Revoke(standby),
            (_, SlotState::Empty | SlotState::Good) => Step::Rest,
        }
    }

    /// Records that a credential is stored in an empty slot; the first of all is the active one.
    ///
    /// # Errors
    /// [`SlotError::Occupied`].
    pub const fn deployed(self, slot: Slot) -> Result<Self, SlotError> {
        let SlotState::Empty = self.state(slot) else {
            return Err(SlotError::Occupied);
        };
        let mut slots = self.with(slot, SlotState::Trial);
        if let SlotState::Empty = self.state(self.active) {
            slots.active = slot;
        }
        Ok(slots)
    }

    /// Records that the server accepted a slot's credential; only a `Trial` learns by that.
    pub const fn accepted(self, slot: Slot) -> Self {
        match (self.state(slot), slot as u8 == self.active as u8) {
            (SlotState::Trial, true) => self.with(slot, SlotState::Good),
            (SlotState::Trial, false) => self.with(slot, SlotState::Verified),
            _ => self,
        }
    }

    /// Records that the standby takes over, and that the other is to be revoked.
    ///
    /// # Errors
    /// [`SlotError::NotVerified`].
    pub const fn promoted(self) -> Result<Self, SlotError> {
        match self.state(self.standby()) {
            SlotState::Verified | SlotState::Good => {
                let slots = self.with(self.active, SlotState::Retiring);
                Ok(slots.failed_over())
            }
            _ => Err(SlotError::NotVerified),
        }
    }

    /// Records that the standby's credential is no longer wanted, whatever its state: erase it after this.
    ///
    /// It works until it is revoked at the server.
    pub const fn retired(self) -> Self {
        self.with(self.standby(), SlotState::Empty)
    }

    /// Returns the slots after the server refused the active one: changed places, if there is another.
    ///
    /// What was replaced is in use again; what was on trial goes on being so.
    pub const fn failed_over(self) -> Self {
        let standby = self.standby();
        let state = match self.state(standby) {
            SlotState::Empty => return self,
            SlotState::Trial => SlotState::Trial,
            SlotState::Verified | SlotState::Good | SlotState::Retiring => SlotState::Good,
        };
        let mut slots = self.with(standby, state);
        slots.active = standby;
        slots
    }

    /// Returns the slots after a slot's credential turned out to be missing.
    pub(crate) const fn lost(self, slot: Slot) -> Self {
        let slots = if slot as u8 == self.active as u8 {
            self.failed_over()
        } else {
            self
        };
        slots.with(slot, SlotState::Empty)
    }

    const fn with(self, slot: Slot, state: SlotState) -> Self {
        match slot {
            Slot::A => Self { a: state, ..self },
            Slot::B => Self { b: state, ..self },
        }
    }

    /// Returns the record: a version, the active slot, the state of each.
    pub const fn to_bytes(&self) -> [u8; Self::RECORD_LEN] {
        let active = match self.active {
            Slot::A => 0,
            Slot::B => 1,
        };
        [
            Self::VERSION,
            active,
            state_byte(self.a),
            state_byte(self.b),
        ]
    }

    /// Reads the record; whoever stores it guards it against damage.
    ///
    /// # Errors
    /// [`SlotError::Record`] if the bytes are not a record of this version.
    pub const fn from_bytes(bytes: &[u8]) -> Result<Self, SlotError> {
        let [Self::VERSION, active, a, b] = *bytes else {
            return Err(SlotError::Record);
        };
        let active = match active {
            0 => Slot::A,
            1 => Slot::B,
            _ => return Err(SlotError::Record),
        };
        let (Some(a), Some(b)) = (state_of(a), state_of(b)) else {
            return Err(SlotError::Record);
        };
        let slots = Self { active, a, b };
        match (slots.state(active), slots.state(slots.standby())) {
            (SlotState::Empty, SlotState::Empty) | (SlotState::Trial | SlotState::Good, _) => {
                Ok(slots)
            }
            _ => Err(SlotError::Record),
        }
    }
}

const fn state_byte(state: SlotState) -> u8 {
    match state {
        SlotState::Empty => 0,
        SlotState::Trial => 1,
        SlotState::Verified => 2,
        SlotState::Good => 3,
        SlotState::Retiring => 4,
    }
}

const fn state_of(byte: u8) -> Option<SlotState> {
    match byte {
        0 => Some(SlotState::Empty),
        1 => Some(SlotState::Trial),
        2 => Some(SlotState::Verified),
        3 => Some(SlotState::Good),
        4 => Some(SlotState::Retiring),
        _ => None,
    }
}

/// Why a step of a rotation can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotError {
    /// The slot holds a credential.
    Occupied,
    /// The server hasn't accepted the standby's credential yet.
    NotVerified,
    /// The bytes are not a record.
    Record,
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Occupied => "the slot holds a credential: retire it before storing another",
            Self::NotVerified => "the new credential is not verified: check it before promoting it",
            Self::Record => "the record of the slots is unreadable: provision the device again",
        })
    }
}

impl core::error::Error for SlotError {}
