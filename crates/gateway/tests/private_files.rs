//! Files with secrets in them: nobody else can have them read, and what is written is nobody else's.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Stdio;

use common::*;
use tempfile::TempDir;

/// A user that is neither root nor whoever runs the tests.
const SOMEBODY_ELSE: u32 = 12345;

fn write(path: &Path, bytes: &[u8], mode: u32) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn image(out: &Path) -> Gateway {
    gateway(["provision", "image", "--target", "rp2040", "--api"])
        .arg("heymarket")
        .arg("--out")
        .arg(out)
        .heymarket()
}

/// Somebody who may write to the directory waits for an image with a link or a file of his own in its place.
#[test]
fn what_lies_in_the_way_of_a_file_gets_nothing_of_it() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    write(&at("theirs"), b"", 0o666);
    symlink(at("theirs"), at("a.bin.unfinished")).unwrap();
    image(&at("a.bin")).run().exits(0);
    assert!(fs::read(at("theirs")).unwrap().is_empty());
    assert!(fs::symlink_metadata(at("a.bin")).unwrap().is_file());
    assert_eq!(mode(&at("a.bin")), 0o600);

    write(&at("b.bin.unfinished"), b"", 0o666);
    image(&at("b.bin")).run().exits(0);
    assert_eq!(mode(&at("b.bin")), 0o600);
}

/// Whoever owns a file can open it to others, or exchange what is in it.
#[test]
fn files_of_somebody_else_are_refused() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("site.env");
    let text = format!("HEYMARKET_SECRET_ID={SECRET_ID}\nHEYMARKET_SECRET_KEY={SECRET_KEY}\n");
    write(&file, text.as_bytes(), 0o600);
    let key = directory.path().join("device.key");
    write(&key, &[7; 32], 0o600);
    let sign = || {
        let sign = gateway(["sign", "--api", "heymarket", "--credentials"]).arg(&file);
        sign.run_unchecked()
    };
    let out = directory.path().join("a.bin");
    let seal = || image(&out).arg("--device-key-file").arg(&key).run();
    sign().exits(0);
    seal().exits(0);
    for file in [&file, &key] {
        if let Err(error) = chown(file, Some(SOMEBODY_ELSE), None) {
            // Only root can give a file away.
            eprintln!("not tried: {error}");
            return;
        }
    }
    sign().fails(2, &["site.env", "another user"]);
    seal().fails(2, &["device.key", "another user"]);
}

/// What a crash or another program of the same user could take from a process is closed to it.
#[cfg(target_os = "linux")]
#[test]
fn no_core_is_dumped() {
    let mut child = gateway(["serve", "--port", "0"])
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It serves as soon as it says something.
    child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    let limits = limits.unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let values: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
}
