//! The panic handler: it says on UART0 where and why, keeps that in memory that a reset leaves alone, and resets.

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

/// Returns what the program before the reset panicked with, once; empty if it didn't.
///
/// Call it once, before anything else can panic.
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
        let _ = kept.push_str(text);
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

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut cut = Cut(String::new());
    // What doesn't fit is cut off.
    let _ = match info.location() {
        Some(place) => write!(cut, "{}:{}: {}", place.file(), place.line(), info.message()),
        None => write!(cut, "{}", info.message()),
    };
    let record = &raw mut RECORD;
    // SAFETY: the program ends here, and one core runs it.
    let [magic, len, words @ ..] = unsafe { &mut *record };
    let (bytes, _) = cut.0.as_bytes().as_chunks();
    for (word, bytes) in words.iter_mut().zip(bytes) {
        *word = u32::from_le_bytes(*bytes);
    }
    // Whole words are kept.
    (*magic, *len) = (MAGIC, bytes.as_flattened().len() as u32);
    esp_println::println!("panicked: {}", cut.0);
    esp_hal::system::software_reset()
}
