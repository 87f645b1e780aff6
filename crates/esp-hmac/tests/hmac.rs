//! The driver against a register-level fake of the peripheral; the expected MACs are those of the `hmac` crate.

mod support;

use std::cell::RefCell;

use esp_hmac::{BlockKey, Hmac, HmacError, KeyBlock};
use hmac::{KeyInit, Mac};
use jwt_core::{Claims, Header, MacEngine, Template, Times, sign};
use proptest::prelude::*;
use sha2::Sha256;
use support::{Bus, Peripheral};

const KEY: [u8; 32] = *b"thirty-two bytes burnt for ever.";

fn expected(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn block(number: u8) -> KeyBlock {
    KeyBlock::new(number).unwrap()
}

#[test]
fn every_length_to_300_bytes() {
    let bus = Bus::new(Peripheral::with_key(0, &KEY));
    let mut hmac = Hmac::new(bus.clone());
    let message: Vec<u8> = (0..300u32).map(|index| (index * 7 + 3) as u8).collect();
    for len in 0..=300 {
        let message = &message[..len];
        let mac = hmac.mac(block(0), message).unwrap();
        assert_eq!(mac, expected(&KEY, message), "{len} bytes");
    }
    assert_eq!(bus.0.borrow().violations, [""; 0]);
}

proptest! {
    #[test]
    fn any_key_block_and_message(
        key: [u8; 32],
        number in 0..6u8,
        busy_polls in 0..200u32,
        message in prop::collection::vec(any::<u8>(), 0..1_000),
    ) {
        let mut peripheral = Peripheral::with_key(number.into(), &key);
        peripheral.busy_polls = busy_polls;
        let bus = Bus::new(peripheral);
        let mac = Hmac::new(bus.clone()).mac(block(number), &message);
        prop_assert_eq!(mac, Ok(expected(&key, &message)));
        prop_assert_eq!(&bus.0.borrow().violations, &[""; 0]);
    }
}

/// RFC 4231, sections 4.2 and 4.3: keys of less than 32 bytes are burnt as they are.
#[test]
fn short_keys_of_rfc_4231() {
    let cases: [(&[u8], &[u8], [u8; 4]); 2] = [
        (&[0x0b; 20], b"Hi There", [0xb0, 0x34, 0x4c, 0x61]),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            [0x5b, 0xdc, 0xc1, 0x46],
        ),
    ];
    for (key, data, start) in cases {
        let mut hmac = Hmac::new(Bus::new(Peripheral::with_key(2, key)));
        assert_eq!(hmac.mac(block(2), data).unwrap()[..4], start);
    }
}

/// The trap: whoever takes the end of a piece for the end of the message announces the last block too early. The peripheral
/// then gives a MAC of part of the message and no error. A driver that is fed 64 bytes at a time does that, as esp-hal's
/// does in version 1.2.2 with its decision by what remains of the piece.
#[test]
fn pieces_give_a_wrong_mac_and_no_error() {
    let message = [0xa5; 128];
    let mut chip = Peripheral::with_key(0, &KEY);
    let idle = |chip: &mut Peripheral| while chip.read(0x6c) != 0 {};
    for (offset, value) in [(0x40, 1), (0x44, 8), (0x48, 0), (0x4c, 1)] {
        chip.write(offset, value);
        idle(&mut chip);
    }
    let mut padding = [0; 64];
    padding[0] = 0x80;
    padding[56..].copy_from_slice(&((64 + 128) * 8u64).to_be_bytes());
    for piece in [&message[..64], &message[64..], &padding] {
        for (index, word) in piece.as_chunks::<4>().0.iter().enumerate() {
            chip.write(0x80 + index * 4, u32::from_le_bytes(*word));
        }
        chip.write(0x50, 1);
        idle(&mut chip);
        chip.write(0xf0, 1);
        idle(&mut chip);
    }
    let mac: Vec<u8> = (0..8)
        .flat_map(|word| chip.read(0xc0 + word * 4).to_le_bytes())
        .collect();
    assert_ne!(mac, expected(&KEY, &message));
    assert_ne!(mac, [0; 32]);
}

