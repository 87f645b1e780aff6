//! What a text costs: the number of short messages that carry it.
//!
//! Sources: 3GPP TS 23.038 section 6.2.1 (the GSM 7 bit default alphabet and its extension table; the
//! two units of an extended character stay together) and 3GPP TS 23.040 section 9.2.3.24.1 (each
//! part of a concatenated message gives up 6 octets to the concatenation header).

/// Units of one message and of each part of several.
const GSM7_UNITS: (usize, usize) = (160, 153);
const UCS2_UNITS: (usize, usize) = (70, 67);

/// The characters of the default alphabet beside ASCII, which is judged by [`gsm7_units`].
const GSM7_BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// How the characters of a text travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The GSM 7 bit default alphabet: units are septets.
    Gsm7,
    /// UCS-2, with surrogate pairs as phones show them: units are 16 bits.
    Ucs2,
}

/// The short messages that a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The encoding: UCS-2 as soon as one character is not in the GSM alphabet.
    pub encoding: Encoding,
    /// The length of the text in units of the encoding.
    pub units: usize,
    /// The number of messages, each of which is paid for; 1 for an empty text.
    pub count: usize,
}

impl Segments {
    /// Counts the messages that `text` takes.
    ///
    /// ```
    /// use sms_alert::{Encoding, Segments};
    ///
    /// let plain = Segments::of("Freezer 2: -9.5 °C");
    /// assert_eq!((plain.encoding, plain.units, plain.count), (Encoding::Ucs2, 18, 1));
    /// let cheaper = Segments::of("Freezer 2: -9.5 C, door open since 03:12 {alarm}");
    /// assert_eq!((cheaper.encoding, cheaper.units, cheaper.count), (Encoding::Gsm7, 50, 1));
    /// ```
    pub fn of(text: &str) -> Self {
        match text.chars().all(|char| gsm7_units(char).is_some()) {
            true => count(Encoding::Gsm7, GSM7_UNITS, text, |char| {
                gsm7_units(char).unwrap_or_default()
            }),
            false => count(Encoding::Ucs2, UCS2_UNITS, text, char::len_utf16),
        }
    }
}

fn count(
    encoding: Encoding,
    (alone, part): (usize, usize),
    text: &str,
    units_of: impl Fn(char) -> usize,
) -> Segments {
    let (mut units, mut count, mut filled) = (0_usize, 1_usize, 0_usize);
    for char in text.chars() {
        let width = units_of(char);
        units = units.saturating_add(width);
        filled = filled.saturating_add(width);
        if filled > part {
            count = count.saturating_add(1);
            filled = width;
        }
    }
    if units <= alone {
        count = 1;
    }
    Segments {
        encoding,
        units,
        count,
    }
}

/// Returns the septets that a character takes, or `None` for one that the alphabet lacks.
fn gsm7_units(char: char) -> Option<usize> {
    match char {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        '`' => None,
        ' '..='~' | '\n' | '\r' => Some(1),
        _ if GSM7_BEYOND_ASCII.chars().any(|known| known == char) => Some(1),
        _ => None,
    }
}
