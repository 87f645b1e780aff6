//! The chip's HMAC peripheral, and what its eFuses say of the keys in them.

use core::cell::RefCell;

use esp_hal::efuse::{
    KEY_PURPOSE_0, KEY_PURPOSE_1, KEY_PURPOSE_2, KEY_PURPOSE_3, KEY_PURPOSE_4, KEY_PURPOSE_5,
    RD_DIS, WR_DIS, read_field_le,
};
use esp_hal::peripherals::{DS, HMAC, SHA};
use esp_hmac::{BlockKey, Hmac, KeyBlock, KeyState, Register, Registers};
use gateway_firmware::ChipKeys;

/// The block whose key seals the store and is proved to whoever provisions.
///
/// `BLOCK_KEY0` is left for the API's key, and the others for secure boot, flash encryption and the next API key.
pub const DEVICE_KEY_BLOCK: KeyBlock = KeyBlock::new(1).unwrap();

/// The registers of the HMAC peripheral.
///
/// It owns SHA, which HMAC computes with, and the digital signature peripheral, which can hold both: nothing else in the
/// program can use them as long as this lives.
pub struct Fuses {
    hmac: HMAC<'static>,
    _sha: SHA<'static>,
    _ds: DS<'static>,
}

impl Fuses {
    /// Takes the three peripherals, gives them their clocks and takes them out of reset.
    ///
    /// The manual asks for the clocks of HMAC and SHA. The digital signature peripheral keeps SHA in reset while it is in
    /// reset itself.
    pub fn new(hmac: HMAC<'static>, sha: SHA<'static>, ds: DS<'static>) -> Self {
        release();
        Self {
            hmac,
            _sha: sha,
            _ds: ds,
        }
    }
}

#[cfg(not(feature = "esp32c6"))]
fn release() {
    let system = esp_hal::peripherals::SYSTEM::regs();
    system.perip_clk_en1().modify(|_, w| {
        w.crypto_hmac_clk_en().set_bit();
        w.crypto_sha_clk_en().set_bit();
        w.crypto_ds_clk_en().set_bit()
    });
    for in_reset in [true, false] {
        system.perip_rst_en1().modify(|_, w| {
            w.crypto_hmac_rst().bit(in_reset);
            w.crypto_sha_rst().bit(in_reset);
            w.crypto_ds_rst().bit(in_reset)
        });
    }
}

#[cfg(feature = "esp32c6")]
fn release() {
    let pcr = esp_hal::peripherals::PCR::regs();
    for in_reset in [true, false] {
        pcr.hmac_conf()
            .modify(|_, w| w.hmac_clk_en().set_bit().hmac_rst_en().bit(in_reset));
        pcr.sha_conf()
            .modify(|_, w| w.sha_clk_en().set_bit().sha_rst_en().bit(in_reset));
        pcr.ds_conf()
            .modify(|_, w| w.ds_clk_en().set_bit().ds_rst_en().bit(in_reset));
    }
}

impl Registers for Fuses {
    fn read(&mut self, register: Register) -> u32 {
        // SAFETY: the offset is one of a register of the peripheral, and this is the peripheral's only user.
        unsafe { self.address(register).read_volatile() }
    }

    fn write(&mut self, register: Register, value: u32) {
        // SAFETY: as above.
        unsafe { self.address(register).write_volatile(value) }
    }
}

impl Fuses {
    fn address(&self, register: Register) -> *mut u32 {
        let first: *const _ = self.hmac.register_block();
        first.cast_mut().wrapping_byte_add(register.offset()).cast()
    }
}

/// The keys in the chip's fuses, without any secure element beside it.
#[derive(Clone, Copy)]
pub struct FuseKeys<'a>(pub &'a RefCell<Hmac<Fuses>>);

impl<'a> ChipKeys for FuseKeys<'a> {
    type Key = BlockKey<'a, Fuses>;

    /// The place of the device key is none for another: what it signs is not to be what seals the store.
    fn key(&self, slot: u8) -> Option<Self::Key> {
        let block = KeyBlock::new(slot).filter(|block| *block != DEVICE_KEY_BLOCK)?;
        self.block(block)
    }

    fn device_key(&self) -> Option<Self::Key> {
        self.block(DEVICE_KEY_BLOCK)
    }
}

impl<'a> FuseKeys<'a> {
    /// Returns the key in a block, if there is one that the peripheral computes with and no software reads: any other would be no
    /// better than in the flash.
    fn block(&self, block: KeyBlock) -> Option<BlockKey<'a, Fuses>> {
        let hardware = key_state(block).is_hardware();
        hardware.then(|| BlockKey::new(self.0, block))
    }
}

/// Returns what the eFuses say of a key block.
pub fn key_state(block: KeyBlock) -> KeyState {
    let purpose = match block.number() {
        0 => KEY_PURPOSE_0,
        1 => KEY_PURPOSE_1,
        2 => KEY_PURPOSE_2,
        3 => KEY_PURPOSE_3,
        4 => KEY_PURPOSE_4,
        _ => KEY_PURPOSE_5,
    };
    let (rd_dis, wr_dis) = (read_field_le(RD_DIS), read_field_le(WR_DIS));
    KeyState::of(block, read_field_le(purpose), rd_dis, wr_dis)
}
