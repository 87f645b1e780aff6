//! What a program died of, in memory that a reset leaves alone: panics, faults, and what the watchdog was left hungry for.

use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use heapless::String;

/// Tells words from what happens to be in the memory after power-on.
const MAGIC: u32 = 0x6c61_7374;

const LEN: usize = 160;

#[repr(C)]
struct Record {
    magic: u32,
    len: u32,
    text: [u8; LEN],
}

// Not initialised by the start-up code, so that it outlasts a reset.
#[unsafe(link_section = ".uninit.LAST_WORDS")]
static mut RECORD: MaybeUninit<Record> = MaybeUninit::uninit();

/// Returns what the program before the reset recorded, once; empty if it didn't.
///
/// Call it once, before anything else can panic or be watched.
pub fn last_words() -> String<LEN> {
    let record = &raw mut RECORD;
    let mut words = String::new();
    // SAFETY: any bits are a record, and nothing that records runs yet.
    let (magic, len, text) = unsafe {
        let record = (*record).assume_init_mut();
        (core::mem::take(&mut record.magic), record.len, record.text)
    };
    if magic == MAGIC
        && let Some(text) = text.get(..len as usize)
        && let Ok(text) = core::str::from_utf8(text)
    {
        // Always fits: the buffers are of one length.
        let _ = words.push_str(text);
    }
    words
}

/// Records words for the next life, in place of earlier ones.
pub(crate) fn record(words: fmt::Arguments<'_>) {
    cortex_m::interrupt::free(|_| {
        let record = &raw mut RECORD;
        // SAFETY: any bits are a record; with interrupts off and one core running nothing else uses it.
        let record = unsafe { (*record).assume_init_mut() };
        record.magic = MAGIC;
        record.len = 0;
        // What doesn't fit is cut off.
        let _ = Writer(record).write_fmt(words);
    });
}

/// Starts the board again because somebody asked for it.
pub fn restart() -> ! {
    record(format_args!("a restart that was asked for"));
    cortex_m::peripheral::SCB::sys_reset()
}

/// Writes what fits.
struct Writer<'a>(&'a mut Record);

impl Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let start = self.0.len as usize;
            let end = start + char.len_utf8();
            let place = self.0.text.get_mut(start..end).ok_or(fmt::Error)?;
            char.encode_utf8(place);
            self.0.len = end as u32;
        }
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    match info.location() {
        Some(place) => record(format_args!(
            "a panic at {}:{}: {}",
            place.file(),
            place.line(),
            info.message()
        )),
        None => record(format_args!("a panic: {}", info.message())),
    }
    cortex_m::peripheral::SCB::sys_reset()
}

/// A fault with a sound stack is recorded. One for want of stack locks the core up, which the watchdog ends.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    record(format_args!("a fault at {:#010x}", frame.pc()));
    cortex_m::peripheral::SCB::sys_reset()
}
