//! Where credentials come from, and which are refused before anything is done with them.

mod common;

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use common::*;

const SIGN: [&str; 5] = ["sign", "--api", "heymarket", "--iat", "1"];

fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
    file
}

fn good() -> String {
    format!(
        "# Site 7\n\nHEYMARKET_SECRET_ID={SECRET_ID}\nexport HEYMARKET_SECRET_KEY='{SECRET_KEY}'\n"
    )
}

fn sign_with(path: &Path) -> Run {
    let args = SIGN.map(AsRef::as_ref);
    gateway(
        args.into_iter()
            .chain(["--credentials".as_ref(), path.as_os_str()]),
    )
    .run()
}

#[test]
fn a_file_and_the_environment_give_the_same_token() {
    let from_environment = gateway(SIGN).heymarket().run().exits(0);
    let from_file = sign_with(file(&good(), 0o600).path()).exits(0);
    assert_eq!(from_file.stdout, from_environment.stdout);
    sign_with(file(&good(), 0o400).path()).exits(0);
}

#[test]
fn a_named_file_is_the_only_source() {
    let file = file(&good(), 0o600);
    let other = "wrong-key-wrong-key-wrong-key-wrong-key";
    let path = file.path().to_str().unwrap();
    let run = gateway(SIGN.into_iter().chain(["--credentials", path]))
        .env("HEYMARKET_SECRET_KEY", other)
        .run();
    assert_eq!(run.stdout, sign_with(file.path()).stdout);
    let half = format!("HEYMARKET_SECRET_ID={SECRET_ID}\n");
    let half = self::file(&half, 0o600);
    let path = half.path().to_str().unwrap();
    let run = gateway(SIGN.into_iter().chain(["--credentials", path])).heymarket();
    run.run().fails(2, &["has no HEYMARKET_SECRET_KEY"]);
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    for mode in [
        0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o601, 0o660, 0o666,
    ] {
        let file = file(&good(), mode);
        sign_with(file.path()).fails(2, &["chmod 600", file.path().to_str().unwrap()]);
    }
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    sign_with(directory.path()).fails(2, &["not a regular file"]);
    sign_with(Path::new("/dev/null")).fails(2, &["not a regular file"]);
    sign_with(&directory.path().join("missing")).fails(2, &["missing", "No such file"]);
    let fifo = directory.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    sign_with(&fifo).fails(2, &["not a regular file"]);
}

#[test]
fn a_malformed_line_is_named_but_not_shown() {
    let file = file(&format!("A=b\n{SECRET_KEY}\n"), 0o600);
    sign_with(file.path()).fails(2, &["line 2"]);
    let long = file_of_len(70_000);
    sign_with(long.path()).fails(2, &["longer than"]);
}

/// A shell takes the last, others the first: whichever is taken would surprise somebody.
#[test]
fn a_name_that_is_there_twice_is_refused() {
    for (again, lines) in [
        ("HEYMARKET_SECRET_KEY=other", "lines 4 and 5"),
        ("export  HEYMARKET_SECRET_ID = x", "lines 3 and 5"),
    ] {
        let file = file(&format!("{}{again}\n", good()), 0o600);
        sign_with(file.path()).fails(2, &[lines, file.path().to_str().unwrap()]);
    }
    // A comment is none, and other names are others.
    let more = "# HEYMARKET_SECRET_KEY=x\nHEYMARKET_SECRET_KEY_STANDBY=x\n";
    sign_with(file(&format!("{}{more}", good()), 0o600).path()).exits(0);
}

fn file_of_len(len: usize) -> tempfile::NamedTempFile {
    file(&"#".repeat(len), 0o600)
}

#[test]
fn missing_credentials_are_named() {
    gateway(SIGN).run().fails(
        2,
        &[
            "HEYMARKET_SECRET_ID",
            "HEYMARKET_SECRET_KEY",
            "--credentials",
        ],
    );
    let run = gateway(SIGN).env("HEYMARKET_SECRET_ID", SECRET_ID).run();
    run.fails(2, &["HEYMARKET_SECRET_KEY is not set"]);
    for (api, name) in [
        ("heymarket-bearer", "HEYMARKET_API_KEY"),
        ("key-id", "KEY_ID_JWT_KID"),
        ("key-id-static", "KEY_ID_API_TOKEN"),
        ("heyoo", "HEYOO_API_KEY"),
        ("hookmesh", "HOOKMESH_API_KEY"),
    ] {
        let run = gateway(["check", "--api", api, "--base-url", &closed_port()]).run();
        run.fails(2, &[name]);
    }
}

