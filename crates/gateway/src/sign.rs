//! `gateway sign`: a token, or the whole header line, on standard output.

use std::path::{Path, PathBuf};

use api_auth::{Api, Authorizer, ClockError, Scheme};
use clap::{ArgGroup, Args};
use jwt_core::{
    BEARER_LINE_PREFIX, Claims, Header, HmacKey, Json, Payload, SignError, Times, sign,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::claims_file::{self, MAX_LEN};
use crate::credentials::{CredentialArgs, Secrets};
use crate::exit::{Exit, Failure};
use crate::session::MAX_VALUE_LEN;
use crate::{moment, output};

const EXAMPLES: &str = "\
Examples:
  gateway sign --api heymarket
  gateway sign --api heymarket --header |
      curl -H @- https://api.heymarket.com/v1/inboxes
  gateway sign --api key-id --lifetime 900
  echo '{\"sub\":\"pump 3\"}' | JWT_KEY=... gateway sign --claims - --lifetime 60

HEYMARKET_SECRET_ID and HEYMARKET_SECRET_KEY, KEY_ID_JWT_KID and
KEY_ID_JWT_SECRET, or JWT_KEY are read from the environment, from --credentials
FILE, or asked for without being shown.

Exit codes: 0 signed, 1 unexpected, 2 usage or configuration.";

/// The options of `gateway sign`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("what").required(true))]
pub struct SignArgs {
    /// The API that the token is for: heymarket or key-id; with --header also any other, see gateway --help
    #[arg(long, group = "what", value_parser = api)]
    api: Option<&'static Api>,
    /// Sign the JSON object in this file (- for standard input) with the key in JWT_KEY
    #[arg(long, group = "what", value_name = "FILE")]
    claims: Option<PathBuf>,
    /// The key ID in the header, beside --claims
    #[arg(long, conflicts_with = "api")]
    kid: Option<String>,
    /// The time of issue instead of the present
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    iat: Option<u64>,
    /// When the token expires
    #[arg(
        long,
        value_name = "UNIX",
        conflicts_with = "lifetime",
        allow_negative_numbers = true
    )]
    exp: Option<u64>,
    /// After how many seconds the token expires
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    lifetime: Option<u64>,
    /// Print the whole line, `Authorization: Bearer TOKEN`
    #[arg(long)]
    header: bool,
    /// Print a JSON object with the token and its times
    #[arg(long, conflicts_with = "header")]
    pub json: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Finds an API by the name that was typed.
pub fn api(name: &str) -> Result<&'static Api, String> {
    Api::by_name(name).ok_or_else(|| {
        let known: Vec<&str> = Api::ALL.iter().map(|api| api.name).collect();
        format!("there is no such API, only {}", known.join(", "))
    })
}

/// Signs and prints.
pub fn run(args: &SignArgs) -> Result<Exit, Failure> {
    let (token, times) = match (args.api, &args.claims) {
        (Some(api), _) if !api.scheme.is_token() => return run_static(args, api),
        (Some(api), _) => {
            let times = api_times(api, args)?;
            let secrets = args.credentials.secrets(api)?;
            (api_token(&secrets, &times)?, times)
        }
        (None, Some(path)) => claims_token(args, path)?,
        (None, None) => return Err(Failure::usage("name an API with --api, or --claims")),
    };
    if args.json {
        let shown = json!({
            "token": token.as_str(),
            "api": args.api.map(|api| api.name),
            "iat": times.iat,
            "exp": times.exp,
        });
        output::line(output::json_text(&shown))?;
    } else if args.header {
        output::line(format_args!("{BEARER_LINE_PREFIX}{}", token.as_str()))?;
    } else {
        output::line(token.as_str())?;
    }
    Ok(Exit::Done)
}

