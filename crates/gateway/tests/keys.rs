//! `keys`: Hook Mesh's key management, and a rotation that survives being cut off anywhere.

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use api_standin::{Api, Fault, Kind, Standin};

use common::*;

const KEY: &str = "sk_live_standin_1";

const SCOPES: [&str; 8] = [
    "--scope",
    "applications:read",
    "--scope",
    "webhooks:write",
    "--scope",
    "api-keys:read",
    "--scope",
    "api-keys:write",
];

fn keys(standin: &Standin, args: &[&str]) -> Gateway {
    let url = standin.base_url(Api::HookMesh);
    let (command, rest) = args.split_first().unwrap();
    let base = ["keys", command, "--api", "hookmesh", "--base-url", &url];
    gateway(base.iter().chain(rest))
}

fn check(standin: &Standin, file: &Path) -> Run {
    let url = standin.base_url(Api::HookMesh);
    let args = [
        "check",
        "--api",
        "hookmesh",
        "--base-url",
        &url,
        "--credentials",
    ];
    let args = args.map(AsRef::as_ref);
    gateway(args.into_iter().chain([file.as_os_str()])).run()
}

struct Site {
    _directory: tempfile::TempDir,
    file: PathBuf,
}

/// A credentials file with the stand-in's key.
fn site() -> Site {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hookmesh.env");
    fs::write(
        &file,
        format!("# Site 7\nHOOKMESH_API_KEY={KEY}\nOTHER=kept\n"),
    )
    .unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    Site {
        _directory: directory,
        file,
    }
}

/// What creates a key with one scope, in a file of its own.
fn create<'a>(out: &'a Path, scope: &'a str) -> [&'a str; 7] {
    let out = out.to_str().unwrap();
    ["create", "--name", "Site 7", "--scope", scope, "--out", out]
}

fn rotate(standin: &Standin, site: &Site, args: &[&str]) -> Run {
    let file = site.file.to_str().unwrap();
    let args = [&["rotate", "--credentials", file], &SCOPES[..], args].concat();
    keys(standin, &args).run()
}

/// The keys that the server accepts, and the one that the file names.
fn state(standin: &Standin, site: &Site) -> (Vec<String>, String) {
    let accepted = standin.credentials().hookmesh;
    let accepted = accepted.iter().map(|key| key.key.expose().to_owned());
    let text = fs::read_to_string(&site.file).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("HOOKMESH_API_KEY="));
    (accepted.collect(), line.unwrap().to_owned())
}

#[test]
fn keys_are_listed_without_their_secrets() {
    let standin = standin();
    let run = keys(&standin, &["list"])
        .env("HOOKMESH_API_KEY", KEY)
        .run()
        .exits(0);
    assert!(
        run.stdout
            .contains("key_live_1  sk_live_sta...  created 2026-01-15"),
        "{run:?}"
    );
    let run = keys(&standin, &["list", "--json"])
        .env("HOOKMESH_API_KEY", KEY)
        .run();
    assert_eq!(run.json()["keys"][1]["name"], "Test Key");
}

#[test]
fn a_new_key_goes_into_a_file_of_its_own() {
    let standin = standin();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("new.env");
    let create = create(&out, "applications:read");
    let run = keys(&standin, &create)
        .env("HOOKMESH_API_KEY", KEY)
        .run()
        .exits(0);
    let new = standin.credentials().hookmesh.pop().unwrap();
    assert_eq!(
        (new.name.as_str(), new.scopes.as_slice()),
        ("Site 7", &["applications:read".to_owned()][..])
    );
    assert!(run.stdout.contains(&new.id) && !run.stdout.contains(new.key.expose()));
    assert_eq!(
        fs::metadata(&out).unwrap().permissions().mode() & 0o777,
        0o600
    );
    check(&standin, &out).exits(0);

    let count = standin.credentials().hookmesh.len();
    let run = keys(&standin, &create).env("HOOKMESH_API_KEY", KEY).run();
    run.fails(2, &["nothing was created", "exists"]);
    assert_eq!(standin.credentials().hookmesh.len(), count);

    let revoke = ["revoke", new.id.as_str()];
    keys(&standin, &revoke)
        .env("HOOKMESH_API_KEY", KEY)
        .run()
        .exits(0);
    check(&standin, &out).fails(3, &["refuses the credential", "401"]);
    let run = keys(&standin, &revoke).env("HOOKMESH_API_KEY", KEY).run();
    run.fails(3, &["404", "revoked already", "gateway keys list"]);
    let run = keys(&standin, &["revoke", "a/b"])
        .env("HOOKMESH_API_KEY", KEY)
        .run();
    run.fails(2, &["identifier"]);
}

