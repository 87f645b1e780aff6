//! `gateway provision settings`: which settings are in order, and what is said of the others.

mod common;
mod desk;

use desk::*;

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
        ("[network]\naddress = \"127.0.0.1/8\"", "network.address"),
        ("[network]\naddress = \"192.168.1.0/24\"", "network.address"),
        ("[network]\naddress = \"10.0.0.127/25\"", "network.address"),
        ("[network]\nrouter = \"192.168.1.1\"", "network.router"),
        (
            "[network]\naddress = \"10.0.0.7/24\"\nrouter = \"10.0.1.1\"",
            "network.router",
        ),
        (
            "[network]\naddress = \"10.0.0.7/24\"\nrouter = \"10.0.0.7\"",
            "network.router",
        ),
        ("[network]\nhost = \"a b\"", "network.host"),
        (
            "[network]\nhost = \"https://a\"",
            "port is a setting of its own",
        ),
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
    // Two that have a link for themselves (RFC 3021), and a network of many sizes of ours.
    for settings in [
        "[network]\naddress = \"10.0.0.0/31\"\nrouter = \"10.0.0.1\"",
        "[network]\naddress = \"10.0.0.128/24\"\nrouter = \"10.0.0.1\"",
    ] {
        files.secret("right.toml", settings.as_bytes());
        let run = files.provision(&["settings", "@right.toml"]).run();
        run.exits(0);
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
