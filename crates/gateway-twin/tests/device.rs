//! `gateway device`, the real program, and the firmware's whole application, a process each, with a cable between.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use api_standin::{Api, ApiSecret, Config, Standin};
use serde_json::Value;
use tempfile::TempDir;

/// The vendor's published example, which the stand-in knows.
const SECRET: [&str; 2] = [
    "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
    "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
];
const OTHER_SECRET: [&str; 2] = [
    "0b6c3a3e-6f0d-4b9e-9d0a-6f2f6a1d9c11",
    "q7Zr2mWc9KxN4tVb8LpYh3JdS6gFa1Ue",
];
const DEVICE_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";

/// A board that was never provisioned, and what is needed to provision it.
struct Scene {
    dir: TempDir,
    keyed: bool,
    standin: Standin,
    board: Option<Process>,
}

/// The board's process; its power is cut when it is dropped.
struct Process {
    child: Child,
    port: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Scene {
    fn new(keyed: bool) -> Self {
        let scene = Self {
            dir: TempDir::new().unwrap(),
            keyed,
            standin: Standin::start(Config::default()).unwrap(),
            board: None,
        };
        let address = scene.standin.address(Api::Heymarket);
        let settings = format!(
            "[device]\nname = \"pump-7\"\ninbox = 42\ncreator = 7\nrecipients = [\"+14155551234\"]\n\
             [alerts]\ndoor = \"Pump 7: door open\"\nflood = \"Pump 7: water\"\n\
             [network]\nhost = \"{}\"\nport = {}\ntest_plain_http = true\n",
            address.ip(),
            address.port()
        );
        scene.write("settings.toml", settings.as_bytes());
        scene.write("device.key", &DEVICE_KEY);
        scene
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600);
        let mut file = file.open(self.path(name)).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn power_on(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-twin"));
        command.arg("--flash").arg(self.path("flash.bin"));
        if self.keyed {
            command
                .arg("--device-key-file")
                .arg(self.path("device.key"));
        }
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("port ").unwrap().to_owned();
        self.board = Some(Process { child, port });
    }

    fn cut_power(&mut self) {
        self.board = None;
    }

    fn press(&mut self, what: &str) {
        let stdin = self.board.as_mut().unwrap().child.stdin.as_mut().unwrap();
        writeln!(stdin, "{what}").unwrap();
    }

    /// Runs `gateway device` with what entitles to write, if anything has to.
    fn device(&self, command: &str, args: &[&str], secret: [&str; 2]) -> Output {
        let mut gateway = Command::new(gateway());
        let port = &self.board.as_ref().unwrap().port;
        gateway
            .env_clear()
            .args(["device", command, "--port", port, "--json"]);
        match (command, self.keyed) {
            ("status", _) => {}
            (_, true) => {
                gateway
                    .arg("--device-key-file")
                    .arg(self.path("device.key"));
            }
            (_, false) => {
                gateway.arg("--window");
            }
        }
        gateway
            .args(args)
            .env("HEYMARKET_SECRET_ID", secret[0])
            .env("HEYMARKET_SECRET_KEY", secret[1])
            .output()
            .unwrap()
    }

    #[track_caller]
    fn done(&self, command: &str, args: &[&str]) -> Value {
        json(&self.device(command, args, SECRET))
    }

    fn status(&self) -> Value {
        self.done("status", &[])
    }

    fn provision(&self) {
        let settings = self.path("settings.toml").display().to_string();
        self.done("set-clock", &[]);
        self.done(
            "provision",
            &["--api", "heymarket", "--settings", &settings],
        );
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "never: {what}; {}",
                self.status()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.standin.messages().into_iter();
        texts.filter_map(|message| message.text).collect()
    }

    /// Everything in the board's memory that can be written to.
    fn memory(&self) -> Vec<u8> {
        let of = |file: &str| format!("/proc/{}/{file}", self.board.as_ref().unwrap().child.id());
        let (maps, memory) = (std::fs::read_to_string(of("maps")), File::open(of("mem")));
        let (maps, memory) = (maps.unwrap(), memory.unwrap());
        let mut all = Vec::new();
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            let mut bytes = vec![0; (address(end) - address(start)) as usize];
            // Guard pages and the like can't be read.
            if rest.starts_with("rw") && memory.read_exact_at(&mut bytes, address(start)).is_ok() {
                all.extend(bytes);
            }
        }
        all
    }

    fn flash(&self) -> Vec<u8> {
        std::fs::read(self.path("flash.bin")).unwrap()
    }
}

#[track_caller]
fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    serde_json::from_str(&text).unwrap()
}

/// The program, which is of another package: cargo builds it, or has built it.
fn gateway() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        let target = Path::new(env!("CARGO_BIN_EXE_gateway-twin"))
            .parent()
            .unwrap();
        build.args(["build", "--quiet", "--locked", "--package", "gateway"]);
        build.arg("--target-dir");
        build.arg(target.parent().unwrap());
        assert!(build.status().unwrap().success());
        target.join("gateway")
    })
}

/// Whether something has the secret in it, or the key that it is prepared into.
fn leaks(bytes: &[u8], [id, key]: [&str; 2]) -> bool {
    let parts = [id.as_bytes(), b"||", key.as_bytes()];
    let prepared = jwt_core::HmacKey::from_parts(&parts).unwrap().to_prepared();
    let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    found(key.as_bytes()) || found(&prepared[..16]) || found(&prepared[32..48])
}

