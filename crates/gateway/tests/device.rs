//! `gateway device` over a pseudo-terminal, with the device's real code at the other end.
#![cfg(target_os = "linux")]

mod common;
mod twin;

use api_auth::{Slot, SlotState};
use api_standin::ApiSecret;
use common::{Gateway, SECRET_ID, SECRET_KEY, gateway, heymarket_url, standin};
use jwt_core::HmacKey;
use secure_store::{Key, Plain, Sealed, Setting, Settings};
use tempfile::TempDir;
use twin::{Parts, Twin, signs_as};

const DEVICE_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";

const SETTINGS: &str = r#"
[device]
name = "pump-7"
inbox = 42
creator = 7
recipients = ["+15550100111"]
[alerts]
door = "Pump 7: the door is open"
"#;

fn device_key() -> HmacKey {
    HmacKey::new(&DEVICE_KEY).unwrap()
}

fn heymarket_key() -> HmacKey {
    HmacKey::from_parts(&[SECRET_ID.as_bytes(), b"||", SECRET_KEY.as_bytes()]).unwrap()
}

fn sealed() -> Twin<Sealed> {
    let protection = Sealed::new(device_key()).unwrap();
    Twin::start(Parts::new(protection, Some(device_key())))
}

fn plain() -> Twin<Plain> {
    Twin::start(Parts::new(Plain, None))
}

/// A directory with the device key and settings.
fn files() -> TempDir {
    let dir = TempDir::new().unwrap();
    owner_only(&dir, "device.key", &DEVICE_KEY);
    owner_only(&dir, "other.key", &[9; 32]);
    owner_only(&dir, "settings.toml", SETTINGS.as_bytes());
    dir
}

fn owner_only(dir: &TempDir, name: &str, bytes: &[u8]) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600);
    let mut file = file.open(dir.path().join(name)).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

fn device(command: &str, port: &str, dir: &TempDir, args: &[&str]) -> Gateway {
    let args = args.iter().map(|arg| match arg.strip_prefix('@') {
        Some(file) => dir.path().join(file).display().to_string(),
        None => (*arg).to_owned(),
    });
    let command = ["device", command, "--port", port].map(str::to_owned);
    gateway(command.into_iter().chain(args))
}

/// Whether `wire` has the secret in it in any usual form, or the key that it is prepared into.
fn leaks(wire: &[u8]) -> bool {
    let prepared = heymarket_key().to_prepared();
    let found = |needle: &[u8]| wire.windows(needle.len()).any(|window| window == needle);
    found(SECRET_KEY.as_bytes()) || found(&prepared[..16]) || found(&prepared[32..48])
}

/// Sends a credential and settings to a device that has the key.
fn provision(twin: &Twin<Sealed>, dir: &TempDir) -> Gateway {
    let args = [
        "--device-key-file",
        "@device.key",
        "--api",
        "heymarket",
        "--settings",
        "@settings.toml",
    ];
    device("provision", &twin.path, dir, &args).heymarket()
}

#[test]
fn a_device_that_has_the_key_but_does_not_seal_is_sent_nothing() {
    let twin = Twin::start(Parts::new(Plain, Some(device_key())));
    let dir = files();
    let args = ["--device-key-file", "@device.key", "--api", "heymarket"];
    let run = device("provision", &twin.path, &dir, &args).heymarket();
    let run = run.run().exits(2);
    assert!(run.stderr.contains("would not seal"), "{run:?}");
    assert_eq!(twin.parts().writes, 0);
}

#[test]
fn anybody_is_told_the_status() {
    let (twin, dir) = (sealed(), files());
    let run = device("status", &twin.path, &dir, &["--json"])
        .run()
        .exits(0);
    let status = run.json();
    assert_eq!(status["name"], "pump-7");
    assert_eq!(status["custody"], "sealed");
    assert_eq!(status["access"], "key");
    assert_eq!(status["key_proved"], false);
    assert_eq!(status["clock"]["quality"], "unset");
    assert_eq!(status["outbox"]["queued"], 2);
    assert_eq!(status["slots"]["a"]["state"], "empty");

    let text = device(
        "status",
        &twin.path,
        &dir,
        &["--device-key-file", "@device.key"],
    );
    let text = text.run().exits(0).stdout;
    assert!(text.contains("which it has proved"), "{text}");
    assert!(text.contains("unset, so it signs nothing"), "{text}");
}

