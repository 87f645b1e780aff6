//! `gateway provision`: images, key files and settings, as a device and its tools will read them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use common::*;
use jwt_core::{HmacKey, MacEngine};
use secure_store::{
    Credential, CredentialKey, Image, Key, Plain, Protection, Region, Sealed, Setting, Settings,
    Store,
};
use sha2::Digest;
use tempfile::TempDir;

const DEVICE_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";
const PASSPHRASE: &str = "correct horse battery staple";

/// The RP2040's and the ESP32's store: 64 KiB at the end of 2 and 4 MiB.
const STORE_LEN: usize = 0x1_0000;

const SETTINGS: &str = r#"
[device]
name = "pump-7"
inbox = 42
creator = 7
recipients = ["+1 (555) 010-0111", "15550100112"]

[alerts]
door = "Pump 7: the door is open"
flood = "Pump 7: water in the pit"
temperature = "Pump 7: too hot"
temperature_limit = 60.5

[network]
wifi = "plant-2"
address = "192.168.1.20/24"
router = "192.168.1.1"
name_server = "192.168.1.2"
host = "10.1.2.3"
port = 8080
time_host = "pool.ntp.org"
test_plain_http = true
"#;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(TempDir::new().unwrap());
        files.secret("device.key", &DEVICE_KEY);
        files.secret("settings.toml", SETTINGS.as_bytes());
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn secret(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        owner_only(&self.path(name));
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// `gateway provision`, where `@` begins the name of a file here.
    fn provision(&self, args: &[&str]) -> Gateway {
        let args = args.iter().map(|arg| match arg.strip_prefix('@') {
            Some(file) => self.path(file).display().to_string(),
            None => (*arg).to_owned(),
        });
        gateway([String::from("provision")].into_iter().chain(args))
            .env("WIFI_PASSPHRASE", PASSPHRASE)
    }

    fn image(&self, args: &[&str]) -> Gateway {
        let all = [
            &[
                "image",
                "--api",
                "heymarket",
                "--settings",
                "@settings.toml",
            ],
            args,
        ]
        .concat();
        self.provision(&all).heymarket()
    }
}

fn owner_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn sealed() -> Sealed {
    Sealed::new(&HmacKey::new(&DEVICE_KEY).unwrap()).unwrap()
}

fn record<P: Protection>(image: &[u8], protection: P, key: Key) -> Option<Vec<u8>> {
    let mut bytes = image.to_vec();
    let region = Region {
        start: 0,
        len: bytes.len() as u32,
    };
    let mut store = Store::<_, _, 64>::open(Image::new(&mut bytes), region, protection).unwrap();
    let mut out = [0; 1024];
    Some(store.get(key, &mut out).unwrap()?.value.to_vec())
}

fn prepared() -> HmacKey {
    HmacKey::from_parts(&[SECRET_ID.as_bytes(), b"||", SECRET_KEY.as_bytes()]).unwrap()
}

/// Whether `bytes` hold a secret, or half of it, raw, in hexadecimal or in base64 at any alignment.
fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    let forms = |part: &[u8]| {
        let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![part.to_vec(), hex.to_uppercase().into(), hex.into()];
        for skipped in 0..3 {
            let whole = &part[skipped..];
            let whole = &whole[..whole.len() / 3 * 3];
            forms.extend([STANDARD.encode(whole).into(), URL_SAFE.encode(whole).into()]);
        }
        forms
    };
    let (first, second) = secret.split_at(secret.len() / 2);
    let mut all = forms(first).into_iter().chain(forms(second));
    all.any(|form: Vec<u8>| bytes.windows(form.len()).any(|window| window == form))
}

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
    let json = [
        &efuse[..],
        &["--out", "@json.key", "--block", "3", "--json"],
    ]
    .concat();
    let facts = files.provision(&json).heymarket().run().exits(0).json();
    assert_eq!(facts["block"], 3);
    assert!(facts["burn"].as_str().unwrap().contains("BLOCK_KEY3"));
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

