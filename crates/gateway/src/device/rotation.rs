//! `gateway device rotate` and `retire`: one credential for another without downtime, over the cable.

use api_auth::{Api, SlotState, Slots, Step};
use clap::Args;
use device_link::{Reply, Request};
use serde_json::json;

use crate::check;
use crate::client::Caller;
use crate::connector::ConnectionArgs;
use crate::credentials::{CredentialArgs, Secrets};
use crate::device::connection::{AuthorityArgs, Connection, LineArgs};
use crate::device::records::{PlaceArgs, send_credential};
use crate::device::status;
use crate::exit::{Exit, Failure};
use crate::output::{self, report};
use crate::provision::describe;
use crate::sign::api;

/// The options of `gateway device rotate`.
#[derive(Args, Debug)]
pub struct RotateArgs {
    #[command(flatten)]
    pub line: LineArgs,
    #[command(flatten)]
    authority: AuthorityArgs,
    /// The API whose new credential the device gets
    #[arg(long, value_parser = api)]
    api: &'static Api,
    #[command(flatten)]
    place: PlaceArgs,
    /// Don't ask the API whether it accepts the new credential: it is stored, and not put into use
    #[arg(long)]
    no_check: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// The options of `gateway device retire`.
#[derive(Args, Debug)]
pub struct RetireArgs {
    #[command(flatten)]
    pub line: LineArgs,
    #[command(flatten)]
    authority: AuthorityArgs,
}

/// Stores the new credential in the free slot, checks it, and puts it into use.
pub fn rotate(args: &RotateArgs) -> Result<Exit, Failure> {
    let place = args.place.key_place(&args.authority, args.api)?;
    let secrets = args.credentials.secrets(args.api)?;
    if !args.no_check {
        try_out(args, &secrets)?;
    }
    let mut connection = Connection::open(&args.line, args.authority.authority()?)?;
    let (slots, successor) = status::slots_and_successor(&mut connection, &secrets)?;
    if slots.state(slots.active()) == SlotState::Empty {
        return Err(Failure::usage(
            "the device has no credential yet: give it one with gateway device provision",
        ));
    }
    let slot = slots.standby();
    if slots.state(slot) == SlotState::Retiring {
        return Err(Failure::usage(format_args!(
            "a rotation is under way; what comes next is: {}",
            describe::next(&slots)
        )));
    }
    if let Some(doubt) = successor? {
        output::note(format_args!("note: {doubt}"));
    }
    // To a slot that is taken the device accepts the credential that it has, and refuses another.
    send_credential(&mut connection, (&secrets, place), slot)?;
    output::note(format_args!("stored in slot {slot:?}"));
    if args.no_check {
        return report(
            args.line.json,
            json!({ "ok": true, "slot": format!("{slot:?}"), "in_use": false }),
            format_args!(
                "the new credential waits in slot {slot:?}: the device uses it when the old one is refused"
            ),
        );
    }
    ask(&mut connection, &Request::Verified(slot))?;
    let slots = ask(&mut connection, &Request::Promote(slot))?;
    report(
        args.line.json,
        json!({ "ok": true, "slot": format!("{slot:?}"), "in_use": true }),
        format_args!(
            "the new credential is in use, in slot {slot:?}; next: {}",
            describe::next(&slots)
        ),
    )
}

/// Has the device forget the credential that is not in use.
pub fn retire(args: &RetireArgs) -> Result<Exit, Failure> {
    let mut connection = Connection::open(&args.line, args.authority.authority()?)?;
    let slots = status::slots(&mut connection)?;
    let slot = slots.standby();
    if slots.next() == Step::Rest && slots.state(slot) == SlotState::Good {
        output::note("note: the credential is good: the device falls back on it no more");
    }
    let slots = ask(&mut connection, &Request::Retire(slot))?;
    report(
        args.line.json,
        json!({ "ok": true, "slot": format!("{slot:?}") }),
        format_args!("slot {slot:?} is empty; next: {}", describe::next(&slots)),
    )
}

fn ask(connection: &mut Connection, request: &Request<'_>) -> Result<Slots, Failure> {
    connection.ask(request, |reply| match reply {
        Reply::Slots(slots) => Some(slots),
        _ => None,
    })
}

/// Asks the API from this machine whether it accepts the credential.
fn try_out(args: &RotateArgs, secrets: &Secrets) -> Result<(), Failure> {
    let connector = args.connection.connector(args.api)?;
    let mut caller = Caller::new(secrets, &connector)?;
    check::ask(&mut caller, args.api).map_err(|failure| {
        let message = format!(
            "{} doesn't accept the new credential, so nothing was sent to the device: {failure}",
            args.api.name
        );
        failure.saying(message)
    })?;
    output::note(format_args!("{} accepts the new credential", args.api.name));
    Ok(())
}