#[test]
fn records_are_sent_encrypted_to_a_device_with_the_key() {
    let (twin, dir) = (sealed(), files());
    let run = provision(&twin, &dir).run().exits(0);
    assert!(
        run.stdout
            .contains("2 records are in the device, 0 of them"),
        "{run:?}"
    );

    let mut parts = twin.parts();
    let credential = parts.value(Key::credential(0)).unwrap();
    assert!(signs_as(&credential, &heymarket_key()));
    assert_eq!(parts.slots().state(Slot::A), SlotState::Trial);
    let settings = parts.value(Key::DEVICE).unwrap();
    let settings = Settings::decode(&settings).unwrap();
    assert_eq!(settings.text(Setting::NAME), Some("pump-7"));
    assert_eq!(settings.number(Setting::INBOX_ID), Some(42));
    assert_eq!(settings.text(Setting::RECIPIENT), Some("15550100111"));
    assert!(!leaks(&parts.wire));
    assert!(!parts.wire.windows(6).any(|window| window == b"pump-7"));
    let writes = parts.writes;
    drop(parts);

    // Again: nothing is written twice.
    let run = provision(&twin, &dir).run().exits(0);
    assert!(run.stdout.contains("2 of them were before"), "{run:?}");
    assert_eq!(twin.parts().writes, writes);
}

/// The device key's place is block 1 of the chips with the HMAC peripheral, and slot 2 of the others' ATECC608; which chip
/// is at the other end of the cable only a person knows.
#[test]
fn the_key_that_signs_is_not_where_the_device_key_is() {
    let (twin, dir) = (sealed(), files());
    let key = ["--device-key-file", "@device.key", "--api", "heymarket"];
    let run = |command, more: &[&str]| {
        let run = device(command, &twin.path, &dir, &[&key[..], more].concat());
        run.heymarket().run()
    };
    for command in ["provision", "rotate"] {
        for (target, taken) in [("rp2040", "2"), ("esp32", "2"), ("esp32c6", "1")] {
            run(command, &["--hardware-key", taken, "--target", target])
                .fails(2, &["device key", target, "elsewhere", "--hardware-key"]);
            run(command, &["--hardware-key", taken]).fails(2, &["device key", target, "--target"]);
        }
    }
    assert!(twin.parts().wire.is_empty());
    run("provision", &["--hardware-key", "1", "--target", "rp2040"]).exits(0);
    let no_place = sealed();
    let zero = [&key[..], &["--hardware-key", "0"]].concat();
    let run = device("provision", &no_place.path, &dir, &zero);
    run.heymarket().run().exits(0);
    // Without a device key the place is free, but for firmware that looks there for one.
    let keyless = plain();
    keyless.parts().window_secs = 100;
    let window = ["--window", "--api", "heymarket", "--hardware-key", "2"];
    let run = device("provision", &keyless.path, &dir, &window);
    let run = run.heymarket().run().exits(0);
    assert!(run.stderr.contains("warning: number 2"), "{run:?}");
}

#[test]
fn a_device_with_another_key_is_sent_nothing() {
    let (twin, dir) = (sealed(), files());
    let args = ["--device-key-file", "@other.key", "--api", "heymarket"];
    let run = device("provision", &twin.path, &dir, &args)
        .heymarket()
        .run();
    run.fails(2, &["another device key", "nothing was sent"]);
    assert_eq!(twin.parts().writes, 0);
    assert!(!leaks(&twin.parts().wire));
}

#[test]
fn a_device_without_a_key_is_not_taken_for_one_that_has_it() {
    let (twin, dir) = (plain(), files());
    twin.parts().window_secs = 100;
    let args = ["--device-key-file", "@device.key", "--api", "heymarket"];
    let run = device("provision", &twin.path, &dir, &args)
        .heymarket()
        .run();
    run.fails(2, &["no device key", "nothing was sent"]);
    assert_eq!(twin.parts().writes, 0);
}

