//! `gateway serve`: the stand-in in the foreground.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use api_standin::{Certificate, Config, Credentials, Standin};
use clap::Args;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::{moment, output};

/// How often the stand-in's log is looked at.
const LOG_INTERVAL: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  gateway serve
  gateway serve --port 8080
  gateway serve --tls standin.pem

Then, in another terminal, with the lines that serve prints exported:
  gateway check --api heymarket --base-url http://127.0.0.1:8080
  gateway check --api heymarket --ca standin.pem --base-url https://...

It listens on this machine alone, until Ctrl-C, and accepts the credentials that
it prints: they are examples, and open nothing else.";

/// The options of `gateway serve`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// The port of the first API; the others follow [default: free ones]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_parser = clap::value_parser!(u16).range(..=65_532))]
    port: u16,
    /// The loopback address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    ip: IpAddr,
    /// Serve HTTPS, and write the certificate to name with --ca to this file
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
    /// Print the addresses and every request as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// Serves until it is interrupted.
pub fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let config = Config {
        ip: args.ip,
        port: args.port,
        tls: args.tls.as_ref().map(|_| Certificate::Valid),
        ..Config::default()
    };
    let standin = Standin::start(config).map_err(Failure::usage)?;
    if let (Some(path), Some(pem)) = (&args.tls, standin.ca_pem()) {
        fs::write(path, pem).map_err(|error| {
            Failure::usage(format_args!("can't write {}: {error}", path.display()))
        })?;
    }
    let accepted = accepted(&standin.credentials());
    if args.json {
        let urls: serde_json::Map<String, Value> = api_standin::Api::ALL
            .iter()
            .map(|api| (api.name().to_owned(), standin.base_url(*api).into()))
            .collect();
        output::line(output::json_text(
            &json!({ "base_urls": urls, "credentials": accepted }),
        ))?;
    } else {
        output::line("A stand-in of the four APIs, until Ctrl-C:")?;
        for api in api_standin::Api::ALL {
            output::line(format_args!(
                "  {:<10} {}",
                api.name(),
                standin.base_url(api)
            ))?;
        }
        output::line("It accepts these examples:")?;
        for (name, value) in &accepted {
            output::line(format_args!(
                "  {name}={}",
                value.as_str().unwrap_or_default()
            ))?;
        }
        output::line("Requests:")?;
    }
    let mut shown = 0;
    loop {
        for entry in standin.log().iter().skip(shown) {
            shown += 1;
            if args.json {
                output::line(output::json_text(&json!({
                    "at": entry.at,
                    "api": entry.api.name(),
                    "method": entry.method,
                    "path": entry.path,
                    "status": entry.status,
                    "request_id": entry.request_id,
                    "verdict": entry.verdict.to_string(),
                })))?;
            } else {
                output::line(format_args!(
                    "  {} {} {} {} {}: {}, request id {}",
                    moment::utc(entry.at.unsigned_abs()),
                    entry.api,
                    entry.method,
                    output::printable(&entry.path),
                    entry.status,
                    entry.verdict,
                    entry.request_id
                ))?;
            }
        }
        thread::sleep(LOG_INTERVAL);
    }
}

/// The accepted credentials under the names that the other commands read.
fn accepted(credentials: &Credentials) -> serde_json::Map<String, Value> {
    let mut names = serde_json::Map::new();
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            names.insert(name.into(), value.into());
        }
    };
    let heymarket = &credentials.heymarket;
    let secret = heymarket.slots.iter().flatten().next();
    add(
        "HEYMARKET_SECRET_ID",
        secret.map(|secret| secret.id.expose()),
    );
    add(
        "HEYMARKET_SECRET_KEY",
        secret.map(|secret| secret.key.expose()),
    );
    add(
        "HEYMARKET_API_KEY",
        heymarket.api_key.as_ref().map(|key| key.expose()),
    );
    let key_id = &credentials.key_id;
    let access = key_id.jwt.first();
    add("KEY_ID_JWT_KID", access.map(|access| access.kid.as_str()));
    add(
        "KEY_ID_JWT_SECRET",
        access.map(|access| access.secret.expose()),
    );
    add(
        "KEY_ID_API_TOKEN",
        key_id.api_tokens.first().map(|token| token.expose()),
    );
    add(
        "HEYOO_API_KEY",
        credentials.heyoo.first().map(|key| key.key.expose()),
    );
    add(
        "HOOKMESH_API_KEY",
        credentials.hookmesh.first().map(|key| key.key.expose()),
    );
    names
}
