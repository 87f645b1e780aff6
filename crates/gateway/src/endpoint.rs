//! A base URL, taken apart and checked before anything is sent to it.

use std::fmt;

use api_auth::Api;
use url::{Host, Url};

use crate::exit::Failure;

/// Where an API is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether the connection is TLS; it is not only where it stays on this machine.
    pub tls: bool,
    /// The name or the address to connect to, without brackets.
    pub name: String,
    /// The port.
    pub port: u16,
    /// The value of the `Host` field.
    pub host: String,
    base_path: String,
}

impl Endpoint {
    /// Takes the base URL that was given, else the documented one of the API.
    pub fn of(api: &Api, base_url: Option<&str>) -> Result<Self, Failure> {
        match (base_url, api.host) {
            (Some(url), _) => Self::parse(url),
            (None, Some(host)) => Self::parse(&format!("https://{host}")),
            (None, None) => Err(Failure::usage(format_args!(
                "{} has no fixed host: give it with --base-url https://HOST",
                api.name
            ))),
        }
    }

    /// Checks a base URL: `https`, or `http` on this machine; a host, perhaps a port and a path.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        // The URL may hold a password, so it is not shown.
        let refused = |why: &str| Failure::usage(format_args!("the base URL {why}"));
        let url = Url::parse(text).map_err(|error| {
            refused(&format!(
                "can't be read ({error}): it should look like https://api.heymarket.com"
            ))
        })?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(refused("should start with https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(
                "holds a user name: leave it out, credentials come from the environment or a file",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused(
                "should end with its host or path: leave out ? and #",
            ));
        }
        let host = url.host().ok_or_else(|| refused("has no host"))?;
        let (name, on_this_machine) = match &host {
            Host::Domain(name) => ((*name).to_owned(), *name == "localhost"),
            Host::Ipv4(address) => (address.to_string(), address.is_loopback()),
            Host::Ipv6(address) => (address.to_string(), address.is_loopback()),
        };
        if !tls && !on_this_machine {
            return Err(refused(
                "has http:// to another machine, which would show the credential to everyone on the way: \
                 use https://",
            ));
        }
        let port = url.port_or_known_default().unwrap_or(443);
        Ok(Self {
            tls,
            name,
            port,
            host: match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_string(),
            },
            base_path: url.path().trim_end_matches('/').into(),
        })
    }

    /// Returns the request target for a path of the API.
    ///
    /// A base URL that ends in the path's first segments, such as `https://api.heymarket.com/v1`, has them once.
    pub fn target(&self, path: &str) -> String {
        let repeated = path
            .strip_prefix(self.base_path.as_str())
            .is_some_and(|rest| rest.starts_with('/'));
        match repeated {
            true => path.into(),
            false => format!("{}{path}", self.base_path),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.host, self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for url in [
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://LOCALHOST/api",
        ] {
            assert!(!Endpoint::parse(url).unwrap().tls, "{url}");
        }
        for url in [
            "http://example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://0.0.0.0",
            "http://[::ffff:127.0.0.1]",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "https://",
            "https://a/?b",
            "https://a/#b",
            "",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_base_path_is_used_once() {
        for (url, target) in [
            ("https://h", "/v1/inboxes"),
            ("https://h/", "/v1/inboxes"),
            ("https://h/v1", "/v1/inboxes"),
            ("https://h/v1/", "/v1/inboxes"),
            ("https://h/v", "/v/v1/inboxes"),
            ("https://h/proxy", "/proxy/v1/inboxes"),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().target("/v1/inboxes"), target);
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let error = Endpoint::parse("https://user:hunter2@h").unwrap_err();
        assert!(!error.message.contains("hunter2"));
    }
}
