//! What a program died of, in memory that a reset leaves alone: panics, exceptions, and what the watchdog was left hungry for.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use esp_hal::ram;
use heapless::String;

/// Tells words from what happens to be in the memory after power-on.
const MAGIC: u32 = 0x6c61_7374;

/// Bytes that are kept; an exception's registers don't fit.
const LEN: usize = 160;

/// In the RTC's memory, which only a loss of power clears: the magic, a length, and that many bytes.
#[ram(unstable(rtc_fast, persistent))]
static mut RECORD: [u32; 2 + LEN / 4] = [0; 2 + LEN / 4];

/// Returns what the program before the reset recorded, once; empty if it didn't.
///
/// Call it once, before anything else can panic or be watched.
pub fn last_words() -> String<LEN> {
    let record = &raw mut RECORD;
    // SAFETY: nothing else uses it but the panic handler, which doesn't return.
    let [magic, len, words @ ..] = unsafe { &mut *record };
    let mut text = [0; LEN];
    for (bytes, word) in text.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    let mut kept = String::new();
    if core::mem::take(magic) == MAGIC
        && let Some(text) = text.get(..*len as usize)
        && let Ok(text) = core::str::from_utf8(text)
    {
        // Always fits: the buffers are of one length.
        let _ = kept.push_str(text.trim_end());
    }
    kept
}

/// Writes what fits.
struct Cut(String<LEN>);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars().filter(|char| !char.is_control()) {
            self.0.push(char).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

/// Records words for the next life, in place of earlier ones.
pub(crate) fn record(words: fmt::Arguments<'_>) {
    let mut cut = Cut(String::new());
    // What doesn't fit is cut off.
    let _ = cut.write_fmt(words);
    // The memory takes whole words.
    while !cut.0.len().is_multiple_of(4) && cut.0.push(' ').is_ok() {}
    let place = &raw mut RECORD;
    critical_section::with(|_| {
        // SAFETY: with interrupts off and one core running the program, nothing else uses it.
        let [magic, len, words @ ..] = unsafe { &mut *place };
        for (word, bytes) in words.iter_mut().zip(cut.0.as_bytes().as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        (*magic, *len) = (MAGIC, cut.0.len() as u32);
    });
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let message = info.message();
    match info.location() {
        Some(place) => {
            let (file, line) = (place.file(), place.line());
            record(format_args!("a panic at {file}:{line}: {message}"));
            esp_println::println!("a panic at {file}:{line}: {message}");
        }
        None => record(format_args!("a panic: {message}")),
    }
    esp_hal::system::software_reset()
}
