//! A heap that begins anew with each test, for some of them leave what they don't need any more.
#![allow(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::addr_of_mut;

use embedded_alloc::LlffHeap;

/// Bytes of the boards' RAM that are for the heap.
const LEN: usize = 14 * 1024 * 1024;

pub struct Heap(UnsafeCell<LlffHeap>);

// SAFETY: there is one core and nothing that interrupts it.
unsafe impl Sync for Heap {}

impl Heap {
    pub const fn empty() -> Self {
        Self(UnsafeCell::new(LlffHeap::empty()))
    }

    /// Forgets everything that was allocated.
    ///
    /// # Safety
    /// None of it is used any more.
    pub unsafe fn clear(&self) {
        static mut MEMORY: [MaybeUninit<u8>; LEN] = [MaybeUninit::uninit(); LEN];
        // SAFETY: by the caller's promise nothing refers to the old heap or to its memory.
        unsafe {
            self.0.get().write(LlffHeap::empty());
            (*self.0.get()).init(addr_of_mut!(MEMORY) as usize, LEN);
        }
    }
}

// SAFETY: the calls go to an allocator, unchanged.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { (*self.0.get()).dealloc(pointer, layout) }
    }
}
