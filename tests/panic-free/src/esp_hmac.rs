//! Everything public in `esp-hmac`.

use core::cell::RefCell;
use core::fmt::Write;
use core::hint::black_box;

use esp_hmac::{BlockKey, Hmac, KeyBlock, KeyState, PURPOSE_HMAC_UP, Register, Registers};
use jwt_core::MacEngine;

use crate::{Screen, display};

/// Registers that hold whatever the compiler can't know.
struct Unknown;

impl Registers for Unknown {
    fn read(&mut self, register: Register) -> u32 {
        black_box(register.offset()) as u32
    }

    fn write(&mut self, register: Register, value: u32) {
        black_box((register, value));
    }
}

pub fn use_all() {
    let message: &[u8] = black_box(b"");
    let mut hmac = Hmac::new(Unknown);
    for block in KeyBlock::all().chain(KeyBlock::new(black_box(7))) {
        black_box(hmac.mac(block, message)).ok();
        let state = KeyState::of(
            block,
            black_box(PURPOSE_HMAC_UP),
            black_box(0),
            black_box(0),
        );
        black_box(state.is_hardware());
        black_box(write!(Screen, "{state}").is_ok());
    }
    let hmac = RefCell::new(hmac);
    if let Some(block) = KeyBlock::new(black_box(5)) {
        black_box(block.number());
        black_box(write!(Screen, "{block}").is_ok());
        let mut key = BlockKey::new(&hmac, block);
        if let Err(error) = key.mac(message) {
            display(&error);
        }
    }
}