/// A key that is sent as it is has no token; its header line is printed if that is what was asked for.
fn run_static(args: &SignArgs, api: &'static Api) -> Result<Exit, Failure> {
    if !args.header {
        return Err(Failure::usage(format_args!(
            "{} sends its key as it is, there is no token to sign: --header prints the line with the key in it",
            api.name
        )));
    }
    if args.iat.or(args.exp).or(args.lifetime).is_some() {
        return Err(Failure::usage(format_args!(
            "{} has no token: leave out --iat, --exp and --lifetime",
            api.name
        )));
    }
    let secrets = args.credentials.secrets(api)?;
    let mut authorizer =
        Authorizer::<_, MAX_VALUE_LEN>::new(&secrets.credential()?).map_err(Failure::invalid)?;
    let value = authorizer
        .authorize(Err(ClockError::Unset))
        .map_err(Failure::invalid)?;
    let mut line = Zeroizing::new(vec![0; value.line_len()]);
    output::line(value.write_line(&mut line).map_err(Failure::invalid)?)?;
    Ok(Exit::Done)
}

fn api_times(api: &Api, args: &SignArgs) -> Result<Times, Failure> {
    match api.scheme {
        Scheme::IssIat if args.exp.or(args.lifetime).is_some() => {
            Err(Failure::usage(format_args!(
                "tokens of {} have no exp, the server counts {} from iat: leave out --exp and --lifetime",
                api.name,
                moment::span(api.lifetime_secs.into())
            )))
        }
        Scheme::IssIat => Ok(Times::iat(args.iat.unwrap_or_else(moment::now))),
        _ if args.iat.is_some() => Err(Failure::usage(format_args!(
            "tokens of {} have no iat: leave out --iat, or give --exp",
            api.name
        ))),
        _ => {
            let lifetime = args.lifetime.unwrap_or(api.lifetime_secs.into());
            let exp = args
                .exp
                .unwrap_or_else(|| moment::now().saturating_add(lifetime));
            Ok(Times::exp(exp))
        }
    }
}

/// Signs the token of an API with these times.
pub fn api_token(secrets: &Secrets, times: &Times) -> Result<Zeroizing<String>, Failure> {
    let key = secrets.hmac_key()?;
    let id = secrets.credential()?.id();
    match secrets.api.scheme {
        Scheme::KidExp => signed(&key, &Header::with_kid(id), &Claims::NONE, times),
        _ => {
            let claims = Claims {
                iss: Some(id),
                ..Claims::NONE
            };
            signed(&key, &Header::new(), &claims, times)
        }
    }
}

fn claims_token(args: &SignArgs, path: &Path) -> Result<(Zeroizing<String>, Times), Failure> {
    let claims = claims_file::read(path)?;
    let now = moment::now();
    let lifetime_end = args.lifetime.map(|secs| now.saturating_add(secs));
    let times = Times {
        exp: args.exp.or(lifetime_end),
        nbf: None,
        iat: args.iat,
    };
    for (name, given) in [("exp", times.exp), ("iat", times.iat)] {
        if given.is_some() && claims.contains_key(name) {
            return Err(Failure::usage(format_args!(
                "the claims have {name} already: remove it there, or leave out the option"
            )));
        }
    }
    let claims = Json::<MAX_LEN>::new(&claims).map_err(Failure::usage)?;
    let header = match &args.kid {
        Some(kid) => Header::with_kid(kid),
        None => Header::new(),
    };
    let key = args.credentials.jwt_key()?;
    Ok((signed(&key, &header, &claims, &times)?, times))
}

fn signed(
    key: &HmacKey,
    header: &Header<'_>,
    claims: &impl Payload,
    times: &Times,
) -> Result<Zeroizing<String>, Failure> {
    let needed = match sign(key, header, claims, times, &mut []) {
        Err(SignError::BufferTooSmall { needed }) => needed,
        Err(error) => return Err(Failure::usage(error)),
        Ok(_) => 0,
    };
    let mut out = Zeroizing::new(vec![0; needed]);
    let token = sign(key, header, claims, times, &mut out).map_err(Failure::usage)?;
    Ok(Zeroizing::new(token.into()))
}
