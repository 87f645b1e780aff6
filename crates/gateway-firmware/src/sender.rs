//! The loop that sends what the outbox holds, and keeps clock and slots written down.

use core::cell::RefCell;

use embassy_futures::select::select3;
use embassy_time::{Duration, Instant, Timer};
use secure_store::Key;
use sms_alert::{Client, Connect, Report, Step, Verdict};

use crate::board::{Board, Network};
use crate::credentials::{AUTHORIZATION_LEN, ROTATION_VERSION};
use crate::engine::Engine;
use crate::lent::Lent;
use crate::shared::{ChipKey, ChipKeyError, FlashError, Shared, uptime_ms};
use crate::store::BoardStore;
use crate::transport::Transport as _;
use crate::vitals::Vital;

/// Seconds after which the sender shows that it lives, whether or not there is anything to send.
const ROUND_SECS: u64 = 10;

pub(crate) type BoardClient<'a, B> = Client<
    'a,
    Lent<'a, <B as Board>::Connect>,
    Engine<ChipKey<B>>,
    fn() -> u32,
    fn() -> u64,
    AUTHORIZATION_LEN,
>;

pub(crate) struct Sender<'a, B: Board> {
    pub client: BoardClient<'a, B>,
    pub store: &'a RefCell<BoardStore<B::Flash>>,
}

impl<B: Board> Sender<'_, B> {
    /// Sends until something else is asked for; an attempt that has begun is finished first.
    pub async fn run(&mut self, shared: &Shared<'_, B>) {
        let common = shared.common;
        while common.asked().is_none() {
            common.lookout.alive(Vital::Sender, uptime_ms());
            if let Some((reading, uptime_ms)) = common.reading.try_take() {
                let clock = self.client.session_mut().clock_mut();
                if let Err(error) = clock.set(reading, uptime_ms) {
                    shared
                        .common
                        .console
                        .say(format_args!("time refused: {error}"))
                        .await;
                }
                self.write_down(shared).await;
            }
            let due_ms = self.step(shared).await;
            let round = Instant::now() + Duration::from_secs(ROUND_SECS);
            let due = Instant::from_millis(due_ms).min(round);
            let reading = async {
                let reading = common.reading.wait().await;
                common.reading.signal(reading);
            };
            select3(common.wake.wait(), reading, Timer::at(due)).await;
        }
    }

    /// Makes one attempt if one is due, and returns the uptime in milliseconds at which to look again.
    async fn step(&mut self, shared: &Shared<'_, B>) -> u64 {
        let round_ms = uptime_ms().saturating_add(ROUND_SECS * 1_000);
        if !shared.common.network.is_up() {
            // An attempt would fail and begin a backoff that outlasts the network's return.
            return uptime_ms().saturating_add(200);
        }
        let time = self.client.session().clock().now(uptime_ms()).ok();
        let Lent(connect) = self.client.connect_mut();
        connect.tell_time(time.map(|time| time.unix_secs()));
        match self.client.step(shared.outbox).await {
            Ok(Step::Attempt(report)) => {
                tell(shared, &report).await;
                self.write_down(shared).await;
                uptime_ms()
            }
            Ok(Step::Expired(entry)) => {
                shared
                    .common
                    .console
                    .say(format_args!("alert {} has expired unsent", entry.id))
                    .await;
                uptime_ms()
            }
            Ok(Step::Wait(due_ms)) => due_ms,
            Ok(_) => round_ms,
            Err(error) => {
                shared
                    .common
                    .console
                    .say(format_args!("outbox: {error}"))
                    .await;
                uptime_ms().saturating_add(1_000)
            }
        }
    }

    /// Writes down what has changed of clock and slots. A switch of slots is one that an answer caused.
    async fn write_down(&mut self, shared: &Shared<'_, B>) {
        let common = shared.common;
        let session = self.client.session();
        common.clock.replace(session.clock().clone());
        let kept = match common.timekeeper.try_borrow_mut() {
            Ok(mut timekeeper) => timekeeper.keep(session.clock(), uptime_ms(), self.store),
            Err(_) => Ok(()),
        };
        let slots = session.slots().to_bytes();
        let written = match self.store.try_borrow_mut() {
            // Whoever provisions has written other slots, which are taken up next.
            _ if common.asked().is_some() => Ok(()),
            Ok(mut store) => {
                let mut old = [0; api_auth::Slots::RECORD_LEN];
                let same = matches!(store.get(Key::ROTATION, &mut old), Ok(Some(old)) if old.value == slots);
                match same {
                    true => Ok(()),
                    false => store.put(Key::ROTATION, ROTATION_VERSION, &slots),
                }
            }
            Err(_) => Ok(()),
        };
        if let Err(error) = kept.and(written) {
            shared
                .common
                .console
                .say(format_args!("store: {error}"))
                .await;
        }
    }
}

type BoardReport<B> = Report<
    <<B as Board>::Connect as Connect>::Error,
    ChipKeyError<B>,
    crate::records::RecordsError<FlashError<B>>,
>;

/// Says what became of an attempt.
async fn tell<B: Board>(shared: &Shared<'_, B>, report: &BoardReport<B>) {
    let console = shared.common.console;
    let id = report.id;
    match &report.verdict {
        Verdict::Delivered { message_id } => {
            let delivered = shared.common.delivered.get();
            shared.common.delivered.set(delivered.saturating_add(1));
            console
                .say(format_args!("alert {id} delivered: message {message_id}"))
                .await;
        }
        Verdict::RetryAt(due_ms) => {
            let secs = due_ms.saturating_sub(uptime_ms()).div_ceil(1_000);
            console
                .say(format_args!("alert {id} not sent, again in {secs} s"))
                .await;
        }
        Verdict::MaybeSent => {
            console
                .say(format_args!(
                    "alert {id} may have been sent: it is held until you say resend"
                ))
                .await;
        }
        Verdict::FixClock(trouble) => {
            console
                .say(format_args!("alert {id} waits for the clock: {trouble:?}"))
                .await;
        }
        Verdict::SwitchSecret(slot) => {
            console
                .say(format_args!("alert {id} refused, now with slot {slot:?}"))
                .await;
        }
        Verdict::Refused => {
            console
                .say(format_args!("alert {id} waits: no credential is accepted"))
                .await;
        }
        Verdict::Rejected(reason) => {
            console
                .say(format_args!("alert {id} refused for good: {reason:?}"))
                .await;
        }
        _ => {}
    }
    if report.status != 0 {
        let (status, request_id) = (report.status, &report.request_id);
        console
            .say(format_args!("  status {status}, request {request_id}"))
            .await;
    }
    let message = &report.error.message;
    if !message.is_empty() {
        console
            .say(format_args!("  the server says: {message}"))
            .await;
    }
    if let Some(failure) = &report.failure {
        console.say(format_args!("  {failure}")).await;
    }
    if let Some(error) = &report.unsettled {
        console
            .say(format_args!("  not written down: {error}"))
            .await;
    }
}
