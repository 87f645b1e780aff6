//! From what was seen of contacts and temperature to alerts. An alert that the outbox doesn't take is offered again.

use core::fmt::Write as _;

use embassy_futures::select::select;
use embassy_time::{Instant, Timer};
use heapless::String;
use sms_alert::{Alert, AlertError, Pushed};

use crate::board::{Board, Thermometer};
use crate::configuration::Text;
use crate::lookout::Input;
use crate::shared::{PushError, Shared, uptime_ms};
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
            if self.again_ms.is_some_and(|again_ms| again_ms > uptime_ms()) {
                break;
            }
            let again = self.again_ms.is_some();
            let raised = self.text.map(|text| Raised::of(shared, text));
            let settled = raised.as_ref().is_none_or(Raised::is_settled);
            self.again_ms = (!settled).then(|| uptime_ms().saturating_add(OFFER_MS));
            if settled {
                lookout.settle(self.input);
            }
            if !again {
                let name = match self.input {
                    Input::Door => "door",
                    Input::Flood => "flood",
                };
                let console = shared.common.console;
                console.say(format_args!("{name} contact closed")).await;
            }
            if let (Some(text), Some(raised)) = (self.text, raised) {
                raised.tell(shared, text).await;
            }
        }
        self.again_ms
    }
}

/// What was seen of the temperature, which outlasts that something else is provisioned.
#[derive(Default)]
pub(crate) struct Heat {
    threshold: Option<Threshold>,
    /// The measurement that there is no alert for yet.
    untold: Option<i32>,
}

impl Heat {
    /// Takes a measurement, if there is one, and returns what is to be told.
    fn tell(&mut self, limit_millidegrees: i32, measured: Option<i32>) -> Option<i32> {
        let known = self.threshold.take();
        let mut threshold = match known {
            Some(known) if known.limit_millidegrees() == limit_millidegrees => known,
            _ => {
                self.untold = None;
                Threshold::new(limit_millidegrees)
            }
        };
        if let Some(millidegrees) = measured
            && threshold.reaches(millidegrees)
        {
            self.untold = measured;
        }
        self.threshold = Some(threshold);
        self.untold
    }
}

/// Attends to the inputs for ever.
pub(crate) async fn attend<B: Board>(
    shared: &Shared<'_, B>,
    thermometer: &mut B::Thermometer,
    heat: &mut Heat,
) -> ! {
    let configuration = shared.configuration;
    let contact = |input, text| Contact {
        input,
        text,
        again_ms: None,
    };
    let mut door = contact(Input::Door, configuration.door.as_ref());
    let mut flood = contact(Input::Flood, configuration.flood.as_ref());
    let temperature = configuration.temperature.as_ref();
    let mut measure_ms = 0;
    loop {
        let again = [door.attend(shared).await, flood.attend(shared).await];
        if let Some((text, limit)) = temperature
            && uptime_ms() >= measure_ms
        {
            measure_ms = uptime_ms().saturating_add(MEASURE_MS);
            let measured = thermometer.millidegrees().await;
            if let Some(millidegrees) = heat.tell(*limit, measured) {
                let mut measured = String::<MEASURED_LEN>::new();
                // Always fits: ten digits and what is around them are less than 16 bytes more.
                let _ = write!(measured, "{text} ({} C)", millidegrees / 1_000);
                let raised = Raised::of(shared, &measured);
                if raised.is_settled() {
                    heat.untold = None;
                }
                raised.tell(shared, &measured).await;
            }
        }
        let measure = temperature.map(|_| measure_ms);
        let due_ms = again.into_iter().flatten().chain(measure).min();
        let due_ms = due_ms.unwrap_or_else(|| uptime_ms().saturating_add(MEASURE_MS));
        let due = Timer::at(Instant::from_millis(due_ms));
        select(shared.common.lookout.news(), due).await;
    }
}

/// What has become of an alert. It is told after everything is done: telling takes time, and may be given up.
pub(crate) enum Raised<B: Board> {
    /// The outbox has it.
    Taken(Pushed),
    /// It can be none.
    Impossible(AlertError),
    /// The outbox hasn't taken it.
    Refused(PushError<B>),
}

impl<B: Board> Raised<B> {
    /// Takes an alert into the outbox.
    #[inline(never)]
    pub fn of(shared: &Shared<'_, B>, text: &str) -> Self {
        match Alert::new(shared.configuration.to.clone(), text) {
            Err(error) => Self::Impossible(error),
            Ok(alert) => match shared.push(&alert) {
                Ok(pushed) => Self::Taken(pushed),
                Err(error) => Self::Refused(error),
            },
        }
    }

    /// Whether it need not be offered again.
    const fn is_settled(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// Says what has become of it.
    pub async fn tell(&self, shared: &Shared<'_, B>, text: &str) {
        let console = shared.common.console;
        match self {
            Self::Taken(pushed) => {
                console
                    .say(format_args!("alert {} waits: {text}", pushed.id))
                    .await;
                if let Some(dropped) = &pushed.dropped {
                    console
                        .say(format_args!("alert {} gave way to it", dropped.id))
                        .await;
                }
            }
            Self::Impossible(error) => console.say(format_args!("no alert: {error}")).await,
            Self::Refused(error) => console.say(format_args!("alert not taken: {error}")).await,
        }
    }
}
