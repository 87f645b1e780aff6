//! `gateway check`: one request without effect, to see whether an API accepts the credential.

use api_auth::{AGREEMENT_SECS, Api};
use clap::Args;
use serde_json::json;

use crate::client::{Call, Caller};
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

Heymarket is asked for its inboxes, Key-ID for its greeting, Heyoo for its campaigns, Hook Mesh
for its applications; nothing is changed.

Exit codes: 0 accepted, 1 unexpected, 2 usage or configuration, 3 refused, 4 no answer or not now.";

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

/// Asks and prints.
pub fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let connector = args.connection.connector(args.api)?;
    let secrets = args.credentials.secrets(args.api)?;
    let mut caller = Caller::new(&secrets, &connector)?;
    let answer = caller.call(Call::get(args.api.check.path))?;
    let clock_ahead = answer
        .head
        .date
        .map(|date| i128::from(moment::now()) - i128::from(date));
    let inboxes = match args.api.check.path == Api::HEYMARKET.check.path {
        true => Inbox::list(&answer.text),
        false => Vec::new(),
    };
    let request_id = answer.head.request_id.as_str();
    if args.json {
        output::line(json!({
            "ok": true,
            "api": args.api.name,
            "status": answer.head.status,
            "request_id": request_id,
            "clock_ahead_secs": clock_ahead.and_then(|secs| i64::try_from(secs).ok()),
            "inboxes": inboxes.iter().map(Inbox::json).collect::<Vec<_>>(),
        }))?;
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