#[test]
fn a_blank_board_with_a_key_is_provisioned_over_the_cable_and_serves() {
    let mut scene = Scene::new(true);
    scene.power_on();
    let status = scene.status();
    assert_eq!(status["custody"], "sealed");
    assert_eq!(status["access"], "key");
    assert_eq!(status["slots"]["a"]["state"], "empty");
    scene.press("door");

    scene.provision();
    // What was seen before there was anybody to tell is told now.
    scene.until("a delivery", || scene.texts() == ["Pump 7: door open"]);
    scene.until("that it is written down", || {
        scene.status()["outbox"]["queued"] == 0
    });
    let status = scene.status();
    assert_eq!(status["name"], "pump-7");
    assert_eq!(status["outbox"]["delivered"], 1);
    assert_eq!(status["slots"]["a"]["state"], "good, in use");
    assert_eq!(status["clock"]["quality"], "desktop");
    assert!(!leaks(&scene.flash(), SECRET));
    // The key that signs is in words of the hash function; nothing else of it is left of being sent, kept and read.
    let memory = scene.memory();
    assert!(memory.windows(6).any(|window| window == b"pump-7"));
    assert!(!leaks(&memory, SECRET));

    scene.cut_power();
    scene.power_on();
    assert_eq!(scene.status()["slots"]["a"]["state"], "good, in use");
    // No clock outlasts a power cut here: an alert waits until somebody tells the time.
    scene.press("door");
    scene.until("an alert", || scene.status()["outbox"]["queued"] == 1);
    scene.done("set-clock", &[]);
    scene.until("the second delivery", || scene.texts().len() == 2);
}

#[test]
fn a_blank_board_without_a_key_wants_its_button_pressed() {
    let mut scene = Scene::new(false);
    scene.power_on();
    assert_eq!(scene.status()["access"], "closed");
    let settings = scene.path("settings.toml").display().to_string();
    let args = ["--settings", &*settings];
    let refused = scene.device("provision", &args, SECRET);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("button"), "{said}");

    scene.press("button");
    scene.until("the window", || scene.status()["access"] == "window");
    scene.provision();
    scene.press("door");
    scene.until("a delivery", || scene.texts() == ["Pump 7: door open"]);
    assert_eq!(scene.status()["custody"], "plain");
    // Said aloud in the documents: this is what plain custody means. It also shows that the search finds what there is.
    assert!(leaks(&scene.flash(), SECRET));
}

#[test]
fn a_credential_is_rotated_while_the_board_serves() {
    let mut scene = Scene::new(true);
    scene.power_on();
    scene.provision();
    scene.press("door");
    scene.until("a delivery", || scene.texts().len() == 1);

    scene.standin.change_credentials(|credentials| {
        credentials.heymarket.slots[1] = Some(ApiSecret::new(OTHER_SECRET[0], OTHER_SECRET[1]));
    });
    let url = format!("http://{}", scene.standin.address(Api::Heymarket));
    let args = ["--api", "heymarket", "--base-url", &*url];
    json(&scene.device("rotate", &args, OTHER_SECRET));
    scene
        .standin
        .change_credentials(|credentials| credentials.heymarket.slots[0] = None);
    scene.press("door");
    scene.until("a delivery with the other", || scene.texts().len() == 2);
    json(&scene.device("retire", &[], SECRET));
    let status = scene.status();
    assert_eq!(status["slots"]["a"]["state"], "empty");
    assert_eq!(status["slots"]["b"]["state"], "good, in use");
    let refused = scene
        .standin
        .log()
        .iter()
        .filter(|entry| entry.status == 401)
        .count();
    assert_eq!(refused, 0);
    assert!(!leaks(&scene.flash(), OTHER_SECRET));
}

#[test]
fn contacts_that_close_while_the_application_is_blocked_are_not_missed() {
    let mut scene = Scene::new(true);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = std::fs::read_to_string(scene.path("settings.toml")).unwrap();
    let (ours, theirs) = (
        silent.local_addr().unwrap(),
        scene.standin.address(Api::Heymarket),
    );
    let settings = settings.replace(&theirs.port().to_string(), &ours.port().to_string());
    std::fs::write(scene.path("settings.toml"), settings).unwrap();
    scene.power_on();
    scene.provision();
    scene.press("door");
    // The application waits in this connection for an answer, and does nothing else.
    let (_connection, _) = silent.accept().unwrap();
    scene.press("flood");
    scene.press("door");
    scene.press("flood");
    scene.until("an alert for each", || {
        let outbox = &scene.status()["outbox"];
        outbox["queued"].as_u64().unwrap() + outbox["maybe_sent"].as_u64().unwrap() == 4
    });
}

#[test]
fn a_person_and_a_program_share_the_console() {
    let mut scene = Scene::new(false);
    scene.power_on();
    scene.press("button");
    scene.until("the window", || scene.status()["access"] == "window");
    scene.provision();
    scene.until("service", || scene.status()["name"] == "pump-7");

    let port = &scene.board.as_ref().unwrap().port;
    let mut terminal = std::fs::OpenOptions::new();
    let mut terminal = terminal.read(true).write(true).open(port).unwrap();
    let mut reader = terminal.try_clone().unwrap();
    let seen = Arc::new(Mutex::new(String::new()));
    let shown = Arc::clone(&seen);
    thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            shown
                .lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    });
    let begun = Instant::now();
    while !seen.lock().unwrap().contains("link: the machine's own") {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{}",
            seen.lock().unwrap()
        );
        terminal.write_all(b"status\r").unwrap();
        thread::sleep(Duration::from_millis(300));
    }
    assert!(seen.lock().unwrap().contains("custody: plain"));
}
