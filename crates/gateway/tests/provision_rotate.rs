//! `gateway provision rotate`: the second credential in an image from the field.

mod common;
mod desk;

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
