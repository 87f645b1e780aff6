//! Rust values in storage that C owns: what holds one carries a tag, so that what holds none is told.

use core::mem::MaybeUninit;

use zeroize::Zeroize;

use crate::memory::check;
use crate::status::jwt_status;

/// A value that C keeps in storage of its own.
pub(crate) trait Stored: Sized {
    /// The type of the storage in C.
    type Storage;
    /// What tells that the storage holds such a value: neither 0 nor likely in memory by chance.
    const TAG: u32;
    /// Fails to compile if the storage is too small for the value, or less aligned.
    const FITS: () = assert!(
        size_of::<Object<Self>>() <= size_of::<Self::Storage>()
            && align_of::<Object<Self>>() <= align_of::<Self::Storage>()
    );
}

/// How the storage is used.
#[repr(C)]
struct Object<T> {
    tag: u32,
    value: MaybeUninit<T>,
}

/// What is added to the tag of a value while a call uses it.
const IN_USE: u32 = 1;

/// Puts what `make` returns into the storage, which is zeroed before, so that it holds nothing on failure.
///
/// # Safety
/// `storage` is null, misaligned, or points to `size` bytes that are nobody else's.
pub(crate) unsafe fn init<T: Stored>(
    storage: *mut T::Storage,
    size: usize,
    make: impl FnOnce() -> Result<T, jwt_status>,
) -> jwt_status {
    const { T::FITS };
    if let Err(status) = check(storage) {
        return status;
    }
    if size < size_of::<T::Storage>() {
        return jwt_status::JWT_ERROR_STORAGE_TOO_SMALL;
    }
    // SAFETY: not null, aligned, large enough; the rest is the caller's promise.
    unsafe { zero::<T>(storage) };
    let value = match make() {
        Ok(value) => value,
        Err(status) => return status,
    };
    let object = storage.cast::<Object<T>>();
    // SAFETY: as above, and an object is neither larger nor more aligned than its storage.
    unsafe {
        object.write(Object {
            tag: T::TAG,
            value: MaybeUninit::new(value),
        });
    }
    jwt_status::JWT_OK
}

/// Lets `work` use the value in the storage; another call meanwhile is told so.
///
/// # Safety
/// `storage` is null, misaligned, or points to storage that is nobody else's.
pub(crate) unsafe fn using<T: Stored, R>(
    storage: *mut T::Storage,
    work: impl FnOnce(&mut T) -> Result<R, jwt_status>,
) -> Result<R, jwt_status> {
    check(storage)?;
    let object = storage.cast::<Object<T>>();
    // SAFETY: not null and aligned; the rest is the caller's promise.
    let tag = unsafe { &raw mut (*object).tag };
    // SAFETY: as above.
    check_tag::<T>(unsafe { tag.read() })?;
    // SAFETY: as above.
    unsafe { tag.write(T::TAG.wrapping_add(IN_USE)) };
    // SAFETY: as above.
    let value = unsafe { &mut (*object).value };
    // SAFETY: the tag tells that `init` has put a value there.
    let result = work(unsafe { value.assume_init_mut() });
    // SAFETY: as above.
    unsafe { tag.write(T::TAG) };
    result
}

/// Returns a copy of the value in the storage.
///
/// # Safety
/// `storage` is null, misaligned, or points to storage that nobody changes meanwhile.
pub(crate) unsafe fn copy<T: Stored + Clone>(storage: *const T::Storage) -> Result<T, jwt_status> {
    check(storage)?;
    let object = storage.cast::<Object<T>>();
    // SAFETY: not null and aligned; the rest is the caller's promise.
    let object = unsafe { &*object };
    check_tag::<T>(object.tag)?;
    // SAFETY: the tag tells that `init` has put a value there.
    Ok(unsafe { object.value.assume_init_ref() }.clone())
}

fn check_tag<T: Stored>(tag: u32) -> Result<(), jwt_status> {
    if tag == T::TAG {
        Ok(())
    } else if tag == T::TAG.wrapping_add(IN_USE) {
        Err(jwt_status::JWT_ERROR_BUSY)
    } else {
        Err(jwt_status::JWT_ERROR_NOT_INITIALIZED)
    }
}

/// Zeroes the storage, whatever it holds.
///
/// Values need no drop: theirs do nothing but zero.
///
/// # Safety
/// `storage` is null, misaligned, or points to storage that is nobody else's.
pub(crate) unsafe fn wipe<T: Stored>(storage: *mut T::Storage) -> jwt_status {
    match check(storage) {
        Ok(()) => {
            // SAFETY: not null and aligned; the rest is the caller's promise.
            unsafe { zero::<T>(storage) };
            jwt_status::JWT_OK
        }
        Err(status) => status,
    }
}

/// # Safety
/// `storage` points to storage that is nobody else's, aligned.
unsafe fn zero<T: Stored>(storage: *mut T::Storage) {
    let bytes = storage.cast::<MaybeUninit<u8>>();
    let len = size_of::<T::Storage>();
    // SAFETY: the caller's promise; bytes that may be uninitialised have no other requirement.
    unsafe { core::slice::from_raw_parts_mut(bytes, len) }.zeroize();
}
