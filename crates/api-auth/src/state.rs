//! What the next decision has to know of the last ones: which slots rest, and the clock's correction.

use crate::decide::Action;
use crate::slots::{Slot, SlotState, Slots};

/// Milliseconds that a slot rests after the server refused it, and the clock after a correction.
const REST_MS: u64 = 300_000;

/// Most milliseconds that a slot rests.
const MAX_REST_MS: u64 = 3_600_000;

/// The slots, and how often and when the server refused them since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    slots: Slots,
    a: Refusals,
    b: Refusals,
    corrected_ms: Option<u64>,
}

/// How often a slot was refused without being accepted in between, and when it was last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusals {
    count: u8,
    last_ms: u64,
}

impl Refusals {
    const NONE: Self = Self {
        count: 0,
        last_ms: 0,
    };

    /// Returns the milliseconds of rest that are left; none if uptime ran backwards.
    fn rest_ms(&self, uptime_ms: u64) -> u64 {
        let doubled = u32::from(self.count.saturating_sub(1));
        let rest_ms = match self.count {
            0 => 0,
            _ => REST_MS
                .saturating_mul(1u64.checked_shl(doubled).unwrap_or(u64::MAX))
                .min(MAX_REST_MS),
        };
        match uptime_ms.checked_sub(self.last_ms) {
            Some(elapsed_ms) => rest_ms.saturating_sub(elapsed_ms),
            None => 0,
        }
    }
}

impl State {
    /// Returns the state at the start, with the slots as persisted.
    pub const fn new(slots: Slots) -> Self {
        Self {
            slots,
            a: Refusals::NONE,
            b: Refusals::NONE,
            corrected_ms: None,
        }
    }

    /// Returns the slots; persist them when they have changed.
    pub const fn slots(&self) -> Slots {
        self.slots
    }

    /// Takes over a step of a rotation; a slot whose credential is another one now has never been refused.
    pub fn set_slots(&mut self, slots: Slots) {
        for slot in [Slot::A, Slot::B] {
            let fresh = matches!(slots.state(slot), SlotState::Empty | SlotState::Trial);
            if fresh && slots.state(slot) != self.slots.state(slot) {
                *self.refusals_mut(slot) = Refusals::NONE;
            }
        }
        self.slots = slots;
    }

    /// Returns the state after an accepted request.
    pub(crate) fn accepted(mut self) -> Self {
        let active = self.slots.active();
        *self.refusals_mut(active) = Refusals::NONE;
        self.corrected_ms = None;
        self.slots = self.slots.accepted(active);
        self
    }

    /// Whether the clock may be corrected, as it was not just now.
    pub(crate) fn may_correct(&self, uptime_ms: u64) -> bool {
        let elapsed_ms = self
            .corrected_ms
            .and_then(|then_ms| uptime_ms.checked_sub(then_ms));
        elapsed_ms.is_none_or(|elapsed_ms| elapsed_ms >= REST_MS)
    }

    pub(crate) fn corrected(mut self, uptime_ms: u64) -> Self {
        self.corrected_ms = Some(uptime_ms);
        self
    }

    /// Decides what follows when the active slot's credential is refused.
    pub(crate) fn refused(mut self, uptime_ms: u64) -> (Action, Self) {
        let active = self.slots.active();
        let refusals = self.refusals_mut(active);
        refusals.count = refusals.count.saturating_add(1);
        refusals.last_ms = uptime_ms;
        let own_rest_ms = refusals.rest_ms(uptime_ms);

        let to = active.other();
        if self.slots.state(to) == SlotState::Empty {
            return (wait(own_rest_ms), self);
        }
        let other_rest_ms = self.refusals_mut(to).rest_ms(uptime_ms);
        if other_rest_ms <= own_rest_ms {
            self.slots = self.slots.failed_over();
        }
        match other_rest_ms {
            0 => (Action::SwitchSecret { to }, self),
            _ => (wait(own_rest_ms.min(other_rest_ms)), self),
        }
    }

    fn refusals_mut(&mut self, slot: Slot) -> &mut Refusals {
        match slot {
            Slot::A => &mut self.a,
            Slot::B => &mut self.b,
        }
    }
}

fn wait(rest_ms: u64) -> Action {
    let after_secs = rest_ms.div_ceil(1000);
    Action::Refused {
        after_secs: u32::try_from(after_secs).unwrap_or(u32::MAX),
    }
}
