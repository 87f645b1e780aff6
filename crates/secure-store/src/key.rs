//! What a record is called.

/// The name of a record: its kind, and its number where a kind has many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind, 1 to 254; see the constants.
    pub kind: u8,
    /// The number, 0 where there is but one.
    pub slot: u16,
}

impl Key {
    /// How far a rotation of credentials has come.
    pub const ROTATION: Self = Self::single(2);

    /// The earliest that the present can be, and when the real-time clock was set.
    pub const CLOCK: Self = Self::single(3);

    /// What the device is called and which alerts it sends.
    pub const DEVICE: Self = Self::single(5);

    /// How the device reaches the network.
    pub const NETWORK: Self = Self::single(6);

    /// What ties the store to a monotonic counter.
    pub const ANCHOR: Self = Self::single(7);

    /// One of the credentials: 0 for slot A, 1 for slot B.
    pub const fn credential(slot: u16) -> Self {
        Self { kind: 1, slot }
    }

    /// A record of the outbox.
    pub const fn outbox(index: u16) -> Self {
        Self {
            kind: 4,
            slot: index,
        }
    }

    /// A part of the certificates that TLS trusts, 0 the first.
    ///
    /// The parts one behind the other are X.509 certificates in DER (RFC 5280), as
    /// [`Setting::CERTIFICATES`](crate::Setting::CERTIFICATES) in the network's settings sums them up: a device whose parts don't
    /// match that trusts none.
    pub const fn certificates(part: u16) -> Self {
        Self {
            kind: 8,
            slot: part,
        }
    }

    /// The first slot of the parts that [`Store::put`](crate::Store::put) sets aside while others are written; below it are those
    /// that are provisioned.
    pub const CERTIFICATES_ASIDE: u16 = 0x8000;

    const fn single(kind: u8) -> Self {
        Self { kind, slot: 0 }
    }

    /// Whether the kind is one that can be told from erased and zeroed flash.
    pub(crate) const fn is_storable(self) -> bool {
        !matches!(self.kind, 0 | 0xff)
    }
}
