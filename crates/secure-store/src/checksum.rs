//! CRC-32 as in IEEE 802.3 (CRC-32/ISO-HDLC), which finds torn writes; it guards against no attacker.

use crc::{CRC_32_ISO_HDLC, Crc, Digest, Table};

static CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Returns the checksum of `bytes`.
pub(crate) fn of(bytes: &[u8]) -> u32 {
    CRC_32.checksum(bytes)
}

/// Begins a checksum of bytes that come in pieces.
pub(crate) fn start() -> Digest<'static, u32, Table<1>> {
    CRC_32.digest()
}
