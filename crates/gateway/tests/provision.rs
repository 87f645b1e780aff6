//! `gateway provision image`: what a device will read, and who else can.

mod common;
mod desk;

use std::fs;

use common::*;
use desk::*;
use jwt_core::MacEngine;
use secure_store::{Credential, CredentialKey, Key, Plain, Setting, Settings};
use sha2::Digest;

#[test]
fn a_plain_image_has_what_the_device_needs_and_not_the_secret() {
    let files = Files::new();
    let run = files
        .image(&["--target", "rp2040", "--out", "@a.bin"])
        .run()
        .exits(0);
    assert!(run.stdout.contains("plain"), "{run:?}");
    assert!(run.stdout.contains("-o 0x101f0000"), "{run:?}");
    let image = files.read("a.bin");
    assert_eq!(image.len(), STORE_LEN);
    assert_eq!(mode(&files.path("a.bin")), 0o600);

    let value = record(&image, Plain, Key::credential(0)).unwrap();
    let credential = Credential::decode(&value).unwrap();
    assert_eq!((credential.api, credential.id), ("heymarket", SECRET_ID));
    let CredentialKey::Prepared(mut key) = credential.key else {
        panic!("{credential:?}");
    };
    assert_eq!(key.mac(b"message"), (&prepared()).mac(b"message"));
    // Slot A on trial and active, B empty: `api_auth::Slots` documents the bytes.
    assert_eq!(record(&image, Plain, Key::ROTATION).unwrap(), [1, 0, 1, 0]);

    // The prepared key is there, which shows that the search finds; the secret is not.
    assert!(holds(&image, &*prepared().to_prepared()));
    assert!(holds(&image, PASSPHRASE.as_bytes()));
    assert!(!holds(&image, SECRET_KEY.as_bytes()));
}

#[test]
fn settings_are_what_the_firmware_reads() {
    let files = Files::new();
    files
        .image(&["--target", "rp2040", "--out", "@a.bin"])
        .run()
        .exits(0);
    let image = files.read("a.bin");
    let device = record(&image, Plain, Key::DEVICE).unwrap();
    let device = Settings::decode(&device).unwrap();
    assert_eq!(device.text(Setting::NAME), Some("pump-7"));
    assert_eq!(device.number(Setting::INBOX_ID), Some(42));
    assert_eq!(device.number(Setting::CREATOR_ID), Some(7));
    let recipients: Vec<_> = device
        .iter()
        .filter(|(setting, _)| *setting == Setting::RECIPIENT)
        .map(|(_, value)| value)
        .collect();
    assert_eq!(recipients, [b"15550100111", b"15550100112"]);
    // The numbers that `gateway_firmware` documents.
    assert_eq!(device.text(Setting(128)), Some("Pump 7: the door is open"));
    assert_eq!(device.text(Setting(129)), Some("Pump 7: water in the pit"));
    assert_eq!(device.text(Setting(130)), Some("Pump 7: too hot"));
    assert_eq!(device.number(Setting(131)), Some(60_500));

    let network = record(&image, Plain, Key::NETWORK).unwrap();
    let network = Settings::decode(&network).unwrap();
    assert_eq!(network.text(Setting::WIFI_SSID), Some("plant-2"));
    assert_eq!(network.text(Setting::WIFI_PASSPHRASE), Some(PASSPHRASE));
    assert_eq!(
        network.get(Setting::ADDRESS),
        Some(&[192, 168, 1, 20, 24][..])
    );
    assert_eq!(network.get(Setting::ROUTER), Some(&[192, 168, 1, 1][..]));
    assert_eq!(
        network.get(Setting::NAME_SERVER),
        Some(&[192, 168, 1, 2][..])
    );
    assert_eq!(network.text(Setting::API_HOST), Some("10.1.2.3"));
    assert_eq!(network.number(Setting::API_PORT), Some(8080));
    assert_eq!(network.text(Setting::TIME_HOST), Some("pool.ntp.org"));
    assert_eq!(network.number(Setting(132)), Some(1));
}

