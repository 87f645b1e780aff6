//! The memory of a device that was just provisioned, searched from outside for what it was sent.
//!
//! The device runs in a process of its own that never knew the secret. A copy that is left behind, in a buffer
//! that was freed or on the stack, would be found.
#![cfg(target_os = "linux")]

mod common;
mod desk;
mod twin;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::process::{Child, ChildStdout, Command, Stdio};

use common::gateway;
use desk::forms;
use jwt_core::HmacKey;
use secure_store::Sealed;
use tempfile::TempDir;
use twin::{Parts, Twin};

const DEVICE_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";

/// The device's process: serves until its standard input ends. Run by the test below.
#[test]
#[ignore = "the process that the test below starts"]
fn device_process() {
    let key = HmacKey::new(&DEVICE_KEY).unwrap();
    let twin = Twin::start(Parts::new(Sealed::new(&key).unwrap(), Some(key)));
    println!("\nport {}", twin.path);
    let _ = std::io::stdin().read(&mut [0]);
}

struct Process {
    child: Child,
    /// Kept, so that what the process says last has somewhere to go.
    _out: BufReader<ChildStdout>,
    port: String,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "device_process", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.by_ref().lines().map(Result::unwrap);
        let port = lines.find_map(|line| line.strip_prefix("port ").map(str::to_owned));
        Self {
            child,
            port: port.unwrap(),
            _out: out,
        }
    }

    /// Everything in the process's memory that can be written to.
    fn memory(&self) -> Vec<u8> {
        let of = |file: &str| format!("/proc/{}/{file}", self.child.id());
        let mut memory = File::open(of("mem")).unwrap();
        let mut all = Vec::new();
        for line in fs::read_to_string(of("maps")).unwrap().lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            if !rest.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            let mut bytes = vec![0; (address(end) - address(start)) as usize];
            memory.seek(SeekFrom::Start(address(start))).unwrap();
            // Guard pages and the like can't be read.
            if memory.read_exact(&mut bytes).is_ok() {
                all.extend(bytes);
            }
        }
        all
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn count(memory: &[u8], needle: &[u8]) -> usize {
    let starts = (0..memory.len()).filter(|at| memory[*at] == needle[0]);
    starts
        .filter(|at| memory[*at..].starts_with(needle))
        .count()
}

/// A prepared key as the hash function has it: in words of this machine.
fn words(prepared: &[u8]) -> Vec<u8> {
    let words = prepared.chunks(4);
    words.flat_map(|word| word.iter().rev().copied()).collect()
}

#[test]
fn no_copy_of_what_was_sent_is_left_in_a_sealed_device() {
    no_copy_is_left(&[]);
}

/// The key that signs is in the chip: nothing of it is sent, so nothing of it can be there.
#[test]
fn nothing_of_the_key_is_in_a_device_that_has_it_in_hardware() {
    no_copy_is_left(&["--hardware-key", "0"]);
}

fn no_copy_is_left(custody: &[&str]) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("device.key");
    fs::write(&path, DEVICE_KEY).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    let mut random = [0; 32];
    getrandom::fill(&mut random).unwrap();
    let secret: String = random
        .iter()
        .map(|byte| char::from(b'A' + byte % 26))
        .collect();
    let id = "c0ffee00-3c1e-4d0b-9a53-0d5c1f6f7a10";
    let api_key = HmacKey::from_parts(&[id.as_bytes(), b"||", secret.as_bytes()]).unwrap();
    let prepared = api_key.to_prepared();
    let words = words(&*prepared);

    let device = Process::start();
    let key_file = path.display().to_string();
    let args = [
        "device",
        "provision",
        "--port",
        &device.port,
        "--device-key-file",
        &key_file,
    ];
    let args = args.into_iter().chain(["--api", "heymarket"]);
    let run = gateway(args.chain(custody.iter().copied()))
        .env("HEYMARKET_SECRET_ID", id)
        .env("HEYMARKET_SECRET_KEY", &secret)
        .run();
    run.exits(0);

    let memory = device.memory();
    let device_key = HmacKey::new(&DEVICE_KEY).unwrap().to_prepared();
    let found = count(&memory, &crate::words(&*device_key)[..32]);
    assert!(found > 0, "the search finds what is there");
    for (what, bytes) in [
        ("the secret", secret.as_bytes()),
        ("the prepared key, as sent", &prepared[..]),
        ("the prepared key, in words", &words),
    ] {
        // Half of it is too much, raw, in hexadecimal or in base64 at any alignment.
        for half in bytes.chunks(bytes.len().min(64) / 2) {
            for form in forms(half) {
                assert_eq!(count(&memory, &form), 0, "{what}");
            }
        }
    }
}
