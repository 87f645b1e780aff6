//! The panic handler: it records where and why in memory that a reset leaves alone, and resets.

use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

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

/// Returns what the program before the reset panicked with, once; empty if it didn't.
///
/// Call it once, before anything else can panic.
pub fn last_words() -> String<LEN> {
    let record = &raw mut RECORD;
    let mut words = String::new();
    // SAFETY: any bits are a record, and nothing else uses it but the panic handler, which doesn't return.
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
    let record = &raw mut RECORD;
    // SAFETY: any bits are a record; with interrupts off and one core running nothing else uses it.
    let record = unsafe { (*record).assume_init_mut() };
    record.magic = MAGIC;
    record.len = 0;
    let mut writer = Writer(record);
    // What doesn't fit is cut off.
    let _ = match info.location() {
        Some(place) => write!(
            writer,
            "{}:{}: {}",
            place.file(),
            place.line(),
            info.message()
        ),
        None => write!(writer, "{}", info.message()),
    };
    cortex_m::peripheral::SCB::sys_reset()
}