#[test]
fn the_example_settings_are_in_order() {
    let files = Files::new();
    let example = files
        .provision(&["settings", "--example"])
        .run()
        .exits(0)
        .stdout;
    files.secret("example.toml", example.as_bytes());
    let run = files
        .provision(&["settings", "@example.toml"])
        .run()
        .exits(0);
    assert_eq!(run.stderr, "");
    // Those that are commented out are settings too.
    let all: String = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|line| line.contains(" = "))
                .unwrap_or(line)
        })
        .filter(|line| {
            !["certificates", "wifi_open"]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .map(|line| line.replace("\"api.example.com\"", "\"10.0.0.1\"") + "\n")
        .collect();
    files.secret("all.toml", all.as_bytes());
    files.provision(&["settings", "@all.toml"]).run().exits(0);
}

#[test]
fn wrong_settings_are_named() {
    let files = Files::new();
    for (settings, words) in [
        ("[device]\nname = \"pump 7\"", "device.name"),
        ("[device]\nname = 7", "line 2"),
        ("[device]\nnome = \"x\"", "nome"),
        ("[devise]\n", "devise"),
        ("[device]\ninbox = 1", "device.creator"),
        ("[device]\ninbox = -1\ncreator = 1", "line 2"),
        ("[device]\nrecipients = [\"0155\"]", "device.recipients"),
        (
            "[device]\nrecipients = [\"15550100111\", \"+1 555 0100111\"]",
            "once",
        ),
        ("[alerts]\ndoor = \"\"", "alerts.door"),
        ("[alerts]\nflood = \"a\\u0007\"", "alerts.flood"),
        ("[alerts]\ntemperature = \"hot\"", "temperature_limit"),
        ("[alerts]\ntemperature_limit = 50.0", "alerts.temperature"),
        (
            "[alerts]\ntemperature = \"hot\"\ntemperature_limit = 900.0",
            "150",
        ),
        ("[network]\nwifi = \"\"", "network.wifi"),
        ("[network]\nwifi_open = true", "network.wifi"),
        ("[network]\naddress = \"192.168.1.20\"", "network.address"),
        (
            "[network]\naddress = \"192.168.1.20/33\"",
            "network.address",
        ),
        ("[network]\naddress = \"224.0.0.1/24\"", "network.address"),
        ("[network]\nrouter = \"192.168.1.1\"", "network.router"),
        ("[network]\nhost = \"a b\"", "network.host"),
        ("[network]\nhost = \"a:80\"", "network.host"),
        ("[network]\nport = 80", "network.port"),
        ("[network]\nhost = \"a\"\nport = 0", "network.port"),
        (
            "[network]\nhost = \"example.com\"\ntest_plain_http = true",
            "test_plain_http",
        ),
        (
            "[network]\nhost = \"8.8.8.8\"\ntest_plain_http = true",
            "test_plain_http",
        ),
        ("[network]\ncertificates = \"no.pem\"", "no.pem"),
        (
            "[network]\ncertificates = \"settings.toml\"",
            "settings.toml",
        ),
    ] {
        files.secret("wrong.toml", settings.as_bytes());
        let run = files.provision(&["settings", "@wrong.toml"]).run();
        run.fails(2, &[words]);
        let args = [
            "image",
            "--target",
            "rp2040",
            "--api",
            "heymarket",
            "--settings",
            "@wrong.toml",
        ];
        let run = files.provision(&[&args[..], &["--out", "@x.bin"]].concat());
        run.heymarket().run().exits(2);
        assert!(!files.path("x.bin").exists());
    }
    let long = format!("[alerts]\ndoor = \"{}\"", "x".repeat(161));
    files.secret("wrong.toml", long.as_bytes());
    files
        .provision(&["settings", "@wrong.toml"])
        .run()
        .fails(2, &["161 bytes"]);
    files.secret("wrong.toml", b"[network]\nwifi = \"plant-2\"");
    let run = files
        .provision(&["settings", "@wrong.toml"])
        .env("WIFI_PASSPHRASE", "short");
    run.run().fails(2, &["WIFI_PASSPHRASE"]);
}

#[test]
fn a_second_credential_goes_into_an_image_from_the_field() {
    let files = Files::new();
    files
        .image(&["--target", "rp2040", "--out", "@field.bin"])
        .run()
        .exits(0);
    let rotate = |image: &str, out: &str| {
        let args = [
            "rotate",
            image,
            "--target",
            "rp2040",
            "--api",
            "heymarket",
            "--out",
            out,
        ];
        let id = "0d9b2b52-7d41-4d3f-9a3d-2f0f6c1f9e77";
        files
            .provision(&args)
            .env("HEYMARKET_SECRET_ID", id)
            .env(
                "HEYMARKET_SECRET_KEY",
                "wrong-key-wrong-key-wrong-key-wrong-key",
            )
            .run()
    };
    let field = files.read("field.bin");
    rotate("@field.bin", "@next.bin").exits(0);
    assert!(files.read("field.bin") == field);
    let next = files.read("next.bin");
    for key in [Key::credential(0), Key::DEVICE, Key::NETWORK] {
        assert_eq!(record(&next, Plain, key), record(&field, Plain, key));
    }
    assert_eq!(record(&next, Plain, Key::ROTATION).unwrap(), [1, 0, 1, 1]);
    let second = record(&next, Plain, Key::credential(1)).unwrap();
    assert!(
        Credential::decode(&second)
            .unwrap()
            .id
            .starts_with("0d9b2b52")
    );

    rotate("@next.bin", "@third.bin").fails(2, &["slot B is not free"]);
    assert!(!files.path("third.bin").exists());
    // Another API's credential does not replace it.
    let args = [
        "rotate",
        "@field.bin",
        "--target",
        "rp2040",
        "--api",
        "heymarket-bearer",
        "--out",
        "@x",
    ];
    let run = files
        .provision(&args)
        .env("HEYMARKET_API_KEY", "standin-heymarket-team-key")
        .run();
    run.fails(2, &["stays with its API"]);
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
