//! `gateway check`: one request without effect, to see whether an API accepts the credential.

use api_auth::{AGREEMENT_SECS, Api, rfc3339};
use clap::Args;
use serde_json::{Value, json};

use crate::client::{Answer, Call, Caller};
use crate::connector::ConnectionArgs;
use crate::credentials::CredentialArgs;
use crate::exit::{Exit, Failure};
use crate::inbox::Inbox;
use crate::sign::api;
use crate::{moment, output};

const EXAMPLES: &str = "\
Examples:
  gateway check --api heymarket
  gateway check --api key-id --base-url https://api.example.com
  gateway check --api hookmesh --credentials hookmesh.env --json

Heymarket is asked for its inboxes, Key-ID for its greeting, Heyoo for its
campaigns, Hook Mesh for its applications; nothing is changed.

Exit codes: 0 accepted, 1 unexpected, 2 usage or configuration, 3 refused, 4 no
answer or not now.";

/// The options of `gateway check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// The API to ask: heymarket, heymarket-bearer, heymarket-basic, key-id, key-id-static, heyoo or hookmesh
    #[arg(long, value_parser = api)]
    api: &'static Api,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Asks an API for what changes nothing; an answer that is a success is one of the API's own.
///
/// # Errors
/// The answer is no success, or is none that the API would give.
pub fn ask(caller: &mut Caller<'_>, api: &Api) -> Result<Answer, Failure> {
    let answer = caller.call(Call::get(api.check.path))?;
    match is_documented(api, &answer) {
        true => Ok(answer),
        false => Err(Failure::invalid(format_args!(
            "status {} came, but not as {} answers: a proxy, a login page or another server is at this address; check --base-url",
            answer.head.status, api.name
        ))),
    }
}

/// Whether an answer looks as the API's pages say.
///
/// Heymarket lists inboxes, Key-ID greets with its time; of Heyoo and Hook Mesh no more is documented than that it is JSON.
fn is_documented(api: &Api, answer: &Answer) -> bool {
    if answer.is_cut {
        // More than is kept: nothing but JSON begins so.
        return answer.text.trim_start().starts_with(['[', '{']);
    }
    let Ok(value) = serde_json::from_str::<Value>(&answer.text) else {
        return false;
    };
    match api.check.path {
        path if path == Api::HEYMARKET.check.path => {
            value.is_array() || value["inboxes"].is_array()
        }
        path if path == Api::KEY_ID.check.path => greeting_time(&answer.text).is_some(),
        _ => value.is_array() || value.is_object(),
    }
}

/// Returns the Unix seconds that Key-ID's greeting tells.
fn greeting_time(text: &str) -> Option<u64> {
    let time: String = sms_alert::find(text, &["time"])?.text()?.chars().collect();
    rfc3339(&time)
}

/// Asks and prints.
pub fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let connector = args.connection.connector(args.api)?;
    let secrets = args.credentials.secrets(args.api)?;
    let mut caller = Caller::new(&secrets, &connector)?;
    let answer = ask(&mut caller, args.api)?;
    let server_secs = answer.head.date.or_else(|| greeting_time(&answer.text));
    let clock_ahead = server_secs.map(|date| i128::from(moment::now()) - i128::from(date));
    let inboxes = match args.api.check.path == Api::HEYMARKET.check.path {
        true => Inbox::list(&answer.text),
        false => Vec::new(),
    };
    let request_id = answer.head.request_id.as_str();
    if args.json {
        output::line(output::json_text(&json!({
            "ok": true,
            "api": args.api.name,
            "status": answer.head.status,
            "request_id": request_id,
            "clock_ahead_secs": clock_ahead.and_then(|secs| i64::try_from(secs).ok()),
            "inboxes": inboxes.iter().map(Inbox::json).collect::<Vec<_>>(),
        })))?;
        return Ok(Exit::Done);
    }
    output::line(format_args!(
        "{} at {} accepts the credential (status {}, request id {})",
        args.api.name,
        connector.endpoint,
        answer.head.status,
        if request_id.is_empty() {
            "none"
        } else {
            request_id
        },
    ))?;
    for inbox in inboxes {
        output::line(format_args!("  {inbox}"))?;
    }
    match clock_ahead {
        Some(secs) if secs.unsigned_abs() > AGREEMENT_SECS.into() => {
            let size = u64::try_from(secs.unsigned_abs()).unwrap_or(u64::MAX);
            let direction = if secs > 0 { "ahead of" } else { "behind" };
            output::note(format_args!(
                "warning: this machine's clock is {} {direction} the server's: set it before tokens are refused",
                moment::span(size)
            ));
        }
        _ => {}
    }
    Ok(Exit::Done)
}
