//! What a board does whose outbox can't be opened: it says why, and how everything else is.

use core::fmt;

use embassy_futures::select::{Either, select};

use crate::board::Board;
use crate::common::Common;
use crate::console::Command;
use crate::status::report;

/// Answers to persons until something changes.
pub(crate) async fn idle<B: Board>(common: &Common<'_, B>, refusal: &dyn fmt::Display) {
    let console = common.console;
    report(common, None, Some(refusal)).await;
    loop {
        let line = match select(common.lines.receive(), common.until_changed()).await {
            Either::First(line) => line,
            Either::Second(()) => return,
        };
        match Command::parse(&line) {
            Command::Status => report(common, None, Some(refusal)).await,
            Command::Alert(_) | Command::Resend => {
                console
                    .say(format_args!("nothing is sent: {refusal}"))
                    .await;
            }
            Command::Help => console.say(format_args!("{}", Command::HELP)).await,
        }
    }
}
