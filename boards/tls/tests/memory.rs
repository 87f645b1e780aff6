//! Memory that is too small, by a little or by much: an error that says so, and nothing lost of what there is.

mod support;

use std::ffi::c_void;

use gateway_tls::{Memory, TlsError};
use mbedtls_rs::sys::{mbedtls_calloc, mbedtls_free};
use rustls::version::{TLS12, TLS13};
use support::Device;
use support::pki::{Kind, NAME, ca_params, identity, intermediate, leaf_params, root};
use support::server::{Goodbye, config, serve};

#[test]
fn too_little_memory_is_an_error_wherever_it_runs_out() {
    let root = root(Kind::Rsa2048);
    let middle = intermediate(ca_params("Test Middle"), Kind::P256, &root);
    let ports = [&TLS12, &TLS13].map(|version| {
        let identity = identity(leaf_params(), Kind::P256, &middle).with(&middle);
        serve(config(identity, version), "welcome\n", Goodbye::Proper)
    });
    let mut device = Device::new(&[root.der()]);
    for port in ports {
        device.ask(NAME, port).unwrap();
    }
    let used = Memory::now().used;
    let (mut accepted, mut refused) = (0, 0);
    for left in (0..48 * 1024).step_by(331) {
        let taken = take_all_but(left);
        for port in ports {
            match device.ask(NAME, port) {
                Ok(answer) => {
                    assert_eq!(answer, "welcome\n");
                    accepted += 1;
                }
                Err(error) => {
                    assert_eq!(error, TlsError::OutOfMemory, "with {left} bytes left");
                    refused += 1;
                }
            }
        }
        for block in taken {
            // SAFETY: it was taken there, and is given back once.
            unsafe { mbedtls_free(block) };
        }
        assert_eq!(Memory::now().used, used, "with {left} bytes left");
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > 0 && refused > 100);
}

/// Takes memory of TLS until so many bytes are left.
fn take_all_but(left: usize) -> Vec<*mut c_void> {
    let mut taken = Vec::new();
    while Memory::now().len - Memory::now().used > left {
        // SAFETY: any length will do.
        let block = unsafe { mbedtls_calloc(256, 1) };
        if block.is_null() {
            break;
        }
        taken.push(block);
    }
    taken
}
