//! `gateway provision batch`: a fleet's images at once, or none.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const SETTINGS: &str = r#"
[device]
inbox = 42
creator = 7
recipients = ["+15550100111"]
[alerts]
door = "the door is open"
"#;

struct Fleet(TempDir);

impl Fleet {
    fn new(csv: &str) -> Self {
        let fleet = Self(TempDir::new().unwrap());
        fleet.file("site.toml", SETTINGS.as_bytes());
        fleet.file("devices.csv", csv.as_bytes());
        for n in 1..=3u8 {
            fleet.file(&format!("{n}.key"), &[n; 32]);
            let secrets = format!(
                "HEYMARKET_SECRET_ID={n}d9b2b52-7d41-4d3f-9a3d-2f0f6c1f9e77\n\
                 HEYMARKET_SECRET_KEY=wrong-key-wrong-key-wrong-key-wrong-key\n"
            );
            fleet.file(&format!("{n}.env"), secrets.as_bytes());
        }
        fleet
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn batch(&self, more: &[&str]) -> Gateway {
        let args = [
            "provision",
            "batch",
            &self.path("devices.csv"),
            "--target",
            "esp32c3",
            "--api",
            "heymarket",
            "--settings",
            &self.path("site.toml"),
            "--out",
            &self.path("images"),
        ];
        gateway(
            args.into_iter()
                .chain(more.iter().copied())
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    /// What is in the fleet's directory beside what was put there.
    fn made(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("images")).collect()
    }
}

#[test]
fn each_row_makes_an_image_of_its_own() {
    let fleet = Fleet::new(
        "name, credentials, device_key, hardware_key, recipients, address, inbox\n\
         pump-1, 1.env, 1.key, , , ,\n\
         pump-2, 2.env, 2.key, 0, +15550100112; +15550100113, 192.168.1.2/24, 77\n\
         pump-3, 3.env, 3.key, , , , 78\n",
    );
    let run = fleet.batch(&["--json"]).run().exits(0);
    assert_eq!(run.stderr, "", "no shared credentials, no bar");
    assert_eq!(run.json()["images"], 3);

    let text = fs::read_to_string(fleet.path("images/manifest.json")).unwrap();
    assert!(
        !text.contains("wrong-key") && !text.contains("d9b2b52-7d41"),
        "{text}"
    );
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["offset"], 0x3f_0000);
    let images = manifest["images"].as_array().unwrap();
    let custodies: Vec<_> = images
        .iter()
        .map(|image| image["custody"].as_str().unwrap())
        .collect();
    assert_eq!(custodies, ["sealed", "hardware", "sealed"]);
    for image in images {
        let file =
            fs::read(fleet.path("images").to_owned() + "/" + image["file"].as_str().unwrap());
        let digest = Sha256::digest(file.unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(image["sha256"], digest);
    }

    let shown = |name: &str, key: &str| {
        let (image, key) = (fleet.path(&format!("images/{name}.bin")), fleet.path(key));
        gateway(["provision", "show", &image, "--device-key-file", &key]).run()
    };
    let second = shown("pump-2", "2.key").exits(0).stdout;
    for part in [
        "name: pump-2",
        "inbox: 77",
        "15550100112, 15550100113",
        "192.168.1.2/24",
        "2d9b2b52...",
    ] {
        assert!(second.contains(part), "{part:?} in {second}");
    }
    let third = shown("pump-3", "3.key").exits(0).stdout;
    assert!(
        third.contains("recipient: 15550100111") && third.contains("inbox: 78"),
        "{third}"
    );
    assert!(!third.contains("address"), "{third}");
    shown("pump-1", "2.key").exits(1);
}

#[test]
fn the_first_bad_row_is_named_and_nothing_is_written() {
    for (csv, words) in [
        (
            "name,inbox\npump-1,\npump-2,many\n",
            &["line 3", "column inbox", "a number"][..],
        ),
        (
            "name,address\npump-1,10.0.0.1/8\npump-2,10.0.0.2\npump-3,x\n",
            &["line 3", "column address"],
        ),
        ("name\npump-1\n\"pump 2\"\n", &["line 3", "column name"]),
        (
            "name\npump-1\nPUMP-1\n",
            &["line 3", "column name", "line 2"],
        ),
        ("name\npump-1\n../pump\n", &["line 3", "column name"]),
        (
            "name,inbox\npump-1,1\n,2\n",
            &["line 3", "column name", "empty"],
        ),
        (
            "name,inbox\npump-1,1\npump-2,2,3\n",
            &["line 3", "3 fields"],
        ),
        (
            "name,device_key\npump-1,1.key\npump-2,no.key\n",
            &["line 3", "column device_key"],
        ),
        (
            "name,device_key\npump-1,1.key\npump-2,1.key\n",
            &["line 3", "column device_key", "line 2"],
        ),
        (
            "name,credentials\npump-1,1.env\npump-2,site.toml\n",
            &["line 3", "column credentials"],
        ),
        (
            "name,hardware_key\npump-1,16\n",
            &["line 2", "column hardware_key"],
        ),
        (
            "name,device_key,hardware_key\npump-1,1.key,1\n",
            &["line 2", "column hardware_key", "device key"],
        ),
        (
            "name,recipients\npump-1,15550100111;12\n",
            &["line 2", "column recipients"],
        ),
        (
            "name,router\npump-1,10.0.0.1\n",
            &["line 2", "column router"],
        ),
        (
            "name,settings\npump-1,no.toml\n",
            &["line 2", "column settings"],
        ),
        ("name,key\npump-1,x\n", &["line 1", "\"key\""]),
        ("name,name\npump-1,x\n", &["line 1", "twice"]),
        ("inbox\n1\n", &["line 1", "name"]),
        ("name\n", &["no device"]),
        ("", &["line 1"]),
    ] {
        let fleet = Fleet::new(csv);
        fleet.batch(&[]).heymarket().run().fails(2, words);
        assert_eq!(fleet.made(), [""; 0], "{csv}");
    }
    let fleet = Fleet::new("name\npump-1\n");
    fleet.file("site.toml", b"[device]\ninbox = 1\ncreator = 2\n");
    fleet
        .batch(&[])
        .heymarket()
        .run()
        .fails(2, &["line 2", "recipients"]);
    fleet.batch(&["--uf2"]).heymarket().run().exits(2);
    fs::remove_file(fleet.path("devices.csv")).unwrap();
    fleet
        .batch(&[])
        .heymarket()
        .run()
        .fails(2, &["devices.csv"]);
    assert_eq!(fleet.made(), [""; 0]);
}

#[test]
fn a_shared_credential_is_pointed_out_and_old_images_are_kept() {
    let fleet = Fleet::new("name\npump-1\npump-2\n");
    let run = fleet.batch(&[]).heymarket().run().exits(0);
    assert!(
        run.stderr.contains("2 devices share a credential"),
        "{run:?}"
    );
    let before = fs::read(fleet.path("images/pump-1.bin")).unwrap();
    fleet
        .batch(&[])
        .heymarket()
        .run()
        .fails(2, &["is there already"]);
    assert!(fs::read(fleet.path("images/pump-1.bin")).unwrap() == before);
    let mode = fs::metadata(fleet.path("images"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}
