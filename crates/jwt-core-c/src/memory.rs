//! Memory that C points to, checked before Rust looks at it.

use core::ffi::c_char;
use core::slice;

use crate::status::{Failure, jwt_status};

/// Returns whether a pointer can be one to a `T`.
pub(crate) fn check<T>(pointer: *const T) -> Result<(), jwt_status> {
    if pointer.is_null() {
        Err(jwt_status::JWT_ERROR_NULL_POINTER)
    } else if !pointer.is_aligned() {
        Err(jwt_status::JWT_ERROR_MISALIGNED)
    } else {
        Ok(())
    }
}

/// Returns a copy of what a pointer points to.
///
/// # Safety
/// `pointer` is null, misaligned, or points to a `T`.
pub(crate) unsafe fn read<T: Copy>(pointer: *const T) -> Result<T, jwt_status> {
    check(pointer)?;
    // SAFETY: not null and aligned; the rest is the caller's promise.
    Ok(unsafe { pointer.read() })
}

/// Refuses a pointer that a result can't be written through, because it is part of the `object` that makes it.
pub(crate) fn check_result<T, O>(pointer: *const T, object: *const O) -> Result<(), jwt_status> {
    check(pointer)?;
    apart(pointer, 1, object, 1)
}

/// Refuses what [`check_result`] does, but takes null for a result that is not wanted.
pub(crate) fn check_wanted<T, O>(pointer: *const T, object: *const O) -> Result<(), jwt_status> {
    if pointer.is_null() {
        return Ok(());
    }
    check_result(pointer, object)
}

/// Writes through a pointer, unless it is null.
///
/// # Safety
/// `pointer` is null, misaligned, or points to memory for a `T` that is nobody else's.
pub(crate) unsafe fn write<T>(pointer: *mut T, value: T) -> Result<(), jwt_status> {
    if pointer.is_null() {
        return Ok(());
    }
    check(pointer)?;
    // SAFETY: not null and aligned; the rest is the caller's promise.
    unsafe { pointer.write(value) };
    Ok(())
}

/// Checks that `count` values of type `T` can be behind a pointer.
fn check_slice<T>(data: *const T, count: usize) -> Result<(), jwt_status> {
    check(data)?;
    let len = count.checked_mul(size_of::<T>());
    let fits = len
        .is_some_and(|len| isize::try_from(len).is_ok() && data.addr().checked_add(len).is_some());
    if fits {
        Ok(())
    } else {
        Err(jwt_status::JWT_ERROR_LENGTH)
    }
}

/// Returns the `count` values behind a pointer, which is not looked at if there are none.
///
/// # Safety
/// If `count` is not 0, `data` is null, misaligned, or points to as many values that nobody changes
/// during `'a`.
pub(crate) unsafe fn slice<'a, T>(data: *const T, count: usize) -> Result<&'a [T], jwt_status> {
    if count == 0 {
        return Ok(&[]);
    }
    check_slice(data, count)?;
    // SAFETY: not null, aligned, and not longer than an object can be; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, count) })
}

/// Returns the `count` values behind a pointer, to be written to.
///
/// # Safety
/// As [`slice`], and nobody else uses the values during `'a`.
pub(crate) unsafe fn slice_mut<'a, T>(
    data: *mut T,
    count: usize,
) -> Result<&'a mut [T], jwt_status> {
    if count == 0 {
        return Ok(&mut []);
    }
    check_slice(data, count)?;
    // SAFETY: not null, aligned, and not longer than an object can be; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts_mut(data, count) })
}

/// Refuses memory that is written to and overlaps with memory that is read.
pub(crate) fn apart<W, R>(
    written: *const W,
    written_count: usize,
    read: *const R,
    read_count: usize,
) -> Result<(), jwt_status> {
    let end =
        |start: usize, count: usize, size: usize| start.saturating_add(count.saturating_mul(size));
    let written_end = end(written.addr(), written_count, size_of::<W>());
    let read_end = end(read.addr(), read_count, size_of::<R>());
    let apart = read_end <= written.addr() || read.addr() >= written_end;
    if apart || written_count == 0 || read_count == 0 {
        Ok(())
    } else {
        Err(jwt_status::JWT_ERROR_OVERLAP)
    }
}

/// A buffer of the caller's for text that is ended by a zero.
pub(crate) struct Output {
    data: *mut u8,
    size: usize,
}

impl Output {
    /// Checks a buffer; one of no bytes may be null, to ask for the length alone.
    pub fn new(data: *mut c_char, size: usize) -> Result<Self, jwt_status> {
        if size > 0 {
            check_slice(data, size)?;
        }
        Ok(Self {
            data: data.cast(),
            size,
        })
    }

    /// Refuses memory that overlaps with the buffer.
    pub fn apart_from<T>(&self, data: *const T, count: usize) -> Result<(), jwt_status> {
        apart(self.data, self.size, data, count)
    }

    /// Has text written to the start of the buffer, but for its last byte, and ends it by a zero.
    ///
    /// The length without that zero goes to `len`, unless it is null: of the text, or of the one that
    /// does not fit, or 0.
    ///
    /// # Safety
    /// The buffer is as large as was said, `len` points to a `usize` or is null or misaligned, and both
    /// are nobody else's.
    pub unsafe fn fill(
        self,
        len: *mut usize,
        text: impl FnOnce(&mut [u8]) -> Result<usize, Failure>,
    ) -> jwt_status {
        if !len.is_null()
            && let Err(status) = check(len).and_then(|()| self.apart_from(len, 1))
        {
            return status;
        }
        let out: &mut [u8] = match self.size.checked_sub(1) {
            // SAFETY: checked by `new`; the rest is the caller's promise.
            Some(room) => unsafe { slice::from_raw_parts_mut(self.data, room) },
            None => &mut [],
        };
        let written = text(out);
        let (status, reported) = match written {
            Ok(written) => {
                // SAFETY: what was written fits in front of the buffer's last byte.
                unsafe { self.data.wrapping_add(written).write(0) };
                (jwt_status::JWT_OK, written)
            }
            Err(failure) => (failure.status, failure.needed),
        };
        // SAFETY: checked above; the rest is the caller's promise.
        match unsafe { write(len, reported) } {
            Ok(()) => status,
            Err(status) => status,
        }
    }
}