#[test]
fn nothing_secret_is_in_a_sealed_or_hardware_image() {
    let files = Files::new();
    let key = ["--target", "esp32c3", "--device-key-file", "@device.key"];
    let run = files.image(&[&key[..], &["--out", "@sealed.bin", "--json"]].concat());
    let facts = run.run().exits(0).json();
    assert_eq!(facts["custody"], "sealed");
    assert_eq!(facts["offset"], 0x3f_0000);
    let hardware = [&key[..], &["--hardware-key", "0", "--out", "@hardware.bin"]].concat();
    let run = files.image(&hardware).run().exits(0);
    assert!(run.stdout.contains("hardware"), "{run:?}");

    for name in ["sealed.bin", "hardware.bin"] {
        let image = files.read(name);
        for secret in [
            SECRET_KEY.as_bytes(),
            &*prepared().to_prepared(),
            &DEVICE_KEY,
            PASSPHRASE.as_bytes(),
            SECRET_ID.as_bytes(),
        ] {
            assert!(!holds(&image, secret), "{name}");
        }
    }
    let value = record(&files.read("sealed.bin"), sealed(), Key::credential(0)).unwrap();
    assert!(matches!(
        Credential::decode(&value).unwrap().key,
        CredentialKey::Prepared(_)
    ));
    let value = record(&files.read("hardware.bin"), sealed(), Key::credential(0)).unwrap();
    assert!(matches!(
        Credential::decode(&value).unwrap().key,
        CredentialKey::Hardware(0)
    ));
    assert!(!holds(&value, &*prepared().to_prepared()));
}

#[test]
fn the_key_that_signs_is_not_where_the_device_key_is() {
    let files = Files::new();
    // Block 1 of the chips with the HMAC peripheral; the others' is slot 2 of an ATECC608.
    for (target, taken, free) in [
        ("esp32c3", "1", "2"),
        ("esp32c6", "1", "8"),
        ("esp32s3", "1", "0"),
        ("esp32", "2", "1"),
        ("rp2040", "2", "1"),
    ] {
        let sealed = ["--target", target, "--device-key-file", "@device.key"];
        let with = |number: &'static str, out: &str| {
            let more = ["--hardware-key", number, "--out", out];
            files.image(&[&sealed[..], &more].concat()).run()
        };
        with(taken, "@taken.bin").fails(2, &["--hardware-key", "device key", target]);
        // Without a device key the place is free, but for firmware that looks there for one.
        let out = format!("@keyless-{target}.bin");
        let keyless = ["--target", target, "--hardware-key", taken, "--out", &out];
        let run = files.image(&keyless).run().exits(0);
        let warning = format!("warning: number {taken} is where {target}");
        assert!(run.stderr.contains(&warning), "{run:?}");
        with(free, &format!("@{target}.bin")).exits(0);
    }
}

#[test]
fn a_key_that_is_sent_stays_as_it_is_and_cannot_be_in_hardware() {
    let files = Files::new();
    let args = [
        "image", "--target", "rp2040", "--api", "hookmesh", "--out", "@a.bin",
    ];
    let key = "sk_live_standin_1";
    files
        .provision(&args)
        .env("HOOKMESH_API_KEY", key)
        .run()
        .exits(0);
    let value = record(&files.read("a.bin"), Plain, Key::credential(0)).unwrap();
    let credential = Credential::decode(&value).unwrap();
    assert!(matches!(credential.key, CredentialKey::Sent(sent) if sent == key));
    let run = files.provision(&[&args[..], &["--hardware-key", "1"]].concat());
    run.env("HOOKMESH_API_KEY", key)
        .run()
        .fails(2, &["--hardware-key"]);
}

#[test]
fn uf2_is_read_by_another_decoder() {
    let files = Files::new();
    files
        .image(&["--target", "rp2040", "--out", "@a.bin"])
        .run()
        .exits(0);
    files
        .image(&["--target", "rp2040", "--uf2", "--out", "@a.uf2"])
        .run()
        .exits(0);
    let uf2 = files.read("a.uf2");
    let (bytes, families) = uf2_decode::convert_from_uf2(&uf2).unwrap();
    assert!(bytes == files.read("a.bin"));
    let expected = [(0xe48b_ff56, 0x101f_0000)].into_iter().collect();
    assert_eq!(families, expected);

    // What that decoder doesn't look at, by the specification.
    assert_eq!(uf2.len(), STORE_LEN / 256 * 512);
    for (number, block) in (0u32..).zip(uf2.chunks(512)) {
        let word = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        assert_eq!(word(8), 0x2000, "flags");
        assert_eq!((word(16), word(20), word(24)), (256, number, 256));
        assert!(block[32 + 256..508].iter().all(|byte| *byte == 0));
        assert_eq!(word(508), 0x0ab1_6f30);
    }
    files
        .image(&["--target", "esp32c3", "--uf2", "--out", "@b.uf2"])
        .run()
        .fails(2, &["--uf2"]);
    assert!(!files.path("b.uf2").exists());
}

