//! What a stand-in starts with, and why it may not start.

use std::net::{IpAddr, Ipv4Addr};
use std::{fmt, io};

use crate::heymarket::Inbox;
use crate::tls::TlsError;
use crate::{Api, Certificate, Credentials};

/// What a stand-in starts with; `Config::default()` is a plain-HTTP server on free ports with example credentials.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on, which must be a loopback address.
    pub ip: IpAddr,
    /// The port of the first API of [`Api::ALL`], the others count up from it; 0 for four free ports.
    pub port: u16,
    /// The certificate to show; `None` for plain HTTP.
    pub tls: Option<Certificate>,
    /// What the APIs accept.
    pub credentials: Credentials,
    /// The inboxes of the Heymarket team.
    pub inboxes: Vec<Inbox>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ip: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            tls: None,
            credentials: Credentials::default(),
            inboxes: Inbox::examples(),
        }
    }
}

/// Why a stand-in can't start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address.
    NotLoopback(IpAddr),
    /// The port of an API can't be listened on.
    Bind(Api, io::Error),
    /// No certificate could be made or loaded.
    Tls(Box<dyn std::error::Error + Send + Sync>),
    /// The thread or its runtime can't be made.
    Runtime(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(ip) => write!(
                f,
                "{ip} is not a loopback address: use 127.0.0.1 or ::1, for the accepted credentials are public"
            ),
            Self::Bind(api, error) => {
                write!(f, "can't listen for {api}: {error}: choose another port")
            }
            Self::Tls(error) => write!(f, "can't make a certificate: {error}"),
            Self::Runtime(error) => write!(f, "can't start the server's thread: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotLoopback(_) => None,
            Self::Tls(error) => Some(error.as_ref()),
            Self::Bind(_, error) | Self::Runtime(error) => Some(error),
        }
    }
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(match error {
            TlsError::Certificate(error) => error.into(),
            TlsError::Rustls(error) => error.into(),
        })
    }
}
