//! `gateway verify`: is a token signed with this key, and valid now?

use api_auth::{Api, Scheme};
use clap::Args;
use jwt_core::{HmacKey, MAX_TOKEN_LEN, TimeError, Validation, VerifyError};
use serde_json::{Value, json};

use crate::credentials::{self, CredentialArgs};
use crate::exit::{Exit, Failure};
use crate::sign::api;
use crate::token_text::TokenArg;
use crate::{moment, output};

const EXAMPLES: &str = "\
Examples:
  gateway sign --api heymarket | gateway verify --api heymarket
  JWT_KEY=... gateway verify - < token.txt
  gateway verify --credentials key.env --leeway 30 - < token.txt

The key is JWT_KEY, or with --api that API's credential, from the environment,
--credentials FILE, or a hidden prompt. Without --api and JWT_KEY, the API whose
kind of token it is counts, if its credential is there.

Exit codes: 0 valid, 1 not valid, 2 usage or configuration.";

/// The options of `gateway verify`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    #[command(flatten)]
    token: TokenArg,
    /// The API whose credential and whose rules count: heymarket or key-id
    #[arg(long, value_parser = api)]
    api: Option<&'static Api>,
    /// The present, instead of this machine's clock
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
    /// By how many seconds the clocks may differ
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    leeway: u64,
    /// How many seconds after iat a token is valid [default: the API's rule, else any]
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Verifies and prints; an invalid token is exit code 1.
pub fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let text = args.token.read()?;
    let api = match args.api {
        Some(api) if !api.scheme.is_token() => {
            return Err(Failure::usage(format_args!(
                "{} has keys and no tokens: there is nothing to verify",
                api.name
            )));
        }
        Some(api) => Some(api),
        None => fitting_api(args, &text)?,
    };
    let (key, id) = match api {
        Some(api) => {
            let secrets = args.credentials.secrets(api)?;
            let id = secrets.credential()?.id().to_owned();
            (secrets.hmac_key()?, Some(id))
        }
        None => (args.credentials.jwt_key()?, None),
    };
    let by_iat = |api: &&Api| api.scheme == Scheme::IssIat;
    let lifetime = api.filter(by_iat).map(|api| api.lifetime_secs.into());
    let validation = Validation {
        now: args.now.unwrap_or_else(moment::now),
        leeway_secs: args.leeway,
        max_age_secs: args.max_age.or(lifetime),
    };
    let verified = verify(&key, &text, &validation, api, id.as_deref());
    if args.json {
        let reason = verified.as_ref().err();
        output::line(output::json_text(&json!({
            "valid": verified.is_ok(),
            "reason": reason,
            "claims": verified.as_ref().ok(),
        })))?;
    }
    match verified {
        Ok(_) if args.json => Ok(Exit::Done),
        Ok(claims) => {
            output::line(format_args!("valid  {}", output::json_text(&claims)))?;
            Ok(Exit::Done)
        }
        Err(_) if args.json => Ok(Exit::Invalid),
        Err(reason) => Err(Failure::invalid(format_args!("not valid: {reason}"))),
    }
}

/// Finds the API whose kind of token it is, if its credential is there and `JWT_KEY` is not.
fn fitting_api(args: &VerifyArgs, text: &str) -> Result<Option<&'static Api>, Failure> {
    if args.credentials.has(&[credentials::JWT_KEY])? {
        return Ok(None);
    }
    let mut scratch = [0; MAX_TOKEN_LEN];
    let has_kid = jwt_core::inspect(text, &mut scratch).is_ok_and(|token| token.kid().is_some());
    let api = match has_kid {
        true => &Api::KEY_ID,
        false => &Api::HEYMARKET,
    };
    let names = credentials::names(api);
    let wanted: Vec<&str> = names.id.into_iter().chain([names.key]).collect();
    Ok(args.credentials.has(&wanted)?.then_some(api))
}

/// Returns the claims of a token that is valid.
///
/// # Errors
/// Why it is not, to a person.
fn verify(
    key: &HmacKey,
    text: &str,
    validation: &Validation,
    api: Option<&Api>,
    id: Option<&str>,
) -> Result<Value, String> {
    let mut scratch = [0; MAX_TOKEN_LEN];
    let token = jwt_core::verify(key, text, validation, &mut scratch)
        .map_err(|error| explained(&error, validation))?;
    let claims: Value = serde_json::from_str(token.payload()).unwrap_or_default();
    match api.map(|api| api.scheme) {
        Some(Scheme::IssIat) if claims["iss"].as_str() != id => {
            return Err("its iss is not the ID of the secret".into());
        }
        Some(Scheme::KidExp) if token.kid() != id => {
            return Err("its kid is not the ID of the access token".into());
        }
        Some(Scheme::KidExp) if token.times().exp.is_none() => return Err("it has no exp".into()),
        _ => {}
    }
    Ok(claims)
}

fn explained<E: core::fmt::Display>(error: &VerifyError<E>, validation: &Validation) -> String {
    let now = validation.now;
    let ago = |then: u64| moment::span(now.saturating_sub(then));
    let ahead = |then: u64| moment::span(then.saturating_sub(now));
    match error {
        VerifyError::Time(TimeError::Expired { exp }) => format!("it expired {} ago", ago(*exp)),
        VerifyError::Time(TimeError::NotYetValid { nbf }) => {
            format!("it becomes valid in {}", ahead(*nbf))
        }
        VerifyError::Time(TimeError::IssuedInFuture { iat }) => {
            format!(
                "it is issued in the future, {} ahead: check both clocks",
                ahead(*iat)
            )
        }
        VerifyError::Time(TimeError::TooOld { iat }) => format!(
            "it was issued {} ago, {} is allowed",
            ago(*iat),
            moment::span(validation.max_age_secs.unwrap_or_default())
        ),
        other => other.to_string(),
    }
}
