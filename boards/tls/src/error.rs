//! Why there is no connection, in words that say what to do.

use core::fmt;

use embedded_io_async::{Error, ErrorKind};
use gateway_firmware::NoTls;
use mbedtls_rs::sys::{
    MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, MBEDTLS_X509_BADCERT_CN_MISMATCH,
    MBEDTLS_X509_BADCERT_EXPIRED, MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, MBEDTLS_X509_BADCERT_FUTURE,
    MBEDTLS_X509_BADCERT_KEY_USAGE, MBEDTLS_X509_BADCERT_NOT_TRUSTED,
    MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
};

/// Mbed TLS's errors of its X.509 module, `mbedtls/error.h`: 0x2080 to 0x3000, whose low bits are ASN.1's error.
const X509_FIRST: i32 = -0x3000;
const X509_LAST: i32 = -0x2080;

/// Says why there is no connection, or none any more; `E` is the error of the stream below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError<E> {
    /// The stream below has failed.
    Stream(E),
    /// Plain HTTP is on, and the host is none that it goes to.
    NoTls(NoTls),
    /// Without the time no certificate can be judged.
    NoTime,
    /// There are no random numbers.
    NoRandom,
    /// The memory of TLS is used up.
    OutOfMemory,
    /// The provisioned certificates can't be read.
    Trust,
    /// The certificate is that of another host.
    WrongHost,
    /// A certificate is no longer valid, or the clock is ahead.
    Expired,
    /// A certificate isn't valid yet, or the clock is behind.
    NotYetValid,
    /// No certificate that is trusted stands behind the server's.
    UnknownIssuer,
    /// A certificate isn't one for a server, or its issuer not one for certificates.
    WrongUsage,
    /// A certificate is refused for other reasons: Mbed TLS's flags of them.
    Certificate(u32),
    /// A certificate is none, or has something that has to be understood and isn't: Mbed TLS's number.
    Unreadable(i32),
    /// The server has refused the connection by an alert.
    Alert,
    /// The connection was closed without TLS's goodbye, so what was received may be cut off.
    Cut,
    /// The server took too long.
    Silent,
    /// What the server says is no TLS that this program speaks: Mbed TLS's number.
    Protocol(i32),
}

impl<E> TlsError<E> {
    /// Takes the flags that Mbed TLS has raised for the server's certificates.
    ///
    /// Several may be up: what the owner of the device can do something about comes first.
    pub(crate) const fn of_flags(flags: u32) -> Self {
        const USAGE: u32 = MBEDTLS_X509_BADCERT_KEY_USAGE
            | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE
            | MBEDTLS_X509_BADCERT_NS_CERT_TYPE;
        if flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED != 0 {
            Self::UnknownIssuer
        } else if flags & MBEDTLS_X509_BADCERT_CN_MISMATCH != 0 {
            Self::WrongHost
        } else if flags & MBEDTLS_X509_BADCERT_EXPIRED != 0 {
            Self::Expired
        } else if flags & MBEDTLS_X509_BADCERT_FUTURE != 0 {
            Self::NotYetValid
        } else if flags & USAGE != 0 {
            Self::WrongUsage
        } else {
            Self::Certificate(flags)
        }
    }

    pub(crate) const fn of_code(code: i32) -> Self {
        match code {
            MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE => Self::Alert,
            X509_FIRST..=X509_LAST => Self::Unreadable(code),
            code => Self::Protocol(code),
        }
    }
}

impl<E: fmt::Display> fmt::Display for TlsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::NoTls(error) => error.fmt(f),
            Self::NoTime => f.write_str(
                "no connection without the time, by which certificates are judged: set the clock or name a time host",
            ),
            Self::NoRandom => f.write_str(
                "no connection without random numbers: restart the device, or replace it",
            ),
            Self::OutOfMemory => f.write_str(
                "TLS has too little memory for this server: give it smaller certificates",
            ),
            Self::Trust => f.write_str(
                "the certificates to trust can't be read: provision them again",
            ),
            Self::WrongHost => f.write_str(
                "the server's certificate is for another host: check the host's name in the settings",
            ),
            Self::Expired => f.write_str(
                "a certificate of the server has expired: renew it, or set the clock",
            ),
            Self::NotYetValid => f.write_str(
                "a certificate of the server is not valid yet: set the clock",
            ),
            Self::UnknownIssuer => f.write_str(
                "the server's certificate is from nobody who is trusted: provision its CA, if it is yours",
            ),
            Self::WrongUsage => f.write_str(
                "a certificate of the server is not for this use: have another issued",
            ),
            Self::Certificate(flags) => write!(
                f,
                "the server's certificate is refused ({flags:#x}): have another issued"
            ),
            Self::Unreadable(code) => {
                let code = code.unsigned_abs();
                write!(
                    f,
                    "a certificate of the server can't be understood (-{code:#x}): have another issued"
                )
            }
            Self::Alert => f.write_str("the server has refused TLS with this device"),
            Self::Cut => f.write_str("the connection was cut"),
            Self::Silent => f.write_str("the server takes too long"),
            Self::Protocol(code) => {
                let code = code.unsigned_abs();
                write!(f, "the server speaks no TLS that is understood (-{code:#x})")
            }
        }
    }
}

impl<E: core::error::Error> core::error::Error for TlsError<E> {}

impl<E: Error> Error for TlsError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Stream(error) => error.kind(),
            Self::NoTls(_) => ErrorKind::Unsupported,
            Self::NoTime | Self::NoRandom | Self::Trust => ErrorKind::Other,
            Self::OutOfMemory => ErrorKind::OutOfMemory,
            Self::Cut => ErrorKind::ConnectionReset,
            Self::Silent => ErrorKind::TimedOut,
            Self::Alert => ErrorKind::ConnectionRefused,
            _ => ErrorKind::InvalidData,
        }
    }
}
