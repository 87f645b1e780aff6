//! The credentials a stand-in accepts, as data that a test may change while the server runs.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret string: redacted in `Debug`, compared in constant time, zeroized on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret in clear, for whoever has to sign with it or show it once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `candidate` is this secret, in time that depends on the lengths alone.
    pub fn matches(&self, candidate: &str) -> bool {
        self.0.as_bytes().ct_eq(candidate.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Everything that the four APIs accept.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Heymarket's two API secrets and its legacy key.
    pub heymarket: HeymarketCredentials,
    /// The Key-ID API's JWT access tokens and static tokens.
    pub key_id: KeyIdCredentials,
    /// Heyoo's API keys.
    pub heyoo: Vec<HeyooKey>,
    /// Hook Mesh's API keys, including those created through its endpoints.
    pub hookmesh: Vec<HookMeshKey>,
}

/// Heymarket's credentials: up to two API secrets at once, and the legacy team API key.
#[derive(Clone, Debug)]
pub struct HeymarketCredentials {
    /// The two slots of the settings page; `None` is a slot that is empty or was revoked.
    pub slots: [Option<ApiSecret>; 2],
    /// The team API key, accepted as a Bearer token or as a Basic user name with an empty password.
    pub api_key: Option<Secret>,
}

/// A Heymarket API secret: the HMAC key is the bytes of `id`, `||` and `key`.
#[derive(Clone, Debug)]
pub struct ApiSecret {
    /// The Secret ID, the token's `iss`; the vendor asks to keep it out of logs too.
    pub id: Secret,
    /// The Secret Key.
    pub key: Secret,
}

impl ApiSecret {
    /// A secret of these two strings.
    pub fn new(id: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            id: Secret::new(id),
            key: Secret::new(key),
        }
    }
}

/// The Key-ID API's credentials.
#[derive(Clone, Debug)]
pub struct KeyIdCredentials {
    /// JWT access tokens, told apart by the `kid` in the token's header.
    pub jwt: Vec<JwtAccess>,
    /// Authentication tokens, sent as the whole `Authorization` value.
    pub api_tokens: Vec<Secret>,
}

/// A Key-ID JWT access token: the secret that signs, and the UUID that names it.
#[derive(Clone, Debug)]
pub struct JwtAccess {
    /// The UUID that a token's header carries as `kid`.
    pub kid: String,
    /// The HMAC key.
    pub secret: Secret,
}

/// A Heyoo API key.
#[derive(Clone, Debug)]
pub struct HeyooKey {
    /// The key, which begins with `hey_`.
    pub key: Secret,
    /// What it may do.
    pub permissions: Permissions,
}

/// The three kinds of Heyoo keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    /// Every permission.
    All,
    /// Every permission whose name ends in `.read`.
    ReadOnly,
    /// The listed permissions, such as `campaigns.read`.
    Restricted(Vec<String>),
}

impl Permissions {
    /// Whether a key of this kind has the named permission.
    pub fn allow(&self, permission: &str) -> bool {
        match self {
            Self::All => true,
            Self::ReadOnly => permission.ends_with(".read"),
            Self::Restricted(list) => list.iter().any(|granted| granted == permission),
        }
    }
}

/// A Hook Mesh API key with the metadata that its listing shows.
#[derive(Clone, Debug)]
pub struct HookMeshKey {
    /// The identifier that revoking takes, such as `key_abc123`.
    pub id: String,
    /// The name its creator gave it.
    pub name: String,
    /// The key, which begins with `sk_live_` or `sk_test_`.
    pub key: Secret,
    /// What it may do, such as `webhooks:write`.
    pub scopes: Vec<String>,
    /// When it was created, in Unix seconds.
    pub created_at: i64,
    /// When it was last accepted, in Unix seconds.
    pub last_used_at: Option<i64>,
}

/// Every scope that the stand-in's Hook Mesh asks for: the two of the vendor's example, and two for key management.
pub const HOOKMESH_SCOPES: [&str; 4] = [
    "applications:read",
    "webhooks:write",
    "api-keys:read",
    "api-keys:write",
];

impl Default for Credentials {
    /// The vendor's published Heymarket example in the first slot, and values that say what they are elsewhere.
    fn default() -> Self {
        let hookmesh = |id: &str, name: &str, key: &str| HookMeshKey {
            id: id.into(),
            name: name.into(),
            key: Secret::new(key),
            scopes: HOOKMESH_SCOPES.map(String::from).into(),
            created_at: 1_768_471_200,
            last_used_at: None,
        };
        Self {
            heymarket: HeymarketCredentials {
                slots: [
                    Some(ApiSecret::new(
                        "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
                        "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
                    )),
                    None,
                ],
                api_key: Some(Secret::new("standin-heymarket-team-key")),
            },
            key_id: KeyIdCredentials {
                jwt: vec![JwtAccess {
                    kid: "5f0c9a52-3c1e-4d0b-9a53-0d5c1f6f7a10".into(),
                    secret: Secret::new("standin-key-id-jwt-secret-0123456789"),
                }],
                api_tokens: vec![Secret::new("standin-key-id-api-token")],
            },
            heyoo: vec![
                HeyooKey {
                    key: Secret::new("hey_standin_all"),
                    permissions: Permissions::All,
                },
                HeyooKey {
                    key: Secret::new("hey_standin_read_only"),
                    permissions: Permissions::ReadOnly,
                },
                HeyooKey {
                    key: Secret::new("hey_standin_tags_only"),
                    permissions: Permissions::Restricted(vec![
                        "tags.read".into(),
                        "tags.write".into(),
                    ]),
                },
            ],
            hookmesh: vec![
                hookmesh("key_live_1", "Production Key", "sk_live_standin_1"),
                hookmesh("key_test_1", "Test Key", "sk_test_standin_1"),
            ],
        }
    }
}
