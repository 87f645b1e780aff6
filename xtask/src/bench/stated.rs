//! Figures of others that were measured earlier, in the same way but not by this program: their
//! libraries need another language, another C compiler or a heap.

use serde::Serialize;

/// Nanoseconds that the limit took on the machine of [`DESKTOP`].
pub const LIMIT_NS: f64 = 209.0;

/// Time and heap allocations per token.
#[derive(Serialize)]
pub struct Desktop {
    pub name: &'static str,
    pub ns: f64,
    /// None where they were not counted.
    pub allocations: Option<u32>,
}

const fn desktop(name: &'static str, ns: f64, allocations: Option<u32>) -> Desktop {
    Desktop {
        name,
        ns,
        allocations,
    }
}

/// The same token, with the key prepared once where the library allows it.
pub const DESKTOP: [Desktop; 11] = [
    desktop(
        "compress256 and table base64 by hand, template",
        262.0,
        Some(0),
    ),
    desktop("hmac, sha2, base64ct by hand, template", 353.0, Some(0)),
    desktop("ring by hand", 631.0, Some(0)),
    desktop("aws-lc-rs by hand", 696.0, Some(0)),
    desktop("jsonwebtoken 11.1, aws_lc_rs", 1938.0, Some(9)),
    desktop("jwt-simple 0.15", 5587.0, Some(13)),
    desktop("libjwt (C)", 6000.0, None),
    desktop("fast-jwt (Node.js)", 7600.0, None),
    desktop("jsonwebtoken (Node.js)", 7700.0, None),
    desktop("josekit (OpenSSL)", 13106.0, Some(51)),
    desktop("PyJWT (Python)", 29000.0, None),
];

/// Bytes of flash, instructions per token and bytes of stack of a firmware, at opt-level 3 and s.
#[derive(Serialize)]
pub struct Device {
    pub target: &'static str,
    pub name: &'static str,
    pub opt_3: Option<[u32; 3]>,
    pub opt_s: [u32; 3],
}

const fn arm(name: &'static str, opt_3: [u32; 3], opt_s: [u32; 3]) -> Device {
    Device {
        target: "thumbv6m-none-eabi",
        name,
        opt_3: Some(opt_3),
        opt_s,
    }
}

const fn riscv(name: &'static str, opt_3: Option<[u32; 3]>, opt_s: [u32; 3]) -> Device {
    Device {
        target: "riscv32imc-unknown-none-elf",
        name,
        opt_3,
        opt_s,
    }
}

/// The same token, signed by Rust compositions and by C with Mbed TLS 3.6.
pub const DEVICES: [Device; 15] = [
    arm(
        "jwt-compact 0.9-beta, 6 KB heap",
        [18910, 51054, 936],
        [10106, 72717, 1248],
    ),
    arm(
        "hmac-sha256 1.1, template",
        [9430, 17927, 1148],
        [5870, 18489, 948],
    ),
    arm(
        "sha2 by hand, key each time",
        [14792, 48059, 1048],
        [12870, 55273, 1056],
    ),
    arm(
        "sha2 by hand, template",
        [14812, 16320, 632],
        [12072, 16338, 592],
    ),
    arm(
        "sha2 compact by hand, template",
        [5728, 24974, 488],
        [3140, 23989, 540],
    ),
    arm(
        "C, Mbed TLS, as usually written",
        [10728, 75431, 796],
        [8916, 67951, 716],
    ),
    arm(
        "C, Mbed TLS, key prepared",
        [7776, 42764, 708],
        [5592, 36592, 636],
    ),
    arm(
        "C, mbedtls_sha256 by hand, template",
        [6648, 22198, 676],
        [4612, 19024, 604],
    ),
    arm(
        "C, the same, SHA256_SMALLER",
        [3460, 21305, 580],
        [2564, 21764, 580],
    ),
    riscv(
        "jwt-compact 0.9-beta, 6 KB heap",
        Some([24016, 45418, 1260]),
        [12298, 66755, 1420],
    ),
    riscv(
        "sha2 by hand, template",
        Some([17616, 13780, 628]),
        [15392, 14118, 684],
    ),
    riscv(
        "sha2 compact by hand, template",
        Some([5286, 18493, 500]),
        [2990, 19024, 488],
    ),
    riscv(
        "C, Mbed TLS, as usually written",
        Some([10772, 65902, 760]),
        [9256, 71116, 664],
    ),
    riscv(
        "C, mbedtls_sha256 by hand, template",
        Some([7828, 20018, 648]),
        [5552, 21400, 552],
    ),
    riscv("C, the same, SHA256_SMALLER", None, [2844, 24715, 584]),
];
