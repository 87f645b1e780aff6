//! Whom TLS trusts: the roots that come with the program, or the certificates that were provisioned instead.

use core::ffi::CStr;

use base64ct::{Base64, Encoding};
use mbedtls_rs::sys::{MBEDTLS_ERR_X509_ALLOC_FAILED, MbedtlsError, mbedtls_calloc, mbedtls_free};
use mbedtls_rs::{Certificate, X509};
use secure_store::Certificates;

/// The roots of those who issue certificates for most hosts of the APIs' kind; `roots/README.md` says where they come from.
pub const ROOTS: &CStr = {
    let text = concat!(
        include_str!("../roots/amazon-root-ca-1.pem"),
        include_str!("../roots/digicert-global-root-g2.pem"),
        include_str!("../roots/gts-root-r1.pem"),
        include_str!("../roots/gts-root-r4.pem"),
        include_str!("../roots/isrg-root-x1.pem"),
        include_str!("../roots/isrg-root-x2.pem"),
        "\0"
    );
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a root contains a zero"),
    }
};

/// Reads the roots, which takes memory of TLS for as long as they are held.
pub(crate) fn roots() -> Result<Certificate<'static>, MbedtlsError> {
    Certificate::new(X509::PEM(ROOTS))
}

/// Reads provisioned certificates.
///
/// Mbed TLS takes several at once only as PEM, so that is what they are put into for the moment.
pub(crate) fn provisioned(
    certificates: Certificates<'_>,
) -> Result<Certificate<'static>, MbedtlsError> {
    let len = certificates
        .iter()
        .map(|der| pem_len(der.len()))
        .sum::<usize>()
        + 1;
    let mut text = Text::new(len).ok_or(MbedtlsError::new(MBEDTLS_ERR_X509_ALLOC_FAILED))?;
    for der in certificates.iter() {
        text.push(BEGIN.as_bytes());
        text.push_base64(der);
        text.push(END.as_bytes());
    }
    Certificate::new(X509::PEM(text.as_c_str()))
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "\n-----END CERTIFICATE-----\n";

/// Returns the bytes of a certificate of `len` bytes in PEM (RFC 7468), in a single line.
const fn pem_len(len: usize) -> usize {
    BEGIN.len() + len.div_ceil(3) * 4 + END.len()
}

/// A text in memory of TLS.
struct Text {
    start: *mut u8,
    len: usize,
    capacity: usize,
}

impl Text {
    fn new(capacity: usize) -> Option<Self> {
        // SAFETY: any count and length will do.
        let start = unsafe { mbedtls_calloc(capacity, 1) }.cast::<u8>();
        (!start.is_null()).then_some(Self {
            start,
            len: 0,
            capacity,
        })
    }

    fn rest(&mut self) -> &mut [u8] {
        // SAFETY: `len` is at most `capacity`, and the block was zeroed when it was allocated.
        unsafe {
            core::slice::from_raw_parts_mut(self.start.add(self.len), self.capacity - self.len)
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // Always fits: the capacity was computed from what is pushed.
        if let Some(place) = self.rest().get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    fn push_base64(&mut self, bytes: &[u8]) {
        // Always fits, as above.
        let len = Base64::encode(bytes, self.rest()).map_or(0, str::len);
        self.len += len;
    }

    fn as_c_str(&self) -> &CStr {
        // The last byte is never written.
        // SAFETY: the block lives as long as `self`, and was zeroed.
        let bytes = unsafe { core::slice::from_raw_parts(self.start, self.capacity) };
        CStr::from_bytes_until_nul(bytes).unwrap_or_default()
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: it was allocated there, and is freed once.
        unsafe { mbedtls_free(self.start.cast()) };
    }
}
