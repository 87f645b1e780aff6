//! Panics that stay in although nothing reaches them.

/// A place whose panics are let pass.
pub struct Allowed {
    /// A part of the sentence that tells of such a panic; in most cases a package's name.
    pub place: &'static str,
    /// The optimisation levels at which the compiler does not see that nothing reaches them.
    pub levels: &'static [&'static str],
    /// Why nothing does.
    pub reason: &'static str,
}

impl Allowed {
    const fn new(
        place: &'static str,
        levels: &'static [&'static str],
        reason: &'static str,
    ) -> Self {
        Self {
            place,
            levels,
            reason,
        }
    }
}

/// What the crates above `jwt-core` bring in. `jwt-core` itself is linked alone, and excused nothing.
pub const ABOVE_JWT_CORE: [Allowed; 8] = [
    Allowed::new(
        "chacha20-",
        &["z"],
        "it cuts keys and blocks into words, which have the lengths that their types say",
    ),
    Allowed::new(
        "chacha20poly1305-",
        &["z"],
        "it copies two lengths of 8 bytes into a block of 16",
    ),
    Allowed::new(
        "cipher-",
        &["3", "s", "z"],
        "it ends its keystream after 256 GiB, of which a sealed value takes 1 KiB",
    ),
    Allowed::new("hybrid-array-", &["z"], "it indexes arrays with constants"),
    Allowed::new(
        "universal-hash-",
        &["z"],
        "it pads a rest that is shorter than a block",
    ),
    Allowed::new(
        "httparse-",
        &["3", "s", "z"],
        "it cuts a header value behind a byte that it has found in it; finds the byte that is not zero in a word that is not",
    ),
    Allowed::new(
        "panic_const_async_fn_resumed",
        &["3", "s"],
        "the compiler's own, for a future that is polled after its end; `.await` never does so",
    ),
    Allowed::new(
        "postcard-",
        &["z"],
        "it writes a number into an array that has room for its longest encoding",
    ),
];
