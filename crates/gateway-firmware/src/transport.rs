//! Whether alerts may be sent at all: TLS or nothing, but for a test server within arm's reach.

use core::fmt;
use core::net::Ipv4Addr;

use secure_store::Certificates;
use sms_alert::{Connect, Host};

/// A way to the API's server that the application tells what it needs to know.
///
/// A board without TLS has no use for any of it.
pub trait Transport: Connect {
    /// Goes over plain TCP, and to private addresses alone, or over TLS again.
    fn use_plain_http(&mut self, _plain: bool) {}

    /// Takes whom to trust from now on.
    fn trust(&mut self, _anchors: Anchors<'_>) {}

    /// Takes the time, in Unix seconds, by which certificates are judged, or that there is none.
    fn tell_time(&mut self, _unix_secs: Option<u64>) {}
}

/// The certificates that a server's has to come from.
#[derive(Clone, Copy, Debug)]
pub enum Anchors<'a> {
    /// Those that come with the program: none are provisioned.
    Own,
    /// Those that are provisioned, and no others.
    Provisioned(Certificates<'a>),
    /// None: the provisioned ones can't be read.
    Lost,
}

/// Says whether alerts, and the credential with them, may be sent to a host.
///
/// Over TLS they may. Over plain HTTP only if the device was provisioned for a test (`plain_http_test`)
/// and the host is an IPv4 address of a private network or of the machine itself: a name can resolve to
/// anything, so no name will do.
///
/// ```
/// use gateway_firmware::may_send;
/// use sms_alert::Host;
///
/// assert!(may_send(Host::new("api.heymarket.com")?, true, false).is_ok());
/// assert!(may_send(Host::new("api.heymarket.com")?, false, true).is_err());
/// assert!(may_send(Host::new("10.0.2.2:8080")?, false, false).is_err());
/// assert!(may_send(Host::new("10.0.2.2:8080")?, false, true).is_ok());
/// # Ok::<(), sms_alert::FieldError>(())
/// ```
///
/// # Errors
/// [`NoTls`].
pub fn may_send(host: Host<'_>, secure: bool, plain_http_test: bool) -> Result<(), NoTls> {
    match secure || plain_http_test && private_address(host).is_some() {
        true => Ok(()),
        false => Err(NoTls),
    }
}

/// Returns the host's address if it is one of a private network (RFC 1918) or of the machine itself.
pub fn private_address(host: Host<'_>) -> Option<Ipv4Addr> {
    let address = host.name().parse::<Ipv4Addr>().ok()?;
    Some(address).filter(|address| address.is_private() || address.is_loopback())
}

/// Without TLS nothing may be sent to this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTls;

impl fmt::Display for NoTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no credential is sent in the clear: plain HTTP is for a test server at a private address, which has \
             to be provisioned as such",
        )
    }
}

impl core::error::Error for NoTls {}