#[test]
fn a_window_counts_only_while_it_is_open_and_where_there_is_no_key() {
    let dir = files();
    let args = ["--window", "--api", "heymarket"];

    let closed = plain();
    let run = device("provision", &closed.path, &dir, &args)
        .heymarket()
        .run();
    run.fails(2, &["window is closed", "button"]);
    assert!(!leaks(&closed.parts().wire));

    closed.parts().window_secs = 100;
    device("provision", &closed.path, &dir, &args)
        .heymarket()
        .run()
        .exits(0);
    let mut parts = closed.parts();
    let credential = parts.value(Key::credential(0)).unwrap();
    assert!(signs_as(&credential, &heymarket_key()));
    // In the clear, as documented: this also shows that the search finds what there is.
    assert!(leaks(&parts.wire));
    assert!(
        !parts
            .wire
            .windows(8)
            .any(|window| window == &SECRET_KEY.as_bytes()[..8])
    );
    drop(parts);

    let keyed = sealed();
    keyed.parts().window_secs = 100;
    let run = device("provision", &keyed.path, &dir, &args)
        .heymarket()
        .run();
    run.fails(2, &["has its device key"]);
    assert_eq!(keyed.parts().writes, 0);
    assert!(!leaks(&keyed.parts().wire));
}

#[test]
fn the_clock_is_set_and_the_device_starts_again() {
    let (twin, dir) = (sealed(), files());
    let args = ["--device-key-file", "@device.key", "--json"];
    let before = common::now();
    let run = device("set-clock", &twin.path, &dir, &args).run().exits(0);
    let set = twin.parts().clock.unwrap();
    assert!((before..before + 60).contains(&set));
    assert_eq!(run.json()["unix_secs"], set);

    device("reboot", &twin.path, &dir, &args).run().exits(0);
    assert_eq!(twin.parts().reboots, 1);

    let run = device("reboot", &twin.path, &dir, &["--json"])
        .run()
        .exits(2);
    assert_eq!(run.json()["ok"], false);
}

#[test]
fn a_credential_is_rotated_without_downtime() {
    let (twin, dir) = (sealed(), files());
    let server = standin();
    let key = ["--device-key-file", "@device.key"];
    let provision = [&key[..], &["--api", "heymarket"]].concat();
    device("provision", &twin.path, &dir, &provision)
        .heymarket()
        .run()
        .exits(0);

    const ID: &str = "0d9b2b52-7d41-4d3f-9a3d-2f0f6c1f9e77";
    const KEY: &str = "the-second-secret-of-32-bytes-or-so";
    server.change_credentials(|credentials| {
        credentials.heymarket.slots[1] = Some(ApiSecret::new(ID, KEY));
    });
    let url = heymarket_url(&server);
    let rotate = [&provision[..], &["--base-url", &url]].concat();
    let run = device("rotate", &twin.path, &dir, &rotate)
        .env("HEYMARKET_SECRET_ID", ID)
        .env("HEYMARKET_SECRET_KEY", KEY)
        .run()
        .exits(0);
    assert!(run.stdout.contains("in use, in slot B"), "{run:?}");
    // Repeated, for the reply may have been lost.
    let again = device("rotate", &twin.path, &dir, &rotate)
        .env("HEYMARKET_SECRET_ID", ID)
        .env("HEYMARKET_SECRET_KEY", KEY)
        .run();
    again.fails(2, &["under way", "revoke"]);
    let slots = twin.parts().slots();
    assert_eq!(slots.active(), Slot::B);
    assert_eq!(slots.state(Slot::A), SlotState::Retiring);

    let run = device("retire", &twin.path, &dir, &key).run().exits(0);
    assert!(run.stdout.contains("slot A is empty"), "{run:?}");
    let mut parts = twin.parts();
    assert_eq!(parts.value(Key::credential(0)), None);
    assert!(parts.value(Key::credential(1)).is_some());
}

/// Who rotates to the same secret revokes the one that is in use; who rotates to another API's leaves settings behind.
#[test]
fn a_rotation_is_to_another_credential_of_the_same_api() {
    let (twin, dir) = (sealed(), files());
    let key = ["--device-key-file", "@device.key", "--api"];
    let run = |command: &str, more: &[&str]| {
        let run = device(command, &twin.path, &dir, &[&key[..], more].concat());
        run.heymarket()
            .env("KEY_ID_JWT_KID", common::KID)
            .env("KEY_ID_JWT_SECRET", "a-secret-of-another-api-of-32-bytes")
            .run()
    };
    run("provision", &["heymarket"]).exits(0);
    let writes = twin.parts().writes;
    run("rotate", &["heymarket", "--no-check"]).fails(2, &["in use already", "74f80a77"]);
    run("rotate", &["key-id", "--no-check"]).fails(2, &["stays with its API", "heymarket"]);
    assert_eq!(twin.parts().writes, writes);
}

