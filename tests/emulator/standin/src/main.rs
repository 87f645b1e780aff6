//! A stand-in of the APIs for a test in another language: each line of JSON on standard input is an order, answered by a
//! line on standard output. It ends with its input.
//!
//! The first line out is `{"port": …, "ca": …}`: the port of Heymarket's API, and with the argument `--tls` the PEM of
//! the CA to trust. The orders are the variants of [`Order`]: `{"now": 1767225600}` answers `{}`.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Duration;

use anyhow::{Context, Result};
use api_standin::{Api, ApiSecret, Certificate, Config, Fault, Kind, Standin};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// Stop the clock at so many Unix seconds; `null` lets it follow the system's.
    Now(Option<i64>),
    /// Accept these two secrets, each an ID and a key or `null`, and no other.
    Secrets([Option<(String, String)>; 2]),
    /// Answer a number of requests, `null` for all of them, with something else than they ask for.
    Fail { count: Option<u32>, what: Failure },
    /// Do nothing wrong any more.
    Behave,
    /// Tell of the requests and the accepted messages, from the given numbers on.
    Tell { requests: usize, messages: usize },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Failure {
    /// This status.
    Status(u16),
    /// 429 with a hint of so many seconds.
    RetryAfter(u32),
    /// The connection breaks after so many bytes of the request.
    RequestBytes(usize),
    /// The connection breaks after so many bytes of the response to a request that was carried out.
    ResponseBytes(usize),
    /// The response comes this many milliseconds late.
    LateMillis(u64),
}

fn main() -> Result<()> {
    let tls = std::env::args().any(|argument| argument == "--tls");
    let standin = Standin::start(Config {
        tls: tls.then_some(Certificate::Valid),
        ..Config::default()
    })?;
    say(&json!({
        "port": standin.address(Api::Heymarket).port(),
        "ca": standin.ca_pem(),
    }))?;
    for line in stdin().lock().lines() {
        let line = line?;
        let order = serde_json::from_str(&line).with_context(|| format!("not an order: {line}"))?;
        say(&obey(&standin, order))?;
    }
    Ok(())
}

fn say(value: &Value) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

fn obey(standin: &Standin, order: Order) -> Value {
    match order {
        Order::Now(Some(unix_secs)) => standin.set_now(unix_secs),
        Order::Now(None) => standin.use_system_clock(),
        Order::Secrets(secrets) => standin.change_credentials(|credentials| {
            credentials.heymarket.slots =
                secrets.map(|secret| secret.map(|(id, key)| ApiSecret::new(id, key)));
        }),
        Order::Fail { count, what } => {
            let kind = kind(what);
            standin.inject(match count {
                Some(count) => Fault::next(count, kind),
                None => Fault::always(kind),
            });
        }
        Order::Behave => standin.clear_faults(),
        Order::Tell { requests, messages } => return tell(standin, requests, messages),
    }
    json!({})
}

const fn kind(failure: Failure) -> Kind {
    match failure {
        Failure::Status(status) => Kind::Status(status),
        Failure::RetryAfter(secs) => Kind::RateLimited {
            retry_after: Some(secs),
        },
        Failure::RequestBytes(count) => Kind::DropAfterRequestBytes(count),
        Failure::ResponseBytes(count) => Kind::DropAfterResponseBytes(count),
        Failure::LateMillis(millis) => Kind::Delay(Duration::from_millis(millis)),
    }
}

fn tell(standin: &Standin, requests: usize, messages: usize) -> Value {
    let log = standin.log().into_iter().skip(requests).map(|entry| {
        json!({
            "at": entry.at,
            "status": entry.status,
            "request_id": entry.request_id,
            "verdict": entry.verdict.to_string(),
            "body": entry.body,
        })
    });
    let sent = standin
        .messages()
        .into_iter()
        .skip(messages)
        .map(|message| {
            json!({
                "id": message.id,
                "at": message.at,
                "request_id": message.request_id,
                "local_id": message.local_id,
                "text": message.text,
            })
        });
    json!({ "requests": log.collect::<Value>(), "messages": sent.collect::<Value>() })
}
