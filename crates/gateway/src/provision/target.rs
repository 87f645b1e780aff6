//! The chips that images are made for, and where their store lies.

use clap::ValueEnum;
use secure_store::Region;

/// Bytes of every target's store: two copies of eight sectors.
const STORE_LEN: u32 = 64 * 1024;

/// A chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Raspberry Pi RP2040 with 2 MiB of flash or more
    Rp2040,
    /// Espressif ESP32 with 4 MiB of flash or more
    Esp32,
    /// Espressif ESP32-C3 with 4 MiB of flash or more
    Esp32c3,
    /// Espressif ESP32-C6 with 4 MiB of flash or more
    Esp32c6,
    /// Espressif ESP32-S3 with 4 MiB of flash or more
    Esp32s3,
}

impl Target {
    /// Returns the name that is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rp2040 => "rp2040",
            Self::Esp32 => "esp32",
            Self::Esp32c3 => "esp32c3",
            Self::Esp32c6 => "esp32c6",
            Self::Esp32s3 => "esp32s3",
        }
    }

    /// Returns where in the flash the store lies: at the end of the smallest flash that the target has.
    pub fn store(self) -> Region {
        let flash_len = match self {
            Self::Rp2040 => 2 * 1024 * 1024,
            Self::Esp32 | Self::Esp32c3 | Self::Esp32c6 | Self::Esp32s3 => 4 * 1024 * 1024,
        };
        Region {
            start: flash_len - STORE_LEN,
            len: STORE_LEN,
        }
    }

    /// Returns the address at which the RP2040 maps its store (its datasheet, section 2.2.1: flash from 0x10000000).
    pub fn uf2_address(self) -> Option<u32> {
        match self {
            Self::Rp2040 => Some(0x1000_0000 + self.store().start),
            _ => None,
        }
    }

    /// Whether the chip computes HMACs with a key in an eFuse block.
    pub fn has_hmac_peripheral(self) -> bool {
        matches!(self, Self::Esp32c3 | Self::Esp32c6 | Self::Esp32s3)
    }

    /// Returns the number of the fuse block, or of the ATECC608's slot, in which firmware looks for the device key.
    pub fn device_key_place(self) -> u8 {
        match self.has_hmac_peripheral() {
            true => 1,
            false => 2,
        }
    }

    /// Returns the command that writes an image of the store, and has an RP2040 start again.
    ///
    /// `picotool load -x` would not: it refuses to start what has no program in it.
    pub fn flash_command(self, file: &str, uf2: bool) -> String {
        let start = self.store().start;
        match self {
            Self::Rp2040 if uf2 => format!("picotool load {file} && picotool reboot"),
            Self::Rp2040 => format!(
                "picotool load {file} -t bin -o {:#x} && picotool reboot",
                0x1000_0000 + start
            ),
            _ => format!(
                "espflash write-bin --chip {} {start:#x} {file}",
                self.name()
            ),
        }
    }
}
