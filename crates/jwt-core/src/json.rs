//! The JSON that a token's typed parts are made of: strings and whole seconds (RFC 8259 §6, §7).

/// Most decimal digits of a `u64`.
pub(crate) const MAX_DIGITS: usize = 20;

/// What JSON text is written to.
pub trait Sink {
    fn write(&mut self, bytes: &[u8]);
}

/// Returns how many bytes [`write_string`] writes, quotes included.
pub(crate) const fn string_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut len = 2usize;
    let mut at = 0;
    while at < bytes.len() {
        len = len.saturating_add(match bytes[at] {
            b'"' | b'\\' | 0x08 | 0x09 | 0x0a | 0x0c | 0x0d => 2,
            0x00..=0x1f => 6,
            _ => 1,
        });
        at += 1;
    }
    len
}

/// Writes `text` as a JSON string: the short escapes, `\u00xx` for other controls, the rest as UTF-8.
pub(crate) fn write_string(out: &mut impl Sink, text: &str) {
    out.write(b"\"");
    write_escaped(out, text);
    out.write(b"\"");
}

/// Writes a part of a JSON string.
pub(crate) fn write_escaped(out: &mut impl Sink, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let plain = rest.iter().take_while(|byte| !is_escaped(**byte)).count();
        let (run, escaped) = rest.split_at_checked(plain).unwrap_or_default();
        out.write(run);
        let Some((byte, after)) = escaped.split_first() else {
            break;
        };
        write_escape(out, *byte);
        rest = after;
    }
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0x00..=0x1f)
}

fn write_escape(out: &mut impl Sink, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            let low = byte & 0xf;
            let hex = low + if low < 10 { b'0' } else { b'a' - 10 };
            return out.write(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), hex]);
        }
    };
    out.write(&[b'\\', short]);
}

/// Returns how many decimal digits `number` has.
pub(crate) const fn digits_len(number: u64) -> usize {
    let mut zeros = 0;
    while zeros < MAX_DIGITS - 1 && number < POWERS[zeros] {
        zeros += 1;
    }
    MAX_DIGITS - zeros
}

/// Returns the decimal digits of `number`, zeros before them.
///
/// By subtraction: dividing 64 bits takes a Cortex-M0+ a kilobyte of code. With nothing but the number
/// to end it, the inner loop would be made a division.
#[cold]
pub(crate) fn digits(mut number: u64) -> [u8; MAX_DIGITS] {
    let mut digits = [b'0'; MAX_DIGITS];
    for (digit, power) in digits.iter_mut().zip(&POWERS) {
        while number >= *power && *digit < b'9' {
            number -= power;
            *digit += 1;
        }
    }
    digits
}

/// Powers of ten, from that of the first of [`MAX_DIGITS`] digits down to 1.
const POWERS: [u64; MAX_DIGITS] = {
    let mut powers = [1; MAX_DIGITS];
    let mut at = MAX_DIGITS - 1;
    while at > 0 {
        powers[at - 1] = powers[at] * 10;
        at -= 1;
    }
    powers
};

/// Returns the decimal digits of a `number` that has ten: Unix seconds from 2001 to 2106.
///
/// Without a division, which a Cortex-M0+ does in software: the number over 10^8 in fixed point
/// with 32 fractional bits, from which two digits at a time are moved above the point.
#[inline]
pub(crate) fn ten_digits(number: u32) -> [u8; 10] {
    const SCALE: u64 = (1u64 << 57).div_ceil(100_000_000);
    let mut fixed = (u64::from(number) * SCALE) >> 25;
    let mut digits = [0; 10];
    for pair in digits.as_chunks_mut::<2>().0 {
        let value = (fixed >> 32) as u32;
        let tens = (value * 103) >> 10;
        *pair = [b'0' + tens as u8, b'0' + (value - tens * 10) as u8];
        fixed = (fixed & u64::from(u32::MAX)) * 100;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn digits_are_those_of_display(number in any::<u64>(), shift in 0..64u32) {
            let number = number >> shift;
            let expected = number.to_string();
            let len = digits_len(number);
            prop_assert_eq!(&digits(number)[MAX_DIGITS - len..], expected.as_bytes());
            prop_assert_eq!(len, expected.len());
        }

        #[test]
        fn ten_digits_are_those_of_display(number in 1_000_000_000..=u32::MAX) {
            // The number itself, and the ends of runs where a carry goes far.
            for number in [number, number / 1000 * 1000, number / 100_000 * 100_000 - 1] {
                if number >= 1_000_000_000 {
                    let expected = number.to_string();
                    prop_assert_eq!(&ten_digits(number), expected.as_bytes());
                }
            }
        }
    }

    #[test]
    fn ten_digits_at_the_ends_of_the_range() {
        assert_eq!(&ten_digits(1_000_000_000), b"1000000000");
        assert_eq!(&ten_digits(u32::MAX), b"4294967295");
    }
}
