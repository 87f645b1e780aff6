//! What the IDs and keys of an API look like, and which of them a build accepts.

/// What the ID of a token scheme's credential looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFormat {
    /// Up to [`MAX_ID_LEN`](crate::MAX_ID_LEN) visible ASCII characters but `"` and `\`, which JSON would escape.
    Visible,
    /// A UUID as RFC 9562 §4 writes it, in capitals or not.
    Uuid,
}

/// What a key looks like: visible ASCII, some of it fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFormat {
    /// What the key begins with, one of these; empty if anything goes.
    pub prefixes: &'static [Prefix],
    /// Fewest bytes behind the prefix.
    pub min_len: usize,
}

/// How the keys of an API begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The first characters of the key.
    pub text: &'static str,
    /// What such keys are for.
    pub mode: KeyMode,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    /// The API doesn't tell.
    Any,
    /// Production.
    Live,
    /// Tests.
    Test,
}

/// Which keys a build accepts.
///
/// A gateway in the field that holds a test key reports success and alerts nobody; a test that holds
/// a live key wakes somebody. So each accepts its own, and what goes beyond is written out:
///
/// ```
/// use api_auth::Policy;
///
/// let rehearsal = Policy { test_keys: true, ..Policy::FIELD };
/// assert!(rehearsal.live_keys && !rehearsal.weak_keys);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether production keys are accepted.
    pub live_keys: bool,
    /// Whether test keys are accepted.
    pub test_keys: bool,
    /// Whether a token may be signed with fewer than 32 bytes of key, against RFC 7518 §3.2.
    pub weak_keys: bool,
}

impl Policy {
    /// For gateways in use: no test keys, no weak ones.
    pub const FIELD: Self = Self {
        live_keys: true,
        test_keys: false,
        weak_keys: false,
    };

    /// For tests: no production keys, no weak ones.
    pub const TEST: Self = Self {
        live_keys: false,
        test_keys: true,
        weak_keys: false,
    };
}

impl KeyFormat {
    /// Any visible ASCII, at least 6 bytes: what is known of keys whose form isn't documented.
    pub const VISIBLE: Self = Self {
        prefixes: &[],
        min_len: 6,
    };
}

impl Prefix {
    /// Returns a prefix of keys whose mode can't be told.
    pub const fn any(text: &'static str) -> Self {
        Self {
            text,
            mode: KeyMode::Any,
        }
    }

    /// Returns a prefix of production keys.
    pub const fn live(text: &'static str) -> Self {
        Self {
            text,
            mode: KeyMode::Live,
        }
    }

    /// Returns a prefix of test keys.
    pub const fn test(text: &'static str) -> Self {
        Self {
            text,
            mode: KeyMode::Test,
        }
    }
}
