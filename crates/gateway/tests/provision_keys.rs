//! `gateway provision efuse-key` and `device-key`: files of 32 bytes for fuse blocks.

mod common;
mod desk;

use std::fs;

use common::*;
use desk::*;
use jwt_core::{HmacKey, MacEngine};

#[test]
fn a_fuse_block_gets_the_key_that_signs_the_same() {
    let files = Files::new();
    let efuse = ["efuse-key", "--api", "heymarket", "--target", "esp32c3"];
    let args = [&efuse[..], &["--out", "@hmac.key"]].concat();
    let run = files.provision(&args).heymarket().run().exits(0);
    let path = files.path("hmac.key");
    let command = format!(
        "espefuse --chip esp32c3 --port PORT burn-key BLOCK_KEY0 {} HMAC_UP",
        path.display()
    );
    assert!(run.stdout.contains(&command), "{run:?}");
    assert!(run.stderr.contains("burning is final"), "{run:?}");
    assert_eq!(mode(&path), 0o600);
    // SHA-256("ID||KEY") of the vendor's published example, by sha256sum.
    let expected = "03719727cf2fce0faf0427ee442ea47ff5fc5ab7b6dd50404bef413c1bce00b0";
    let hex: String = fs::read(&path)
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, expected);
    // As an HMAC key it signs what the credential signs.
    let mut burnt = HmacKey::new(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(burnt.mac(b"message"), (&prepared()).mac(b"message"));

    files
        .provision(&args)
        .heymarket()
        .run()
        .fails(2, &["never overwritten"]);
    // Burnt there it would be taken for the device key, for good.
    let taken = [&efuse[..], &["--out", "@taken.key", "--block", "1"]].concat();
    let run = files.provision(&taken).heymarket().run().exits(0);
    assert!(
        run.stderr.contains("warning: number 1 is where esp32c3"),
        "{run:?}"
    );
    let json = [
        &efuse[..],
        &["--out", "@json.key", "--block", "3", "--json"],
    ]
    .concat();
    let facts = files.provision(&json).heymarket().run().exits(0).json();
    assert_eq!(facts["block"], 3);
    assert!(facts["burn"].as_str().unwrap().contains("BLOCK_KEY3"));
}

/// As an erased flash or a file that nobody has filled is: anybody would guess it.
#[test]
fn a_blank_device_key_is_none() {
    let files = Files::new();
    for byte in [0, 0xff] {
        files.secret("blank.key", &[byte; 32]);
        let args = ["--target", "esp32c3", "--device-key-file", "@blank.key"];
        let run = files.image(&[&args[..], &["--out", "@x.bin"]].concat());
        run.run().fails(2, &["blank.key is blank", "device-key"]);
        assert!(!files.path("x.bin").exists());
    }
}

#[test]
fn keys_of_33_to_64_bytes_fit_no_fuse_block() {
    let files = Files::new();
    let args = [
        "efuse-key",
        "--api",
        "key-id",
        "--out",
        "@hmac.key",
        "--weak-key",
    ];
    for (len, fits) in [(31, true), (32, true), (33, false), (64, false), (65, true)] {
        let secret = "k".repeat(len);
        let run = files
            .provision(&args)
            .env("KEY_ID_JWT_KID", KID)
            .env("KEY_ID_JWT_SECRET", &secret)
            .run();
        if !fits {
            run.fails(2, &[&format!("{len} bytes"), "64", "seal"]);
            assert!(!files.path("hmac.key").exists());
            continue;
        }
        run.exits(0);
        let mut burnt = HmacKey::weak(&[&files.read("hmac.key")]).unwrap();
        let mut whole = HmacKey::weak(&[secret.as_bytes()]).unwrap();
        assert_eq!(burnt.mac(b"message"), whole.mac(b"message"), "{len} bytes");
        assert_eq!(files.read("hmac.key").len(), 32);
        fs::remove_file(files.path("hmac.key")).unwrap();
    }
}

#[test]
fn a_fuse_block_is_for_keys_that_sign_and_chips_that_have_it() {
    let files = Files::new();
    let run = files.provision(&["efuse-key", "--api", "heyoo", "--out", "@k"]);
    run.env("HEYOO_API_KEY", "hey_standin_all")
        .run()
        .fails(2, &["nothing is signed"]);
    for target in ["rp2040", "esp32"] {
        let args = [
            "efuse-key",
            "--api",
            "heymarket",
            "--target",
            target,
            "--out",
            "@k",
        ];
        files
            .provision(&args)
            .heymarket()
            .run()
            .fails(2, &["HMAC peripheral"]);
        let args = ["device-key", "--target", target, "--out", "@k"];
        files.provision(&args).run().fails(2, &["HMAC peripheral"]);
    }
    assert!(!files.path("k").exists());
}

#[test]
fn device_keys_are_random_and_their_files_are_guarded() {
    let files = Files::new();
    for name in ["@a.key", "@b.key"] {
        let run = files
            .provision(&["device-key", "--out", name])
            .run()
            .exits(0);
        assert!(run.stdout.contains("BLOCK_KEY1"), "{run:?}");
    }
    // Firmware looks for it in block 1 alone.
    let elsewhere = ["device-key", "--out", "@c.key", "--block", "2"];
    let run = files.provision(&elsewhere).run();
    run.fails(2, &["--block"]);
    assert!(!files.path("c.key").exists());
    assert_eq!(files.read("a.key").len(), 32);
    assert_ne!(files.read("a.key"), files.read("b.key"));
    assert_eq!(mode(&files.path("a.key")), 0o600);

    let with = |key: &str| {
        let args = [
            "--target",
            "esp32c3",
            "--device-key-file",
            key,
            "--out",
            "@x.bin",
        ];
        files.image(&args).run()
    };
    files.secret("short.key", &[1; 31]);
    with("@short.key").fails(2, &["31 bytes"]);
    files.secret("long.key", &[1; 33]);
    with("@long.key").fails(2, &["33 bytes"]);
    fs::write(files.path("open.key"), [1; 32]).unwrap();
    with("@open.key").fails(2, &["chmod 600"]);
    with("@no.key").fails(2, &["no.key"]);
    assert!(!files.path("x.bin").exists());
}
