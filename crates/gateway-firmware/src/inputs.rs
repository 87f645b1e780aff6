//! From what was seen of contacts and temperature to alerts. An alert that the outbox doesn't take is offered again.

use core::fmt::Write as _;

use embassy_futures::select::select;
use embassy_time::{Instant, Timer};
use heapless::String;
use sms_alert::Alert;

use crate::board::{Board, Thermometer};
use crate::configuration::Text;
use crate::lookout::Input;
use crate::shared::{Shared, uptime_ms};
use crate::threshold::Threshold;

/// Milliseconds between two measurements of the temperature.
const MEASURE_MS: u64 = 10_000;

/// Milliseconds until an alert is offered again that the outbox did not take.
const OFFER_MS: u64 = 5_000;

/// Bytes of the longest text with a temperature added.
const MEASURED_LEN: usize = crate::configuration::MAX_TEXT_LEN + 16;

/// A contact and the alert that it raises.
struct Contact<'a> {
    input: Input,
    text: Option<&'a Text>,
    /// The uptime at which an alert is offered again that the outbox did not take.
    again_ms: Option<u64>,
}

impl Contact<'_> {
    /// Raises the alerts that are due, and returns the uptime at which to look again, if it is known.
    async fn attend<B: Board>(&mut self, shared: &Shared<'_, B>) -> Option<u64> {
        let lookout = shared.common.lookout;
        while lookout.has_closed(self.input) {
            match self.again_ms {
                Some(again_ms) if again_ms > uptime_ms() => break,
                Some(_) => {}
                None => {
                    let name = match self.input {
                        Input::Door => "door",
                        Input::Flood => "flood",
                    };
                    shared
                        .common
                        .console
                        .say(format_args!("{name} contact closed"))
                        .await;
                }
            }
            let taken = match self.text {
                Some(text) => raise(shared, text).await,
                None => true,
            };
            self.again_ms = (!taken).then(|| uptime_ms().saturating_add(OFFER_MS));
            if taken {
                lookout.settle(self.input);
            }
        }
        self.again_ms
    }
}

/// Attends to the inputs for ever.
pub(crate) async fn attend<B: Board>(
    shared: &Shared<'_, B>,
    thermometer: &mut B::Thermometer,
) -> ! {
    let configuration = shared.configuration;
    let contact = |input, text| Contact {
        input,
        text,
        again_ms: None,
    };
    let mut door = contact(Input::Door, configuration.door.as_ref());
    let mut flood = contact(Input::Flood, configuration.flood.as_ref());
    let limit = configuration.temperature.as_ref();
    let mut limit = limit.map(|(text, limit)| (text, Threshold::new(*limit)));
    let mut measure_ms = 0;
    let mut hot = None;
    loop {
        let again = [door.attend(shared).await, flood.attend(shared).await];
        if let Some((text, limit)) = &mut limit
            && uptime_ms() >= measure_ms
        {
            measure_ms = uptime_ms().saturating_add(MEASURE_MS);
            if let Some(millidegrees) = thermometer.millidegrees().await
                && limit.reaches(millidegrees)
            {
                hot = Some(millidegrees);
            }
            if let Some(millidegrees) = hot {
                let mut measured = String::<MEASURED_LEN>::new();
                // Always fits: ten digits and what is around them are less than 16 bytes more.
                let _ = write!(measured, "{text} ({} C)", millidegrees / 1_000);
                hot = (!raise(shared, &measured).await).then_some(millidegrees);
            }
        }
        let measure = limit.as_ref().map(|_| measure_ms);
        let due_ms = again.into_iter().flatten().chain(measure).min();
        let due_ms = due_ms.unwrap_or_else(|| uptime_ms().saturating_add(MEASURE_MS));
        let due = Timer::at(Instant::from_millis(due_ms));
        select(shared.common.lookout.news(), due).await;
    }
}

/// Takes an alert into the outbox, says so, and returns whether it is there.
pub(crate) async fn raise<B: Board>(shared: &Shared<'_, B>, text: &str) -> bool {
    let console = shared.common.console;
    let alert = match Alert::new(shared.configuration.to.clone(), text) {
        Ok(alert) => alert,
        Err(error) => {
            console.say(format_args!("no alert: {error}")).await;
            return true;
        }
    };
    match shared.push(&alert) {
        Ok(pushed) => {
            console
                .say(format_args!("alert {} waits: {text}", pushed.id))
                .await;
            if let Some(dropped) = pushed.dropped {
                console
                    .say(format_args!("alert {} gave way to it", dropped.id))
                    .await;
            }
            true
        }
        Err(error) => {
            console.say(format_args!("alert not taken: {error}")).await;
            false
        }
    }
}
