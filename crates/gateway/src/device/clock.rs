//! `gateway device set-clock` and `reboot`.

use clap::Args;
use device_link::{Reply, Request};
use serde_json::json;

use crate::device::connection::{AuthorityArgs, Connection, LineArgs};
use crate::exit::{Exit, Failure};
use crate::moment;
use crate::output::report;

/// The options of `gateway device set-clock`.
#[derive(Args, Debug)]
pub struct SetClockArgs {
    #[command(flatten)]
    pub line: LineArgs,
    #[command(flatten)]
    authority: AuthorityArgs,
}

/// The options of `gateway device reboot`.
#[derive(Args, Debug)]
pub struct RebootArgs {
    #[command(flatten)]
    pub line: LineArgs,
    #[command(flatten)]
    authority: AuthorityArgs,
}

fn done(reply: Reply<'_>) -> Option<()> {
    matches!(reply, Reply::Done).then_some(())
}

/// Sets the clock to this machine's.
pub fn set(args: &SetClockArgs) -> Result<Exit, Failure> {
    let mut connection = Connection::open(&args.line, args.authority.authority()?)?;
    // Opens the session first, so that the time is not old when it is sent.
    super::status::slots(&mut connection)?;
    let unix_secs = moment::now();
    connection.ask(&Request::SetClock { unix_secs }, done)?;
    report(
        args.line.json,
        json!({ "ok": true, "unix_secs": unix_secs }),
        format_args!("the clock is set to {}", moment::utc(unix_secs)),
    )
}

/// Has the device start again.
pub fn reboot(args: &RebootArgs) -> Result<Exit, Failure> {
    let mut connection = Connection::open(&args.line, args.authority.authority()?)?;
    connection.ask(&Request::Reboot, done)?;
    report(
        args.line.json,
        json!({ "ok": true }),
        "the device starts again",
    )
}
