//! The C functions that Mbed TLS wants and a chip without a C library doesn't have.

use core::ffi::{c_char, c_int, c_void};
use core::ptr::{null, null_mut};

/// Never serves: TLS has memory of its own, and asks here only if it was given none.
#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(_count: usize, _len: usize) -> *mut c_void {
    null_mut()
}

/// Has nothing to free.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(_block: *mut c_void) {}

/// ISO C, 7.26.5.2.
#[unsafe(no_mangle)]
unsafe extern "C" fn strchr(text: *const c_char, wanted: c_int) -> *const c_char {
    let wanted = wanted as c_char;
    let mut place = text;
    loop {
        // SAFETY: the caller's text ends with a zero, and the loop there.
        let char = unsafe { *place };
        if char == wanted {
            return place;
        }
        if char == 0 {
            return null();
        }
        place = place.wrapping_add(1);
    }
}

/// ISO C, 7.26.4.2.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcmp(one: *const c_char, other: *const c_char) -> c_int {
    let (mut one, mut other) = (one.cast::<u8>(), other.cast::<u8>());
    loop {
        // SAFETY: the caller's texts end with a zero, and the loop with the first.
        let (a, b) = unsafe { (*one, *other) };
        if a != b || a == 0 {
            return c_int::from(a) - c_int::from(b);
        }
        (one, other) = (one.wrapping_add(1), other.wrapping_add(1));
    }
}

/// ISO C, 7.26.5.7.
#[unsafe(no_mangle)]
unsafe extern "C" fn strstr(text: *const c_char, wanted: *const c_char) -> *const c_char {
    let mut place = text;
    loop {
        let mut len = 0;
        // SAFETY: the caller's texts end with a zero, and the loops at the first difference or the end.
        unsafe {
            while *wanted.add(len) != 0 && *place.add(len) == *wanted.add(len) {
                len += 1;
            }
            if *wanted.add(len) == 0 {
                return place;
            }
            if *place == 0 {
                return null();
            }
        }
        place = place.wrapping_add(1);
    }
}
