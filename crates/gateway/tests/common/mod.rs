//! Runs the real program, with nothing in its environment but what a test puts there.
#![allow(dead_code, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use api_standin::{Api, Certificate, Config, Standin};
use tempfile::NamedTempFile;

pub const SECRET_ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
pub const SECRET_KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";
pub const KID: &str = "5f0c9a52-3c1e-4d0b-9a53-0d5c1f6f7a10";
pub const KID_SECRET: &str = "standin-key-id-jwt-secret-0123456789";
pub const JWT_KEY: &str = "a key of at least 32 bytes, as RFC 7518 wants";

/// Everything that must never be printed, but where a test asks for it.
const SECRETS: [&str; 9] = [
    SECRET_KEY,
    KID_SECRET,
    JWT_KEY,
    "standin-heymarket-team-key",
    "standin-key-id-api-token",
    "hey_standin_all",
    "sk_live_standin_1",
    "sk_test_standin_1",
    "wrong-key-wrong-key-wrong-key-wrong-key",
];

/// A run of the program, being prepared.
pub struct Gateway {
    command: Command,
    input: Vec<u8>,
}

/// What a run has come to.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn gateway<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Gateway {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(args).env_clear();
    Gateway {
        command,
        input: Vec::new(),
    }
}

impl Gateway {
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn heymarket(self) -> Self {
        self.env("HEYMARKET_SECRET_ID", SECRET_ID)
            .env("HEYMARKET_SECRET_KEY", SECRET_KEY)
    }

    pub fn key_id(self) -> Self {
        self.env("KEY_ID_JWT_KID", KID)
            .env("KEY_ID_JWT_SECRET", KID_SECRET)
    }

    /// Names the inbox, so that it is not asked for.
    pub fn account(self) -> Self {
        self.env("HEYMARKET_INBOX_ID", "42")
            .env("HEYMARKET_CREATOR_ID", "7")
    }

    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Returns the command, to be started by the test itself.
    pub fn command(self) -> Command {
        self.command
    }

    /// Runs it and checks that no secret is printed.
    pub fn run(self) -> Run {
        let run = self.run_unchecked();
        for text in [&run.stdout, &run.stderr] {
            for secret in SECRETS {
                assert!(!text.contains(secret), "a secret was printed: {run:?}");
            }
        }
        assert!(
            !run.stderr.contains("eyJ"),
            "a token is in an error: {run:?}"
        );
        run
    }

    /// Runs it where the answer is a secret that was asked for.
    pub fn run_unchecked(mut self) -> Run {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that reads nothing may have gone away already.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        child.wait_with_output().unwrap().into()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Asserts one line on standard error that has all of `parts`, and the exit code.
    #[track_caller]
    pub fn fails(self, code: i32, parts: &[&str]) -> Self {
        let run = self.exits(code);
        let errors: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "one error: {run:?}");
        for part in parts {
            assert!(errors[0].contains(part), "{part:?} in {run:?}");
        }
        run
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn standin() -> Standin {
    Standin::start(Config::default()).unwrap()
}

pub fn tls_standin(certificate: Certificate) -> (Standin, NamedTempFile) {
    let standin = Standin::start(Config {
        tls: Some(certificate),
        ..Config::default()
    })
    .unwrap();
    let mut ca = NamedTempFile::new().unwrap();
    ca.write_all(standin.ca_pem().unwrap().as_bytes()).unwrap();
    (standin, ca)
}

pub fn heymarket_url(standin: &Standin) -> String {
    standin.base_url(Api::Heymarket)
}

/// A URL on this machine where nothing listens, nor will: the port is that of a connection's other end.
pub fn closed_port() -> String {
    static TAKEN: OnceLock<(TcpListener, TcpStream)> = OnceLock::new();
    let (_, client) = TAKEN.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener, client)
    });
    format!("http://{}", client.local_addr().unwrap())
}

/// Answers every request with what `answer` makes of it, and returns its URL.
pub fn server(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 64 * 1024];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]);
            // A client that has seen enough is no failure.
            let _ = stream.write_all(answer(&request).as_bytes());
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    url
}

/// A response with a body.
pub fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Waits until something has happened that needs no more than time.
#[track_caller]
pub fn eventually(happened: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !happened() {
        assert!(Instant::now() < until, "it never happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}