#[test]
fn a_create_that_fails_leaves_no_file() {
    let standin = standin();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("new.env");
    let create = create(&out, "a:b");
    for (kind, code, words) in [
        (Kind::Status(403), 3, "no access"),
        (
            Kind::RateLimited {
                retry_after: Some(60),
            },
            4,
            "1 min",
        ),
        (
            Kind::DropAfterResponseBytes(0),
            5,
            "\"Site 7\" may have been created",
        ),
    ] {
        standin.inject(Fault::next(1, kind));
        let run = keys(&standin, &create).env("HOOKMESH_API_KEY", KEY).run();
        run.fails(code, &[words]);
        assert!(!out.exists());
    }
}

#[test]
fn a_rotation_replaces_the_key_everywhere() {
    let standin = standin();
    let site = site();
    let run = rotate(&standin, &site, &[]).exits(0);
    for step in ["created key_", "checked", "promoted", "revoked key_live_1"] {
        assert!(run.stderr.contains(step), "{run:?}");
    }
    let (accepted, used) = state(&standin, &site);
    assert!(accepted.contains(&used) && used != KEY && !accepted.contains(&KEY.to_owned()));
    let text = fs::read_to_string(&site.file).unwrap();
    assert!(
        text.starts_with("# Site 7\nOTHER=kept\n"),
        "other lines stay"
    );
    assert!(!text.contains("STANDBY") && !text.contains("SLOTS"));
    assert_eq!(
        fs::metadata(&site.file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    check(&standin, &site.file).exits(0);
    assert_eq!(
        standin.credentials().hookmesh.last().unwrap().name,
        "Production Key"
    );
    // The next one finds the key by its ID.
    let json = rotate(&standin, &site, &["--json", "--name", "Second"])
        .exits(0)
        .json();
    assert_eq!(
        json["id"],
        standin.credentials().hookmesh.last().unwrap().id
    );
    check(&standin, &site.file).exits(0);
    assert_eq!(standin.credentials().hookmesh.len(), 2);
}

/// Cuts off each request of a rotation in each of several ways.
#[test]
fn a_rotation_goes_on_where_it_was_cut_off() {
    for good in 0..4 {
        for fault in [
            Kind::DropAfterRequestBytes(10),
            Kind::DropAfterResponseBytes(0),
            Kind::DropAfterResponseBytes(60),
            Kind::ResetAfterResponseBytes(0),
        ] {
            let standin = standin();
            let site = site();
            if good > 0 {
                // No response is that long: the first requests are unharmed.
                standin.inject(Fault::next(good, Kind::DropAfterResponseBytes(1 << 20)));
            }
            standin.inject(Fault::next(1, fault.clone()));
            let run = rotate(&standin, &site, &[]);
            assert_eq!(
                standin.faults(),
                [],
                "the rotation has a request number {good}"
            );
            assert!([4, 5].contains(&run.code), "{good} {fault:?} {run:?}");
            let (accepted, used) = state(&standin, &site);
            assert!(
                accepted.contains(&used),
                "one works at every moment: {good} {fault:?}"
            );
            check(&standin, &site.file).exits(0);

            rotate(&standin, &site, &[]).exits(0);
            let (accepted, used) = state(&standin, &site);
            assert!(
                accepted.contains(&used) && !accepted.contains(&KEY.to_owned()),
                "{good} {fault:?}"
            );
            let orphans = accepted.len() - 2;
            assert!(orphans <= usize::from(run.code == 5), "{good} {fault:?}");
        }
    }
}

/// Killed after the API has made the key, before it is stored: the next run names the key that nobody knows.
#[test]
fn a_key_that_was_lost_is_named_by_the_next_run() {
    let standin = standin();
    let site = site();
    let file = site.file.to_str().unwrap();
    let args = [&["rotate", "--credentials", file], &SCOPES[..]].concat();
    standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(1 << 20)));
    standin.inject(Fault::next(1, Kind::StallAfterResponseBytes(10)));
    let mut child = keys(&standin, &args).command().spawn().unwrap();
    eventually(|| standin.credentials().hookmesh.len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let lost = standin.credentials().hookmesh.pop().unwrap();

    let run = rotate(&standin, &site, &[]).exits(0);
    for part in [&lost.id, &lost.name, "gateway keys revoke"] {
        assert!(run.stderr.contains(part), "{part:?} in {run:?}");
    }
    // What was there before is nobody's loss.
    assert!(!run.stderr.contains("Test Key"), "{run:?}");
    let (accepted, used) = state(&standin, &site);
    assert!(accepted.contains(&used) && !accepted.contains(&KEY.to_owned()));
    // Said once.
    let run = rotate(&standin, &site, &[]).exits(0);
    assert!(!run.stderr.contains(&lost.id), "{run:?}");
}

#[test]
fn a_new_key_that_is_not_accepted_is_not_promoted() {
    let standin = standin();
    let site = site();
    let file = site.file.to_str().unwrap();
    let args = ["rotate", "--credentials", file, "--scope", "webhooks:write"];
    let run = keys(&standin, &args).run();
    run.fails(3, &["stored, but not in use", "no access"]);
    let (_, used) = state(&standin, &site);
    assert_eq!(used, KEY);
    check(&standin, &site.file).exits(0);
    // Once it may, the same rotation goes on.
    standin.change_credentials(|known| {
        known
            .hookmesh
            .last_mut()
            .unwrap()
            .scopes
            .push("applications:read".into());
    });
    let run = rotate(&standin, &site, &[]).exits(0);
    assert!(
        run.stderr.contains("going on") && !run.stderr.contains("created"),
        "{run:?}"
    );
    // It may not manage keys, so the old one has revoked itself.
    let (accepted, used) = state(&standin, &site);
    assert!(accepted.contains(&used) && !accepted.contains(&KEY.to_owned()));
}

#[test]
fn what_a_rotation_needs() {
    let standin = standin();
    let args = [&["rotate"], &SCOPES[..]].concat();
    let run = keys(&standin, &args).env("HOOKMESH_API_KEY", KEY).run();
    run.fails(2, &["--credentials FILE"]);
    let site = site();
    standin.change_credentials(|known| known.hookmesh.push(known.hookmesh[0].clone()));
    rotate(&standin, &site, &[]).fails(2, &["several keys", "--old"]);
    rotate(&standin, &site, &["--old", "nonsense"]).fails(2, &["no key", "--old"]);
    assert_eq!(standin.credentials().hookmesh.len(), 3);
    let run = gateway(["keys", "list", "--api", "heymarket"])
        .heymarket()
        .run();
    run.fails(2, &["only hookmesh"]);
}

/// What is no key is not stored as one: least of all what would be two lines of the file.
#[test]
fn an_answer_that_is_no_key_is_not_stored() {
    for (id, key) in [
        ("key_2", "sk_live_aaaaaaaa\\nHEYMARKET_SECRET_KEY=x"),
        ("key_2\\nHOOKMESH_SLOTS=0", "sk_live_aaaaaaaa"),
        ("../key_2", "sk_live_aaaaaaaa"),
        ("key_2", ""),
        ("key_2", "hey_aaaaaaaa"),
        ("", "sk_live_aaaaaaaa"),
    ] {
        let new = format!(r#"{{"id":"{id}","key":"{key}"}}"#);
        let list = r#"{"data":[{"id":"key_1","name":"Site 7","prefix":"sk_live_standin"}]}"#;
        let url = server(move |request| match request.starts_with("POST") {
            true => response("201 Created", &new),
            false => response("200 OK", list),
        });
        let site = site();
        let before = fs::read_to_string(&site.file).unwrap();
        let out = site.file.with_extension("new");
        let base = ["--api", "hookmesh", "--base-url", &url, "--scope", "a:b"];
        let file = ["--credentials", site.file.to_str().unwrap()];
        let create = ["keys", "create", "--name", "n", "--out"];
        let create = [&create[..], &[out.to_str().unwrap()], &base, &file].concat();
        gateway(create).run().fails(1, &["gateway keys list"]);
        assert!(!out.exists(), "{id:?} {key:?}");
        let rotate = [&["keys", "rotate"][..], &base, &file].concat();
        gateway(rotate).run().fails(1, &["gateway keys list"]);
        // What there was before is noted, for a key may have been made.
        let after = fs::read_to_string(&site.file).unwrap();
        assert_eq!(after, format!("{before}HOOKMESH_CREATING=key_1\n"));
    }
}
