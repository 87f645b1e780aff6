//! Connections by TLS: with a time, with random numbers, to a server that has proved who it is, or not at all.

use core::ffi::CStr;
use core::fmt::Write as _;
use core::ptr::NonNull;

use embassy_time::{Duration, with_timeout};
use gateway_firmware::{Anchors, NoTls, Transport, private_address};
use heapless::{String, Vec};
use mbedtls_rs::{Certificate, ClientSessionConfig, Session, SessionConfig, Tls};
use sms_alert::{Connect, Host};
use zeroize::Zeroizing;

use crate::error::TlsError;
use crate::paced::Paced;
use crate::random::Generator;
use crate::stream::{TlsStream, of_handshake};
use crate::{clock, heap, random, trust};

/// How long a handshake may take: less than the watchdog leaves an attempt, with the rest of it.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// The port of plain HTTP.
const HTTP_PORT: u16 = 80;

/// Most bytes of a host's name (RFC 1035, section 3.1), with a zero.
const NAME_LEN: usize = 254;

/// Opens TLS connections over the streams of `C`, one at a time.
///
/// The server's certificates are always verified: chain, host name, dates, and what they are for.
pub struct TlsConnect<C> {
    streams: C,
    entropy: fn(&mut [u8]) -> bool,
    tls: Tls<'static>,
    trusted: Trusted,
    plain: bool,
}

/// Whom a connection trusts.
enum Trusted {
    /// The program's own roots, which are read when they are needed.
    Roots,
    Read(Certificate<'static>),
    Nobody,
}

impl Trusted {
    fn read<E>(&mut self) -> Result<Certificate<'static>, TlsError<E>> {
        if let Self::Roots = self {
            let roots = trust::roots();
            *self = Self::Read(roots.map_err(|error| TlsError::of_setup(error.into()))?);
        }
        match self {
            Self::Read(certificate) => Ok(certificate.clone()),
            _ => Err(TlsError::Trust),
        }
    }
}

impl<C: Connect> TlsConnect<C> {
    /// Takes streams, memory that only TLS will use (see [`MEMORY_LEN`](crate::MEMORY_LEN)), and what fills a
    /// buffer with bytes that nobody can foresee, or returns false.
    ///
    /// It trusts the roots that come with the program. Returns `None` if another one is in use: Mbed TLS has
    /// but one source of random numbers, and one clock.
    pub fn new(
        streams: C,
        entropy: fn(&mut [u8]) -> bool,
        memory: &'static mut [u8],
    ) -> Option<Self> {
        // SAFETY: it has no size, so any aligned address is one of it.
        let generator: &'static mut Generator = unsafe { NonNull::dangling().as_mut() };
        let tls = Tls::new(generator).ok()?;
        heap::give(memory);
        clock::install();
        Some(Self {
            streams,
            entropy,
            tls,
            trusted: Trusted::Roots,
            plain: false,
        })
    }
}

impl<C: Connect> Transport for TlsConnect<C> {
    fn use_plain_http(&mut self, plain: bool) {
        self.plain = plain;
    }

    fn trust(&mut self, anchors: Anchors<'_>) {
        // The old ones give their memory back first.
        self.trusted = Trusted::Nobody;
        match anchors {
            Anchors::Own => self.trusted = Trusted::Roots,
            Anchors::Provisioned(certificates) => {
                if let Ok(read) = trust::provisioned(certificates) {
                    self.trusted = Trusted::Read(read);
                }
            }
            Anchors::Lost => {}
        }
    }

    fn tell_time(&mut self, unix_secs: Option<u64>) {
        clock::tell(unix_secs);
    }
}

impl<C: Connect> Connect for TlsConnect<C> {
    type Error = TlsError<C::Error>;
    type Stream<'s>
        = TlsStream<'s, C::Stream<'s>>
    where
        Self: 's;

    async fn connect(&mut self, host: Host<'_>) -> Result<Self::Stream<'_>, Self::Error> {
        if self.plain {
            private_address(host).ok_or(TlsError::NoTls(NoTls))?;
            let stream = plainly(&mut self.streams, host).await;
            return stream.map(TlsStream::plain);
        }
        if clock::now().is_none() {
            return Err(TlsError::NoTime);
        }
        // What was refused earlier is no reason for what fails now.
        heap::take_refused();
        let trusted = self.trusted.read()?;
        let name = name(host).ok_or(TlsError::WrongHost)?;
        let name = CStr::from_bytes_with_nul(&name).map_err(|_| TlsError::WrongHost)?;
        let mut seed = Zeroizing::new([0; 32]);
        if !(self.entropy)(&mut *seed) {
            return Err(TlsError::NoRandom);
        }
        random::seed(&seed);

        let stream = self.streams.connect(host).await.map_err(TlsError::Stream)?;
        let mut config = ClientSessionConfig::new();
        config.ca_chain = Some(trusted);
        let config = SessionConfig::Client(config);
        let session = Session::new(self.tls.reference(), Paced::new(stream), &config);
        let mut session = session.map_err(TlsError::of_setup)?;
        session.set_server_name(name).map_err(TlsError::of_setup)?;
        match with_timeout(HANDSHAKE, session.connect()).await {
            Ok(Ok(())) => Ok(TlsStream::tls(session)),
            Ok(Err(error)) => Err(of_handshake(error, &mut session)),
            Err(_) => Err(TlsError::Silent),
        }
    }

    fn is_secure(&self) -> bool {
        !self.plain
    }
}

/// Opens a stream at the port of plain HTTP, unless the host names another.
async fn plainly<'s, C: Connect>(
    streams: &'s mut C,
    host: Host<'_>,
) -> Result<C::Stream<'s>, TlsError<C::Error>> {
    let mut text = String::<32>::new();
    let port = host.port().unwrap_or(HTTP_PORT);
    // Always fits: the name is an IPv4 address.
    let _ = write!(text, "{}:{port}", host.name());
    let host = Host::new(&text).unwrap_or(host);
    streams.connect(host).await.map_err(TlsError::Stream)
}

fn name(host: Host<'_>) -> Option<Vec<u8, NAME_LEN>> {
    let mut name = Vec::from_slice(host.name().as_bytes()).ok()?;
    name.push(0).ok()?;
    Some(name)
}
