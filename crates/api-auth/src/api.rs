//! What is known of each API, as data: adding one of a known scheme takes one more constant.
//!
//! The facts are those of the vendors' public documentation; where a path or a limit is only in a
//! vendor's reference pages, or in none, the constant says so.

use crate::format::{IdFormat, KeyFormat, Prefix};
use crate::scheme::Scheme;

/// One API that a gateway authenticates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// The name that people type, in lower case.
    pub name: &'static str,
    /// The host to connect to with TLS, or `None` if the operator has to say it.
    pub host: Option<&'static str>,
    /// How requests are authenticated.
    pub scheme: Scheme,
    /// What the key's ID looks like; only tokens have one.
    pub id: IdFormat,
    /// What the key looks like.
    pub key: KeyFormat,
    /// How many seconds a token lives: the server's rule for `iat`, this profile's choice for `exp`.
    ///
    /// Keys that are sent as they are don't look at it.
    pub lifetime_secs: u32,
    /// A request that changes nothing and is answered 2xx if the credential works.
    pub check: Request,
    /// The request that raises an alert, if the API has one.
    pub send: Option<Send>,
    /// The documented limit on the rate of `send`, if there is one.
    pub rate: Option<Rate>,
}

/// A request without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path from the root of the host, its leading `/` included.
    pub path: &'static str,
}

/// The request that raises an alert, a `POST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Send {
    /// The path from the root of the host, its leading `/` included.
    pub path: &'static str,
    /// What the body is.
    pub kind: SendKind,
}

/// Which JSON body raises an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendKind {
    /// An SMS: `inbox_id`, `creator_id`, one target, `text`.
    HeymarketMessage,
    /// A webhook event: `application_id`, `event_type`, `payload`.
    HookMeshJob,
}

/// At most so many requests in any so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of requests.
    pub requests: u32,
    /// The seconds that they are counted over.
    pub per_secs: u32,
}

impl Api {
    /// An API with a visible key behind `Bearer` and no more: what a constant of your own starts from.
    pub const BLANK: Self = Self {
        name: "",
        host: None,
        scheme: Scheme::Bearer,
        id: IdFormat::Visible,
        key: KeyFormat::VISIBLE,
        lifetime_secs: 300,
        check: Request {
            method: "GET",
            path: "/",
        },
        send: None,
        rate: None,
    };

    /// Heymarket with an API secret: a token of `iss` and `iat` that lives 5 minutes.
    ///
    /// The path of `send` and the limit of 500 requests a minute are the reference pages'.
    pub const HEYMARKET: Self = Self {
        name: "heymarket",
        host: Some("api.heymarket.com"),
        scheme: Scheme::IssIat,
        lifetime_secs: 300,
        check: Request {
            method: "GET",
            path: "/v1/inboxes",
        },
        send: Some(Send {
            path: "/v1/message/send",
            kind: SendKind::HeymarketMessage,
        }),
        rate: Some(Rate {
            requests: 500,
            per_secs: 60,
        }),
        ..Self::BLANK
    };

    /// Heymarket with a team API key as bearer token: legacy, planned for deprecation.
    pub const HEYMARKET_BEARER: Self = Self {
        name: "heymarket-bearer",
        scheme: Scheme::Bearer,
        ..Self::HEYMARKET
    };

    /// Heymarket with a team API key as user name of HTTP Basic: legacy, planned for deprecation.
    pub const HEYMARKET_BASIC: Self = Self {
        name: "heymarket-basic",
        scheme: Scheme::Basic,
        ..Self::HEYMARKET_BEARER
    };

    /// Heyoo, with a key that is best a machine user's.
    ///
    /// The host and the check are the reference pages'; no call of it raises an alert.
    pub const HEYOO: Self = Self {
        name: "heyoo",
        host: Some("app.heyoo.ai"),
        key: KeyFormat {
            prefixes: &[Prefix::any("hey_")],
            ..KeyFormat::VISIBLE
        },
        check: Request {
            method: "GET",
            path: "/api/campaigns",
        },
        ..Self::BLANK
    };

    /// Key-ID with a JWT access token: `kid` is its UUID, `exp` is an hour ahead.
    ///
    /// The API sets no limit to the duration; an hour is its documentation's example. It has several
    /// hosts, each of which answers the check.
    pub const KEY_ID: Self = Self {
        name: "key-id",
        scheme: Scheme::KidExp,
        id: IdFormat::Uuid,
        lifetime_secs: 3600,
        ..Self::BLANK
    };

    /// Key-ID from server to server: the API token, raw.
    pub const KEY_ID_STATIC: Self = Self {
        name: "key-id-static",
        scheme: Scheme::Raw,
        ..Self::BLANK
    };

    /// Hook Mesh, with a production or a test key.
    ///
    /// The path of `send` is the reference pages'. A key is refused 403 by the check when its scopes
    /// leave out applications.
    pub const HOOKMESH: Self = Self {
        name: "hookmesh",
        host: Some("api.hookmesh.com"),
        key: KeyFormat {
            prefixes: &[Prefix::live("sk_live_"), Prefix::test("sk_test_")],
            ..KeyFormat::VISIBLE
        },
        check: Request {
            method: "GET",
            path: "/v1/applications",
        },
        send: Some(Send {
            path: "/v1/webhook-jobs",
            kind: SendKind::HookMeshJob,
        }),
        rate: Some(Rate {
            requests: 100,
            per_secs: 1,
        }),
        ..Self::BLANK
    };

    /// Every API above but [`BLANK`](Self::BLANK).
    pub const ALL: &'static [Self] = &[
        Self::HEYMARKET,
        Self::HEYMARKET_BEARER,
        Self::HEYMARKET_BASIC,
        Self::HEYOO,
        Self::KEY_ID,
        Self::KEY_ID_STATIC,
        Self::HOOKMESH,
    ];

    /// Returns the API of [`ALL`](Self::ALL) with this name.
    ///
    /// ```
    /// use api_auth::{Api, Scheme};
    ///
    /// assert_eq!(Api::by_name("hookmesh"), Some(&Api::HOOKMESH));
    /// assert_eq!(Api::by_name("HookMesh"), None);
    /// ```
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|api| api.name == name)
    }
}
