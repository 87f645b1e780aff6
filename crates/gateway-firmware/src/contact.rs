//! When a contact counts as closed.

/// Milliseconds for which a contact has to be still; snap switches and reeds bounce for less than 10.
pub const SETTLE_MS: u64 = 50;

/// A contact without its bouncing.
///
/// A contact that is closed from the start counts as closing: it may have closed while the power was out.
#[derive(Clone, Copy, Debug)]
pub struct Contact {
    /// What it is when it is still.
    closed: bool,
    /// Since when it has been something else.
    since_ms: Option<u64>,
}

impl Contact {
    /// Returns a contact that is open as far as anybody knows.
    pub const fn new() -> Self {
        Self {
            closed: false,
            since_ms: None,
        }
    }

    /// Takes a sample and says whether the contact has just closed.
    ///
    /// ```
    /// use gateway_firmware::Contact;
    ///
    /// let mut door = Contact::new();
    /// assert!(!door.closes(true, 1_000));
    /// assert!(!door.closes(false, 1_010)); // a bounce
    /// assert!(!door.closes(true, 1_020));
    /// assert!(door.closes(true, 1_070));
    /// assert!(!door.closes(true, 1_080));
    /// ```
    pub fn closes(&mut self, closed: bool, now_ms: u64) -> bool {
        if closed == self.closed {
            self.since_ms = None;
            return false;
        }
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        if now_ms.saturating_sub(since_ms) < SETTLE_MS {
            return false;
        }
        self.closed = closed;
        self.since_ms = None;
        closed
    }

    /// Whether it is closed.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }
}

impl Default for Contact {
    fn default() -> Self {
        Self::new()
    }
}
