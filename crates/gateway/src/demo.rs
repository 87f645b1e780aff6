//! `gateway`, or `gateway demo`: the whole way of an alert, on this machine.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use api_auth::{Api, Policy};
use api_standin::{Config, Standin};
use clap::Args;
use jwt_core::{MAX_TOKEN_LEN, inspect};
use sms_alert::{Account, Alert, MAX_RECORD_LEN, PhoneNumber, RamStore, Recipient, Segments};

use crate::connector::ConnectionArgs;
use crate::credentials::Secrets;
use crate::exit::{Exit, Failure};
use crate::send::{describe, open};
use crate::{delivery, moment, output, session};

const TO: &str = "15551234567";
const TEXT: &str = "Pump 3: no flow since 03:12";

/// The stand-in's inbox, and the member of it that sends.
const ACCOUNT: Account<'_> = Account::Heymarket {
    inbox_id: 42,
    creator_id: 7,
};

/// The options of `gateway demo`: none.
#[derive(Args, Debug, Default)]
pub struct DemoArgs {}

/// Starts a stand-in, signs, sends, and shows each step.
pub fn run(_: &DemoArgs) -> Result<Exit, Failure> {
    let standin = Standin::start(Config::default()).map_err(Failure::invalid)?;
    let base_url = standin.base_url(api_standin::Api::Heymarket);
    // The credential of the vendor's documentation, which the stand-in accepts.
    let secrets = Secrets::new(
        &Api::HEYMARKET,
        Policy::FIELD,
        Some("74f80a77-9b3f-44ac-b3ad-ab68cfb548fa".into()),
        "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK".into(),
    );
    output::line("An SMS alert, from signing to delivery. Nothing leaves this machine.\n")?;
    output::line(format_args!(
        "server   {base_url}, a stand-in for {}",
        Api::HEYMARKET.host.unwrap_or_default()
    ))?;
    output::line(format_args!(
        "signer   secret {}, the example of the vendor's documentation",
        secrets.credential()?.id()
    ))?;

    let mut session = session::open(&secrets, None)?;
    show_token(&mut session)?;

    let to = PhoneNumber::new(TO).map_err(Failure::invalid)?;
    let alert = Alert::new(Recipient::Phone(to), TEXT).map_err(Failure::invalid)?;
    output::line(format_args!("alert    to {to}: {TEXT:?}"))?;
    output::line(format_args!("         {}", describe(&Segments::of(TEXT))))?;

    let connector = ConnectionArgs::to(base_url).connector(&Api::HEYMARKET)?;
    let mut outbox = open::<_, 1>(RamStore::<2, MAX_RECORD_LEN>::new(), "demo")?;
    let pushed = outbox.push(&alert).map_err(Failure::invalid)?;
    let local_id = outbox.local_id(pushed.id);
    let deadline = Instant::now() + Duration::from_secs(10);
    let outbox = RefCell::new(outbox);
    let outcomes = delivery::run(
        &outbox,
        session,
        &secrets,
        &connector,
        ACCOUNT,
        deadline,
        &|_| {},
    )?;
    let outcome = outcomes
        .first()
        .ok_or_else(|| Failure::invalid("the stand-in was not asked"))?;
    if outcome.exit != Exit::Done {
        return Err(Failure::new(outcome.exit, &outcome.message));
    }
    output::line(format_args!(
        "sent     POST /v1/message/send, local_id {local_id}"
    ))?;
    output::line(format_args!(
        "answer   status {}, message id {}, request id {}",
        outcome.status,
        outcome.message_id.as_deref().unwrap_or("none"),
        outcome.request_id
    ))?;
    output::line("\nNext: gateway serve, gateway sign --help, gateway send --help")?;
    Ok(Exit::Done)
}

/// Shows the token that the request will carry; it is good for the stand-in alone.
fn show_token(session: &mut session::HostSession) -> Result<(), Failure> {
    let authorization = session
        .authorize(session::uptime_ms())
        .map_err(Failure::invalid)?;
    let text = authorization.value().trim_start_matches("Bearer ");
    let mut scratch = [0; MAX_TOKEN_LEN];
    let token = inspect(text, &mut scratch).map_err(Failure::invalid)?;
    output::line(format_args!(
        "token    {} bytes: HMAC-SHA256 of the next two lines, by ID||KEY",
        text.len()
    ))?;
    output::line(format_args!("         {}", token.header()))?;
    output::line(format_args!("         {}", token.payload()))?;
    let iat = token.times().iat.unwrap_or_default();
    let lifetime = u64::from(Api::HEYMARKET.lifetime_secs);
    output::line(format_args!(
        "         issued {}, expires {} after that, at {}",
        moment::utc(iat),
        moment::span(lifetime),
        moment::utc(iat.saturating_add(lifetime))
    ))
}
