//! The memory of TLS: one block that nothing else uses, so that a server can exhaust TLS and nothing else.
//!
//! Mbed TLS allocates through `calloc` and `free`. What it frees is overwritten: keys and plaintext don't stay behind.

use core::alloc::Layout;
use core::cell::RefCell;
use core::ffi::c_void;
use core::fmt;
use core::ptr::{NonNull, null_mut};

use critical_section::Mutex;
use linked_list_allocator::Heap;
use mbedtls_rs::sys::mbedtls_platform_set_calloc_free;

/// Bytes that every block is aligned to: what C expects of `calloc`.
const ALIGN: usize = 2 * size_of::<usize>();

/// Bytes in front of each block, which hold its length.
const HEADER_LEN: usize = ALIGN;

struct Arena {
    heap: Heap,
    peak: usize,
    refused: bool,
}

static ARENA: Mutex<RefCell<Arena>> = Mutex::new(RefCell::new(Arena {
    heap: Heap::empty(),
    peak: 0,
    refused: false,
}));

/// How much of its memory TLS uses, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What there is; 0 before TLS was given any.
    pub len: usize,
    /// What is in use now.
    pub used: usize,
    /// The most that was ever in use.
    pub peak: usize,
}

impl Memory {
    /// Returns how it is now.
    pub fn now() -> Self {
        with(|arena| Self {
            len: arena.heap.size(),
            used: arena.heap.used(),
            peak: arena.peak,
        })
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peak, len) = (self.peak.div_ceil(1024), self.len / 1024);
        write!(f, "at most {peak} of {len} KB used")
    }
}

/// Gives TLS its memory, once; later calls change nothing.
pub(crate) fn give(memory: &'static mut [u8]) {
    with(|arena| {
        if arena.heap.size() == 0 {
            // SAFETY: the block is static and handed over for good.
            unsafe { arena.heap.init(memory.as_mut_ptr(), memory.len()) };
        }
    });
    // SAFETY: both keep to the contract of their C namesakes.
    unsafe { mbedtls_platform_set_calloc_free(Some(calloc), Some(free)) };
}

/// Whether memory was refused since this was last asked.
pub(crate) fn take_refused() -> bool {
    with(|arena| core::mem::take(&mut arena.refused))
}

fn with<T>(work: impl FnOnce(&mut Arena) -> T) -> T {
    critical_section::with(|cs| work(&mut ARENA.borrow_ref_mut(cs)))
}

unsafe extern "C" fn calloc(count: usize, len: usize) -> *mut c_void {
    let layout = count
        .checked_mul(len)
        .and_then(|len| len.checked_add(HEADER_LEN))
        .and_then(|len| Layout::from_size_align(len, ALIGN).ok());
    let block = with(|arena| {
        let block = layout.and_then(|layout| arena.heap.allocate_first_fit(layout).ok());
        arena.refused |= block.is_none();
        arena.peak = arena.peak.max(arena.heap.used());
        block
    });
    let (Some(block), Some(layout)) = (block, layout) else {
        return null_mut();
    };
    // SAFETY: the block has the layout's length and alignment, and room for the header.
    unsafe {
        block.as_ptr().write_bytes(0, layout.size());
        block.cast::<usize>().write(layout.size());
        block.add(HEADER_LEN).as_ptr().cast()
    }
}

unsafe extern "C" fn free(block: *mut c_void) {
    let Some(block) = NonNull::new(block.cast::<u8>()) else {
        return;
    };
    // SAFETY: Mbed TLS frees what `calloc` returned, which lies behind a header with the layout's length.
    unsafe {
        let block = block.sub(HEADER_LEN);
        let layout = Layout::from_size_align_unchecked(block.cast::<usize>().read(), ALIGN);
        for offset in 0..layout.size() {
            block.add(offset).write_volatile(0);
        }
        with(|arena| arena.heap.deallocate(block, layout));
    }
}
