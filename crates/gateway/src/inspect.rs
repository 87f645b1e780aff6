//! `gateway inspect`: what a token says, unverified, and what each API would say about it.

use api_auth::{AGREEMENT_SECS, Api, Scheme};
use clap::Args;
use jwt_core::{MAX_TOKEN_LEN, Unverified};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::token_text::TokenArg;
use crate::{moment, output};

const EXAMPLES: &str = "\
Examples:
  gateway sign --api heymarket | gateway inspect
  gateway inspect - < token.txt
  gateway inspect --json - < token.txt

The signature is not checked: that takes the key, and `gateway verify`.

Exit codes: 0 it is a token, 1 it is none, 2 usage.";

/// The options of `gateway inspect`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct InspectArgs {
    #[command(flatten)]
    token: TokenArg,
    /// The present, instead of this machine's clock
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Reads and prints.
pub fn run(args: &InspectArgs) -> Result<Exit, Failure> {
    let text = args.token.read()?;
    let now = args.now.unwrap_or_else(moment::now);
    let mut scratch = [0; MAX_TOKEN_LEN];
    let token = jwt_core::inspect(&text, &mut scratch).map_err(Failure::invalid)?;
    let judgements = [Api::HEYMARKET, Api::KEY_ID].map(|api| (api.name, judge(&api, &token, now)));
    if args.json {
        let apis: Vec<Value> = judgements
            .iter()
            .map(|(name, judgement)| {
                json!({
                    "api": name,
                    "accepted": judgement.is_ok(),
                    "reason": judgement.as_ref().map_or_else(Clone::clone, Clone::clone),
                })
            })
            .collect();
        output::line(output::json_text(&json!({
            "header": parsed(token.header()),
            "claims": parsed(token.payload()),
            "length": text.len(),
            "signature_length": token.signature().len(),
            "signature_checked": false,
            "age_secs": token.times().iat.map(|iat| i128::from(now) - i128::from(iat)),
            "expires_in_secs": token.times().exp.map(|exp| i128::from(exp) - i128::from(now)),
            "apis": apis,
        })))?;
        return Ok(Exit::Done);
    }
    output::line(format_args!("header     {}", pretty(token.header())))?;
    output::line(format_args!("claims     {}", pretty(token.payload())))?;
    for time in described_times(&token, now) {
        output::line(format_args!("           {time}"))?;
    }
    output::line(format_args!(
        "signature  {} bytes, not checked (gateway verify does)",
        token.signature().len()
    ))?;
    for (name, judgement) in judgements {
        let verdict = match judgement {
            Ok(how) => format!("would be accepted if the signature is right, {how}"),
            Err(why) => format!("would be refused, {why}"),
        };
        output::line(format_args!("{name:<10} {verdict}"))?;
    }
    Ok(Exit::Done)
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}

/// Returns the JSON on one line.
fn pretty(json: &str) -> String {
    output::json_text(&parsed(json))
}

fn described_times(token: &Unverified<'_>, now: u64) -> Vec<String> {
    let times = token.times();
    [
        ("iat", "issued", times.iat),
        ("nbf", "valid from", times.nbf),
        ("exp", "expires", times.exp),
    ]
    .into_iter()
    .filter_map(|(name, what, at)| {
        let at = at?;
        Some(format!(
            "{name}: {what} {}, {}",
            moment::utc(at),
            relative(at, now)
        ))
    })
    .collect()
}

fn relative(at: u64, now: u64) -> String {
    match now.checked_sub(at) {
        Some(0) => "now".into(),
        Some(secs) => format!("{} ago", moment::span(secs)),
        None => format!("in {}", moment::span(at - now)),
    }
}

/// Says what the API would make of a token whose signature is right.
///
/// # Errors
/// Why it would be refused.
fn judge(api: &Api, token: &Unverified<'_>, now: u64) -> Result<String, String> {
    if token.alg() != "HS256" {
        return Err("it is not signed with HS256".into());
    }
    let times = token.times();
    if api.scheme == Scheme::KidExp {
        if token.kid().is_none() {
            return Err(r#"with status 500: its header has no "kid""#.into());
        }
        let exp = times.exp.ok_or("it has no exp")?;
        return match exp.checked_sub(now) {
            None | Some(0) => Err(format!("expired {}", relative(exp, now))),
            Some(left) => Ok(format!("for {} more", moment::span(left))),
        };
    }
    if !parsed(token.payload())["iss"].is_string() {
        return Err("it has no iss, the secret's ID".into());
    }
    let iat = times.iat.ok_or("it has no iat")?;
    let lifetime = u64::from(api.lifetime_secs);
    match now.checked_sub(iat) {
        Some(age) if age >= lifetime => Err(format!(
            "issued {}, tokens live {}",
            relative(iat, now),
            moment::span(lifetime)
        )),
        Some(age) => Ok(format!("for {} more", moment::span(lifetime - age))),
        None if iat - now <= AGREEMENT_SECS => Ok(format!("issued {}", relative(iat, now))),
        None => Err(format!("issued {}: check the clock", relative(iat, now))),
    }
}
