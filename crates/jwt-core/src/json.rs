//! The JSON that a token's typed parts are made of: strings and whole seconds (RFC 8259 §6, §7).

use crate::base64url::Writer;

/// Most digits of a number of seconds up to [`MAX_SECONDS`](crate::MAX_SECONDS).
pub(crate) const MAX_DIGITS: usize = 16;

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
pub(crate) fn write_string(out: &mut Writer<'_>, text: &str) {
    out.write(b"\"");
    for byte in text.bytes() {
        match byte {
            b'"' => out.write(b"\\\""),
            b'\\' => out.write(b"\\\\"),
            0x08 => out.write(b"\\b"),
            0x09 => out.write(b"\\t"),
            0x0a => out.write(b"\\n"),
            0x0c => out.write(b"\\f"),
            0x0d => out.write(b"\\r"),
            0x00..=0x1f => {
                let low = byte & 0xf;
                let hex = low + if low < 10 { b'0' } else { b'a' - 10 };
                out.write(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), hex]);
            }
            _ => out.write(&[byte]),
        }
    }
    out.write(b"\"");
}

/// Returns how many decimal digits `number` has.
pub(crate) const fn digits_len(number: u64) -> usize {
    match number.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}
