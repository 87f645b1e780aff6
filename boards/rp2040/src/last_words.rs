//! What a program died of, in memory that a reset leaves alone: panics, faults, and what the watchdog was left hungry for.

use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use gateway_firmware::Restart;
use heapless::String;

/// Tells words from what happens to be in the memory after power-on.
const MAGIC: u32 = 0x6c61_7374;

const LEN: usize = 160;

#[repr(C)]
struct Record {
    magic: u32,
    /// 1 if the program reset the board itself after this, 0 if something else was to.
    own: u32,
    len: u32,
    text: [u8; LEN],
}

// Not initialised by the start-up code, so that it outlasts a reset.
#[unsafe(link_section = ".uninit.LAST_WORDS")]
static mut RECORD: MaybeUninit<Record> = MaybeUninit::uninit();

/// What the program before a reset recorded.
pub struct LastWords {
    /// Whether it reset the board itself.
    pub own: bool,
    /// What it died of, empty if that is not known.
    pub text: String<LEN>,
}

/// Returns what the program before the reset recorded, once.
///
/// Call it once, before anything else can panic or be watched.
pub fn last_words() -> LastWords {
    let record = &raw mut RECORD;
    let mut words = LastWords {
        own: false,
        text: String::new(),
    };
    // SAFETY: any bits are a record, and nothing that records runs yet.
    let (magic, own, len, text) = unsafe {
        let record = (*record).assume_init_mut();
        let magic = core::mem::take(&mut record.magic);
        (magic, record.own, record.len, record.text)
    };
    if magic == MAGIC
        && let Some(text) = text.get(..len as usize)
        && let Ok(text) = core::str::from_utf8(text)
    {
        // Always fits: the buffers are of one length.
        let _ = words.text.push_str(text);
        words.own = own == 1;
    }
    words
}

/// Records for the next life what the watchdog is left hungry for.
#[cfg(feature = "gateway")]
pub(crate) fn record_hang(words: fmt::Arguments<'_>) {
    record(false, words);
}

/// Records words for the next life, in place of earlier ones.
fn record(own: bool, words: fmt::Arguments<'_>) {
    cortex_m::interrupt::free(|_| {
        let record = &raw mut RECORD;
        // SAFETY: any bits are a record; with interrupts off and one core running nothing else uses it.
        let record = unsafe { (*record).assume_init_mut() };
        record.magic = MAGIC;
        record.own = own.into();
        record.len = 0;
        // What doesn't fit is cut off.
        let _ = Writer(record).write_fmt(words);
    });
}

/// Starts the board again, and records why.
pub fn restart(why: Restart) -> ! {
    end(format_args!("{why}"))
}

/// Records what the program dies of, and resets the board.
fn end(words: fmt::Arguments<'_>) -> ! {
    record(true, words);
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
        Some(place) => end(format_args!(
            "a panic at {}:{}: {}",
            place.file(),
            place.line(),
            info.message()
        )),
        None => end(format_args!("a panic: {}", info.message())),
    }
}

/// A fault with a sound stack is recorded. One for want of stack locks the core up, which the watchdog ends.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    end(format_args!("a fault at {:#010x}", frame.pc()))
}
