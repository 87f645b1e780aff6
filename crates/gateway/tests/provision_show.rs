//! `gateway provision show`: what is said of an image, sound, sealed, damaged or foreign.

mod common;
mod desk;

use common::*;
use desk::*;
use secure_store::{
    CREDENTIAL_VERSION, Credential, CredentialKey, Image, Key, Plain, Region, Store,
};

#[test]
fn an_image_is_shown_without_its_secrets() {
    let files = Files::new();
    let key = ["--device-key-file", "@device.key"];
    files
        .image(&["--target", "rp2040", "--uf2", "--out", "@a.uf2"])
        .run()
        .exits(0);
    let run = files.provision(&["show", "@a.uf2"]).run().exits(0);
    for part in [
        "copy A: whole and up to date, erased 1 times",
        "id: 74f80a77...",
        "key: prepared, not shown",
        "slot A: on trial",
        "recipient: 15550100111, 15550100112",
        "temperature limit: 60.5 °C",
        "address: 192.168.1.20/24",
        "wifi passphrase: not shown",
    ] {
        assert!(run.stdout.contains(part), "{part:?} in {run:?}");
    }
    assert!(!run.stdout.contains(PASSPHRASE) && !run.stdout.contains(SECRET_ID));

    let args = [&["--target", "esp32c3", "--out", "@c.bin"], &key[..]].concat();
    files.image(&args).run().exits(0);
    let closed = files
        .provision(&["show", "@c.bin", "--json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(closed["sealed"], 4);
    assert_eq!(closed["records"][0]["value"], serde_json::Value::Null);
    let open = files.provision(&[&["show", "@c.bin", "--json"], &key[..]].concat());
    let open = open.run().exits(0).json();
    assert_eq!(open["records"][0]["value"]["api"], "heymarket");
    assert_eq!(open["copies"][1]["sound"], true);

    // Another device's key, and an image that should have been sealed.
    files.secret("other.key", &[9; 32]);
    let run = files
        .provision(&["show", "@c.bin", "--device-key-file", "@other.key"])
        .run();
    assert!(run.exits(1).stderr.contains("another device's key"));
    let run = files
        .provision(&[&["show", "@a.uf2"], &key[..]].concat())
        .run();
    assert!(run.exits(1).stderr.contains("not sealed"));
}

/// Who can write a plain image can write into it what a terminal obeys.
#[test]
fn an_image_can_not_steer_the_terminal() {
    let files = Files::new();
    let mut image = vec![0xff; STORE_LEN];
    let region = Region {
        start: 0,
        len: STORE_LEN as u32,
    };
    let mut store = Store::<_, _, 64>::format(Image::new(&mut image), region, Plain).unwrap();
    let hostile = "hey\u{1b}[2J\u{9b}31m\u{202e}market\nslot A: good";
    let credential = Credential {
        api: hostile,
        id: "\u{9b}2J",
        key: CredentialKey::Sent(hostile),
    };
    let mut record = [0; 256];
    let record = credential.encode(&mut record).unwrap();
    store
        .put(Key::credential(0), CREDENTIAL_VERSION, record)
        .unwrap();
    files.secret("hostile.bin", &image);
    for json in [&[][..], &["--json"]] {
        let args = [&["show", "@hostile.bin"], json].concat();
        let run = files.provision(&args).run().exits(0);
        assert!(run.stdout.contains("hey"), "{run:?}");
        let obeyed = |char: char| char.is_control() && char != '\n' || char == '\u{202e}';
        assert!(!run.stdout.contains(obeyed), "{run:?}");
        assert!(!run.stdout.contains("\nslot A: good"), "{run:?}");
    }
}

#[test]
fn damaged_and_foreign_images_are_told_apart_and_left_as_they_are() {
    let files = Files::new();
    files
        .image(&["--target", "rp2040", "--out", "@good.bin"])
        .run()
        .exits(0);
    let good = files.read("good.bin");
    let half = STORE_LEN / 2;
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut image = good.clone();
        change(&mut image);
        image
    };
    // A version that is newer, with the header's CRC made right.
    let newer = changed(&|image| {
        for start in [0, half] {
            image[start + 8] = 2;
            let crc = crc32fast::hash(&image[start..start + 28]);
            image[start + 28..start + 32].copy_from_slice(&crc.to_le_bytes());
        }
    });
    for (name, image, words) in [
        ("blank", vec![0xff; STORE_LEN], "blank"),
        ("zero", vec![0; STORE_LEN], "no store"),
        ("text", b"not an image".to_vec(), "length"),
        ("cut", good[..half].to_vec(), "cut off"),
        ("newer", newer, "newer than this program"),
        (
            "both",
            changed(&|image| (image[40], image[half + 40]) = (0, 0)),
            "damaged",
        ),
        (
            "whole",
            [&vec![0xff; 0x1f_0000][..], &good[..]].concat(),
            "--target",
        ),
    ] {
        files.secret("bad.bin", &image);
        let run = files
            .provision(&["show", "@bad.bin", "--json"])
            .run()
            .exits(1);
        let error = run.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(words), "{name}: {error}");
        assert!(files.read("bad.bin") == image, "{name}");
    }

    // One copy damaged: the other is used, and it is said.
    let torn = changed(&|image| image[100] ^= 1);
    files.secret("torn.bin", &torn);
    let run = files.provision(&["show", "@torn.bin"]).run().exits(1);
    assert!(run.stdout.contains("api: heymarket"), "{run:?}");
    assert!(
        run.stderr.contains("copy A is damaged or behind"),
        "{run:?}"
    );
    assert!(files.read("torn.bin") == torn);

    // A dump of the whole flash.
    files.secret(
        "flash.bin",
        &[&vec![0x5a; 0x1f_0000][..], &good[..]].concat(),
    );
    files
        .provision(&["show", "@flash.bin", "--target", "rp2040"])
        .run()
        .exits(0);
    files
        .provision(&["show", "@flash.bin", "--target", "esp32c3"])
        .run()
        .fails(2, &["esp32c3"]);

    files
        .image(&["--target", "rp2040", "--uf2", "--out", "@good.uf2"])
        .run()
        .exits(0);
    let mut uf2 = files.read("good.uf2");
    uf2[512 + 20] = 9;
    files.secret("bad.uf2", &uf2);
    files
        .provision(&["show", "@bad.uf2"])
        .run()
        .fails(1, &["block 1", "number"]);
    uf2.truncate(700);
    files.secret("cut.uf2", &uf2);
    files
        .provision(&["show", "@cut.uf2"])
        .run()
        .fails(1, &["512"]);
}
