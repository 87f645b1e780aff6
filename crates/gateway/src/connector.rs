//! The endpoint that a command talks to, as `sms-alert` wants to be connected to it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use api_auth::{Api, Send};
use clap::Args;
use sms_alert::{Blocking, Connect, FieldError, Host};

use crate::endpoint::Endpoint;
use crate::exit::Failure;
use crate::transport::{LinkError, Stream, connect};
use crate::trust::Trust;

/// Options of every command that connects to an API.
#[derive(Args, Clone, Debug)]
pub struct ConnectionArgs {
    /// Where the API is, instead of its documented host; http:// is for this machine only
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Trust the certificates in this PEM file, beside the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How many seconds a connection and its answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl ConnectionArgs {
    /// Connects to a base URL, with the defaults for the rest.
    pub fn to(base_url: String) -> Self {
        Self {
            base_url: Some(base_url),
            ca: None,
            timeout: 10,
        }
    }

    /// Prepares connections to an API; nothing is sent.
    pub fn connector(&self, api: &Api) -> Result<Connector, Failure> {
        let trust = Trust::new(self.ca.clone());
        let endpoint = Endpoint::of(api, self.base_url.as_deref())?;
        if endpoint.tls || self.ca.is_some() {
            // A file that can't be read should not look like a server that can't be reached.
            trust.config()?;
        }
        Ok(Connector {
            endpoint,
            trust,
            timeout: Duration::from_secs(self.timeout),
        })
    }
}

/// Opens connections to one endpoint.
#[derive(Debug)]
pub struct Connector {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How long a connection and its answer may take together.
    pub timeout: Duration,
    trust: Trust,
}

impl Connector {
    /// Returns the API with the paths that it has at this endpoint.
    pub fn placed(&self, api: &'static Api) -> &'static Api {
        let Some(send) = api.send else { return api };
        let path = self.endpoint.target(send.path);
        if path == send.path {
            return api;
        }
        // An API is made of constants; this one is made once a run.
        let send = Some(Send {
            path: Box::leak(path.into_boxed_str()),
            ..send
        });
        Box::leak(Box::new(Api { send, ..*api }))
    }

    /// Returns the value of the `Host` field.
    pub fn host(&self) -> Result<Host<'_>, Failure> {
        Host::new(&self.endpoint.host).map_err(|error: FieldError| Failure::usage(error))
    }
}

impl Connect for &Connector {
    type Error = LinkError;
    type Stream<'a>
        = Blocking<Stream>
    where
        Self: 'a;

    async fn connect(&mut self, _host: Host<'_>) -> Result<Blocking<Stream>, LinkError> {
        let deadline = Instant::now() + self.timeout;
        connect(&self.endpoint, &self.trust, deadline).map(Blocking)
    }

    fn is_secure(&self) -> bool {
        self.endpoint.tls
    }
}
