//! What a panic would do, if one could be reached: keep the firmware from being linked.

use core::panic::PanicInfo;

unsafe extern "C" {
    /// Defined by nobody, so that a firmware into which this handler is linked fails to link.
    fn jwt_panic_is_reachable() -> !;
}

/// Calls a function that does not exist.
///
/// The linker drops what nothing reaches, this handler included, and then misses nothing. So every
/// firmware that links proves anew that no panic can be reached in it. Who builds without optimisation, where
/// the compiler sees less, defines the function: it is called instead of going on.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: whoever defines the function defines it as declared, without arguments and never returning.
    unsafe { jwt_panic_is_reachable() }
}