#[test]
fn malformed_credentials_are_named_but_not_shown() {
    let sign = |api: &str, pairs: &[(&str, &str)]| {
        let mut run = gateway(["sign", "--api", api, "--header"]);
        for (name, value) in pairs {
            run = run.env(name, value);
        }
        run.run()
    };
    let heymarket = |id, key| {
        sign(
            "heymarket",
            &[("HEYMARKET_SECRET_ID", id), ("HEYMARKET_SECRET_KEY", key)],
        )
    };
    heymarket("", SECRET_KEY).fails(2, &["HEYMARKET_SECRET_ID:"]);
    heymarket("a b", SECRET_KEY).fails(2, &["HEYMARKET_SECRET_ID:", "byte 1"]);
    heymarket(SECRET_ID, "").fails(2, &["HEYMARKET_SECRET_KEY:", "empty"]);
    let with_line_end = format!("{SECRET_KEY}\n");
    heymarket(SECRET_ID, &with_line_end).fails(2, &["HEYMARKET_SECRET_KEY:", "byte 32"]);
    heymarket("id", "short-key").fails(2, &["HEYMARKET_SECRET_KEY:", "too weak", "--weak-key"]);
    let key_id = |id, key| {
        sign(
            "key-id",
            &[("KEY_ID_JWT_KID", id), ("KEY_ID_JWT_SECRET", key)],
        )
    };
    key_id("not-a-uuid", KID_SECRET).fails(2, &["KEY_ID_JWT_KID:", "UUID"]);
    let hookmesh = |key| sign("hookmesh", &[("HOOKMESH_API_KEY", key)]);
    hookmesh("hey_something").fails(2, &["HOOKMESH_API_KEY:", "sk_live_ or sk_test_"]);
    hookmesh("sk_test_standin_1").fails(2, &["HOOKMESH_API_KEY:", "--test-key"]);
    sign("heyoo", &[("HEYOO_API_KEY", "sk_live_standin_1")]).fails(2, &["HEYOO_API_KEY:", "hey_"]);
}

/// Whether the terminal that `script` has given its child shows what is typed.
fn echoes(script: u32) -> bool {
    let children = std::fs::read_to_string(format!("/proc/{script}/task/{script}/children"));
    let children = children.unwrap();
    let terminal = format!("/proc/{}/fd/0", children.split_whitespace().next().unwrap());
    let stty = std::process::Command::new("stty")
        .args(["-a", "-F", &terminal])
        .output()
        .unwrap();
    let settings = String::from_utf8(stty.stdout).unwrap();
    assert!(settings.contains("echo"), "{settings}");
    !settings.contains("-echo ")
}

/// `script` gives the program a terminal of its own.
#[test]
fn a_person_at_a_terminal_is_asked_and_sees_nothing_of_it() {
    let program = env!("CARGO_BIN_EXE_gateway");
    let mut child = std::process::Command::new("script")
        .args([
            "-qec",
            &format!("{program} {}", SIGN.join(" ")),
            "/dev/null",
        ])
        .env_remove("HEYMARKET_SECRET_ID")
        .env_remove("HEYMARKET_SECRET_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut shown = String::new();
    for (name, typed) in [
        ("HEYMARKET_SECRET_ID", SECRET_ID),
        ("HEYMARKET_SECRET_KEY", SECRET_KEY),
    ] {
        let mut bytes = [0; 1024];
        while !shown.contains(name) {
            let length = output.read(&mut bytes).unwrap();
            assert!(length > 0, "{shown}");
            shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
        // The echo goes off just after the prompt.
        eventually(|| !echoes(child.id()));
        input.write_all(format!("{typed}\n").as_bytes()).unwrap();
    }
    output.read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success());
    let token = gateway(SIGN).heymarket().run().exits(0).stdout;
    assert!(shown.contains("HEYMARKET_SECRET_KEY"), "{shown}");
    assert!(shown.contains(token.trim()), "{shown}");
    assert!(
        !shown.contains(SECRET_KEY) && !shown.contains(SECRET_ID),
        "{shown}"
    );
}