/// At the lengths of the trap, the last block is announced once and just before it.
#[test]
fn the_last_block_is_announced_once() {
    for (len, blocks) in [(128, 3), (200, 4), (55, 1), (56, 2), (119, 2), (120, 3)] {
        let bus = Bus::new(Peripheral::with_key(0, &KEY));
        let mut hmac = Hmac::new(bus.clone());
        hmac.mac(block(0), &vec![0xa5; len]).unwrap();
        let mut steps = vec![0x40, 0x4c];
        for left in (0..blocks).rev() {
            steps.push(0x50);
            match left {
                0 if blocks == 1 => steps.push(0xf4),
                0 => {}
                1 => steps.push(0xf0),
                _ => steps.push(0x54),
            }
        }
        steps.push(0x5c);
        assert_eq!(bus.0.borrow().commands, steps, "{len} bytes");
    }
}

#[test]
fn a_block_of_another_purpose_is_refused() {
    let bus = Bus::new(Peripheral::with_key(0, &KEY));
    let mut hmac = Hmac::new(bus.clone());
    // Block 1 is blank; block 2 holds a key of the digital signature peripheral.
    bus.0.borrow_mut().fuses[2] = (7, KEY);
    for number in [1, 2] {
        let refused = hmac.mac(block(number), b"message");
        assert_eq!(refused, Err(HmacError::Purpose(block(number))));
    }
    let mac = hmac.mac(block(0), b"message");
    assert_eq!(mac, Ok(expected(&KEY, b"message")));
    assert_eq!(bus.0.borrow().violations, [""; 0]);
}

#[test]
fn a_peripheral_that_never_finishes_is_not_waited_for() {
    let mut peripheral = Peripheral::with_key(0, &KEY);
    peripheral.sha_clock = false;
    let mut hmac = Hmac::new(Bus::new(peripheral));
    assert_eq!(hmac.mac(block(0), b"message"), Err(HmacError::Stuck));
}

/// Heymarket's documented credential; its token was computed with Python's `hmac`.
#[test]
fn a_token_by_template_and_at_once() {
    const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
    const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
        eyJpc3MiOiI3NGY4MGE3Ny05YjNmLTQ0YWMtYjNhZC1hYjY4Y2ZiNTQ4ZmEiLCJpYXQiOjE3MTMyMjU2MDB9.\
        sWLRg-YlFnPpP99prTT_IpgvMALyFmjYtlnfGEeahS0";
    // SHA-256 of ID || "||" || KEY.
    const BURNT: [u8; 32] = [
        0x03, 0x71, 0x97, 0x27, 0xcf, 0x2f, 0xce, 0x0f, 0xaf, 0x04, 0x27, 0xee, 0x44, 0x2e, 0xa4,
        0x7f, 0xf5, 0xfc, 0x5a, 0xb7, 0xb6, 0xdd, 0x50, 0x40, 0x4b, 0xef, 0x41, 0x3c, 0x1b, 0xce,
        0x00, 0xb0,
    ];
    let bus = Bus::new(Peripheral::with_key(5, &BURNT));
    let hmac = RefCell::new(Hmac::new(bus.clone()));
    let (header, now) = (Header::new(), Times::iat(1_713_225_600));
    let claims = Claims {
        iss: Some(ID),
        ..Claims::NONE
    };
    let mut out = [0; 165];
    let key = BlockKey::new(&hmac, block(5));
    let mut template = Template::<_, 97>::new(key, &header, &claims).unwrap();
    assert_eq!(template.sign(&now, &mut out).unwrap(), TOKEN);
    let key = BlockKey::new(&hmac, block(5));
    assert_eq!(sign(key, &header, &claims, &now, &mut out).unwrap(), TOKEN);
    assert_eq!(bus.0.borrow().violations, [""; 0]);
}

#[test]
fn two_keys_share_the_peripheral() {
    let mut peripheral = Peripheral::with_key(0, &KEY);
    peripheral.fuses[1] = (8, [0x77; 32]);
    let hmac = RefCell::new(Hmac::new(Bus::new(peripheral)));
    let mut signs = BlockKey::new(&hmac, block(0));
    let mut seals = BlockKey::new(&hmac, block(1));
    for message in [&b"one"[..], &[9; 200]] {
        assert_eq!(signs.mac(message), Ok(expected(&KEY, message)));
        assert_eq!(seals.mac(message), Ok(expected(&[0x77; 32], message)));
    }
    let taken = hmac.borrow_mut();
    assert_eq!(signs.mac(b"one"), Err(HmacError::Busy));
    drop(taken);
}
