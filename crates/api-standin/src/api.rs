//! The four APIs, each on a listener of its own: Key-ID answers `GET /` and two of the others share `/v1`.

use std::fmt;

/// One of the APIs a gateway authenticates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `https://api.heymarket.com`: JWT with `iss` and `iat`, or the legacy team API key; sends SMS.
    Heymarket,
    /// The Key-ID JWT API: JWT with `kid` and `exp`, or a raw static token.
    KeyId,
    /// `https://app.heyoo.ai/api`: `hey_` keys with permissions.
    Heyoo,
    /// `https://api.hookmesh.com`: `sk_live_` and `sk_test_` keys with scopes; sends webhook events.
    HookMesh,
}

impl Api {
    /// Every API, in the order in which fixed ports are counted up.
    pub const ALL: [Self; 4] = [Self::Heymarket, Self::KeyId, Self::Heyoo, Self::HookMesh];

    /// The name used on command lines and in logs, such as `key-id`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heymarket => "heymarket",
            Self::KeyId => "key-id",
            Self::Heyoo => "heyoo",
            Self::HookMesh => "hookmesh",
        }
    }

    /// The path that precedes every endpoint, part of the base URL: `/api` for Heyoo, else empty.
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::Heyoo => "/api",
            _ => "",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
