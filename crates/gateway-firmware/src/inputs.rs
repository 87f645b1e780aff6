//! The watch over contacts and temperature. An alert that the outbox doesn't take is offered again.

use core::fmt::Write as _;

use embassy_time::{Duration, Instant, Timer};
use embedded_hal::digital::InputPin;
use heapless::String;
use sms_alert::Alert;

use crate::board::{Board, Thermometer};
use crate::configuration::Text;
use crate::contact::Contact;
use crate::shared::{Shared, uptime_ms};
use crate::threshold::Threshold;
use crate::vitals::Vital;

/// Milliseconds between two samples of the contacts.
const SAMPLE_MS: u64 = 10;

/// Milliseconds between two measurements of the temperature.
const MEASURE_MS: u64 = 10_000;

/// Milliseconds until an alert is offered again that the outbox did not take.
const OFFER_MS: u64 = 5_000;

/// Bytes of the longest text with a temperature added.
const MEASURED_LEN: usize = crate::configuration::MAX_TEXT_LEN + 16;

/// A contact and the alert that it raises.
struct Input<P> {
    name: &'static str,
    pin: P,
    contact: Contact,
    text: Option<Text>,
    /// The uptime at which an alert is offered to the outbox, if one has to be.
    due_ms: Option<u64>,
}

impl<P: InputPin> Input<P> {
    fn new(name: &'static str, pin: P, text: &Option<Text>) -> Self {
        Self {
            name,
            pin,
            contact: Contact::new(),
            text: text.clone(),
            due_ms: None,
        }
    }

    async fn sample<B: Board>(&mut self, shared: &Shared<'_, B>, now_ms: u64) {
        // A pin that can't be read is taken for unchanged.
        let closed = self.pin.is_low().unwrap_or(self.contact.is_closed());
        if self.contact.closes(closed, now_ms) {
            shared
                .console
                .say(format_args!("{} contact closed", self.name))
                .await;
            self.due_ms = Some(now_ms);
        }
        let Some(text) = self
            .text
            .as_ref()
            .filter(|_| self.due_ms.is_some_and(|due_ms| due_ms <= now_ms))
        else {
            return;
        };
        let taken = raise(shared, text).await;
        self.due_ms = (!taken).then(|| now_ms.saturating_add(OFFER_MS));
    }
}

/// Watches the inputs for ever.
pub(crate) async fn watch<B: Board>(
    shared: &Shared<'_, B>,
    door: B::Contact,
    flood: B::Contact,
    mut thermometer: B::Thermometer,
) -> ! {
    let configuration = shared.configuration;
    let mut door = Input::new("door", door, &configuration.door);
    let mut flood = Input::new("flood", flood, &configuration.flood);
    let limit = configuration.temperature.as_ref();
    let mut limit = limit.map(|(text, limit)| (text, Threshold::new(*limit)));
    let mut measure_ms = 0;
    let mut hot = None;
    let mut next = Instant::now();
    loop {
        let now_ms = uptime_ms();
        shared.vitals.seen(Vital::Inputs, now_ms);
        door.sample(shared, now_ms).await;
        flood.sample(shared, now_ms).await;
        if let Some((text, limit)) = &mut limit
            && now_ms >= measure_ms
        {
            measure_ms = now_ms.saturating_add(MEASURE_MS);
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
        // What the samples took counts, but is not caught up with.
        next = (next + Duration::from_millis(SAMPLE_MS)).max(Instant::now());
        Timer::at(next).await;
    }
}

/// Takes an alert into the outbox, says so, and returns whether it is there.
pub(crate) async fn raise<B: Board>(shared: &Shared<'_, B>, text: &str) -> bool {
    let console = shared.console;
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
            console.say(format_args!("no alert yet: {error}")).await;
            false
        }
    }
}