#[test]
fn certificates_come_in_parts_that_the_settings_sum_up() {
    let files = Files::new();
    let (_standin, ca) = tls_standin(api_standin::Certificate::Valid);
    let pem = fs::read(ca.path()).unwrap();
    // Several roots, so that they take more than one record.
    files.secret("ca.pem", &pem.repeat(4));
    let settings = format!("{SETTINGS}certificates = \"ca.pem\"\n");
    files.secret("settings.toml", settings.as_bytes());
    files
        .image(&["--target", "rp2040", "--out", "@a.bin"])
        .run()
        .exits(0);
    let image = files.read("a.bin");
    let mut all = Vec::new();
    for part in 0.. {
        match record(&image, Plain, Key::certificates(part)) {
            Some(bytes) => all.extend(bytes),
            None => break,
        }
    }
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let der = CertificateDer::from_pem_slice(&pem).unwrap();
    assert!(der.len() * 4 > 1024, "more than a record");
    assert!(all == der.repeat(4));
    let network = record(&image, Plain, Key::NETWORK).unwrap();
    let sum = Settings::decode(&network).unwrap();
    let sum = sum.get(Setting::CERTIFICATES).unwrap().to_vec();
    assert_eq!(sum[..2], (all.len() as u16).to_le_bytes());
    assert_eq!(sum[2..], crc32fast::hash(&all).to_le_bytes());
    let digest = sha2::Sha256::digest(&der);
    let fingerprint: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = files.provision(&["show", "@a.bin"]).run().exits(0);
    assert_eq!(shown.stdout.matches(&fingerprint).count(), 4);
}

#[test]
fn certificates_from_the_command_line_stand_instead_of_the_settings() {
    let files = Files::new();
    let (_standin, ca) = tls_standin(api_standin::Certificate::Valid);
    fs::copy(ca.path(), files.path("ca.pem")).unwrap();
    let settings = format!("{SETTINGS}certificates = \"not-there.pem\"\n");
    files.secret("settings.toml", settings.as_bytes());
    let target = ["--target", "rp2040", "--out", "@a.bin"];
    files.image(&target).run().fails(2, &["not-there.pem"]);
    files
        .image(&[&target[..], &["--ca", "@ca.pem"]].concat())
        .run()
        .exits(0);
    let shown = files.provision(&["show", "@a.bin", "--json"]).run();
    let shown = shown.exits(0).json();
    assert_eq!(shown["certificates"].as_array().unwrap().len(), 1);
    let image = "image --api heymarket --target rp2040 --out @b.bin --ca @ca.pem";
    files
        .provision(&image.split(' ').collect::<Vec<_>>())
        .heymarket()
        .run()
        .exits(2);
}

#[test]
fn the_same_input_makes_the_same_image() {
    let files = Files::new();
    for out in ["@a.bin", "@b.bin"] {
        let key = [
            "--target",
            "esp32c6",
            "--device-key-file",
            "@device.key",
            "--out",
            out,
        ];
        files.image(&key).run().exits(0);
    }
    assert!(files.read("a.bin") == files.read("b.bin"));
}

#[test]
fn every_command_has_help_with_examples() {
    for command in [
        "image",
        "efuse-key",
        "device-key",
        "show",
        "rotate",
        "batch",
    ] {
        let help = gateway(["provision", command, "--help"])
            .run()
            .exits(0)
            .stdout;
        assert!(help.contains("Examples:"), "{command}");
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{line:?}");
        }
    }
    for args in [&["provision", "--help"][..], &["device", "--help"]] {
        let help = gateway(args).run().exits(0).stdout;
        assert!(help.contains("Examples:"));
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
    }
}
