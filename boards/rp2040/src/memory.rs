//! The memory map: the one that the linker gets, from `build.rs`, and that the firmware uses.

/// Where the flash is mapped.
pub const FLASH_BASE: u32 = 0x1000_0000;

/// Bytes of the flash: both boards have 2 MB.
pub const FLASH_LEN: u32 = 2 * 1024 * 1024;

/// Bytes of the second-stage boot loader, at the start of the flash.
pub const BOOT2_LEN: u32 = 0x100;

/// Bytes of the store, at the end of the flash: two copies of 32 KB.
pub const STORE_LEN: u32 = 64 * 1024;

/// Offset of the store in the flash.
pub const STORE_START: u32 = FLASH_LEN - STORE_LEN;

/// Where the RAM begins.
pub const RAM_BASE: u32 = 0x2000_0000;

/// Bytes of the RAM: its four striped and its two small banks.
pub const RAM_LEN: u32 = 264 * 1024;

/// Bytes of the stack. It lies at the start of the RAM, so that an overflow runs into nothing and faults.
pub const STACK_LEN: u32 = 64 * 1024;
