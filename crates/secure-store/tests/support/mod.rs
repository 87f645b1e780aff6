//! A mock NOR flash with every way of losing power, and a small source of chance.
#![allow(dead_code, reason = "each test uses a part of it")]

pub mod atecc;
pub mod flash;
pub mod nonces;
pub mod random;