/// Of an ID a device tells 8 characters: with fewer it is known whole; whether a longer one that begins alike is the same
/// only a person can say, but of a UUID.
#[test]
fn a_rotation_is_to_another_id_as_far_as_it_is_told() {
    let dir = files();
    let key = ["--device-key-file", "@device.key", "--api", "heymarket"];
    let rotates = |from: &str, to: &str| {
        let twin = sealed();
        let provision = device("provision", &twin.path, &dir, &key).heymarket();
        provision.env("HEYMARKET_SECRET_ID", from).run().exits(0);
        let args = [&key[..], &["--no-check"]].concat();
        let rotate = device("rotate", &twin.path, &dir, &args).heymarket();
        rotate.env("HEYMARKET_SECRET_ID", to).run()
    };
    rotates("site-7", "site-7").fails(2, &["site-7 is in use already"]);
    for to in ["site-70", "site-"] {
        let run = rotates("site-7", to).exits(0);
        assert!(!run.stderr.contains("begins with"), "{run:?}");
    }
    // One that is as long as what is told could be the beginning of the other.
    for to in ["pumping-station-2", "pumping-"] {
        let run = rotates("pumping-station-1", to).exits(0);
        assert!(run.stderr.contains("begins with pumping-"), "{run:?}");
    }
    let run = rotates("pumping-station-1", "pumphouse-1").exits(0);
    assert!(!run.stderr.contains("begins with"), "{run:?}");

    rotates(SECRET_ID, &SECRET_ID.to_uppercase()).fails(2, &["in use already"]);
    // The same 8 digits and more are no UUID.
    let run = rotates(SECRET_ID, &format!("{SECRET_ID}-2")).exits(0);
    assert!(run.stderr.contains("begins with 74f80a77"), "{run:?}");
}

#[test]
fn a_credential_that_the_api_refuses_is_not_sent() {
    let (twin, dir) = (sealed(), files());
    let server = standin();
    let url = heymarket_url(&server);
    let key = ["--device-key-file", "@device.key", "--api", "heymarket"];
    device("provision", &twin.path, &dir, &key)
        .heymarket()
        .run()
        .exits(0);
    let writes = twin.parts().writes;
    let rotate = [&key[..], &["--base-url", &url]].concat();
    device("rotate", &twin.path, &dir, &rotate)
        .env("HEYMARKET_SECRET_ID", SECRET_ID)
        .env(
            "HEYMARKET_SECRET_KEY",
            "wrong-key-wrong-key-wrong-key-wrong-key",
        )
        .run()
        .fails(3, &["nothing was sent to the device"]);
    assert_eq!(twin.parts().writes, writes);
}

#[test]
fn a_bad_line_and_a_power_cut_only_cost_time() {
    let (twin, dir) = (sealed(), files());
    twin.parts().lossy = Some(400);
    twin.parts().power_cut_in = Some(4);
    twin.parts().say = b"boot: outbox has 2 alerts\r\n".to_vec();
    let run = provision(&twin, &dir).run().exits(0);
    assert!(
        run.stderr.contains("device: boot: outbox has 2 alerts"),
        "{run:?}"
    );
    let mut parts = twin.parts();
    assert_eq!(parts.power_cut_in, None);
    let credential = parts.value(Key::credential(0)).unwrap();
    assert!(signs_as(&credential, &heymarket_key()));
}

#[test]
fn what_is_to_be_sent_has_to_be_named() {
    let dir = files();
    let run = device("provision", "/dev/no-such-port", &dir, &["--window"]);
    run.run().fails(2, &["--api", "--settings"]);
}

#[test]
fn silence_and_a_missing_port_are_told_apart() {
    let dir = files();
    let run = device("status", "/dev/no-such-port", &dir, &["--json"])
        .run()
        .exits(2);
    assert!(
        run.json()["error"]
            .as_str()
            .unwrap()
            .contains("/dev/no-such-port")
    );

    let mut twin = plain();
    twin.parts().deaf = true;
    let run = device("status", &twin.path, &dir, &[]).run();
    run.fails(4, &["no device answers"]);

    let status = device("status", &twin.path, &dir, &[]).command();
    let mut status = { status }
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    twin.unplug();
    let ended = status.wait().unwrap();
    assert_eq!(ended.code(), Some(4));
}
