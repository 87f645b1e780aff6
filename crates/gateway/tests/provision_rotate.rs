//! `gateway provision rotate`: the second credential in an image from the field.

mod common;
mod desk;

use common::SECRET_ID;
use desk::*;
use secure_store::{Credential, Key, Plain};

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
    // Nor does the same.
    let same = "rotate @field.bin --target rp2040 --api heymarket --out @x";
    let same: Vec<_> = same.split(' ').collect();
    let run = files.provision(&same).heymarket().run();
    run.fails(2, &["in use already"]);
    assert!(!files.path("x").exists());
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
fn the_credential_in_use_is_told_by_its_whole_id() {
    let files = Files::new();
    let provision = |command: &[&str], id: &str| {
        let args = [command, &["--target", "rp2040", "--api", "heymarket"]].concat();
        let run = files.provision(&args).heymarket();
        run.env("HEYMARKET_SECRET_ID", id).run()
    };
    provision(&["image", "--out", "@field.bin"], "site-7").exits(0);
    let rotate = |id: &str, out: &str| provision(&["rotate", "@field.bin", "--out", out], id);
    rotate("site-7", "@same.bin").fails(2, &["site-7 is in use already"]);
    assert!(!files.path("same.bin").exists());
    // The one begins with the other, and where an ID is no UUID, capitals count.
    for (id, out) in [("site-70", "@a"), ("site-", "@b"), ("Site-7", "@c")] {
        rotate(id, out).exits(0);
    }

    // A UUID is the same in capitals.
    provision(&["image", "--out", "@uuid.bin"], SECRET_ID).exits(0);
    let capitals = SECRET_ID.to_uppercase();
    let run = provision(&["rotate", "@uuid.bin", "--out", "@d"], &capitals);
    run.fails(2, &["in use already"]);
}
