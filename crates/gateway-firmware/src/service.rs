//! The application as long as nobody asks for a restart: it takes up what is provisioned, and serves.

use core::cell::RefCell;
use core::pin::pin;

use api_auth::{Reading, Source};
use embassy_futures::join::{join, join4};
use embassy_futures::select::select;
use embassy_time::{Duration, Ticker, Timer};
use sms_alert::BUFFER_LEN;

use crate::board::{Board, Network};
use crate::common::Common;
use crate::configuration::Configuration;
use crate::console::Command;
use crate::freshness;
use crate::idle::idle;
use crate::inputs::{self, Raised};
use crate::lent::Lent;
use crate::prepare::{Means, client, open_outbox, session, start_clock, trust};
use crate::refusal::{BoardRefusal, Refusal};
use crate::sender::Sender;
use crate::shared::{Shared, uptime_ms};
use crate::standby;
use crate::store::BoardStore;
use crate::timekeeper::look_again;

/// Seconds between two questions for the time, after an answer and without one.
const SNTP_SECS: (u64, u64) = (3_600, 60);

/// Milliseconds between two counts of the outbox.
const COUNT_MS: u64 = 50;

/// Serves until a restart is asked for, and takes up what is provisioned in between.
pub(crate) async fn run<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    mut means: Means<B>,
) {
    freshness::check(common, store).await;
    let serving = pin!(serve_on(common, store, &mut means));
    select(serving, freshness::retry(common, store)).await;
}

/// Serves, and raises the counter for what was provisioned.
async fn serve_on<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    means: &mut Means<B>,
) {
    loop {
        let ended = serve(common, store, means).await;
        common.serves.set(false);
        if let Err(refusal) = ended {
            idle(common, &refusal).await;
        }
        let goes_on = common.settle().await;
        if common.wrote.take() && !freshness::raise(common, store).await {
            common.wrote.set(true);
        }
        if !goes_on {
            return;
        }
    }
}

/// Takes what the inputs raise into the outbox, and sends it, until something else is asked for. Where nothing can be sent
/// it waits in the outbox.
async fn serve<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    means: &mut Means<B>,
) -> Result<(), BoardRefusal<B>> {
    let clock = start_clock(common, store, means.build_secs);
    let configuration = Configuration::load(store).map_err(Refusal::Configuration)?;
    if let Some(wifi) = &configuration.wifi {
        common.network.use_wifi(wifi);
    }
    // What is as it was stays untouched: asking by DHCP again would take the address away for a while.
    if means.address != configuration.address {
        means.address = configuration.address;
        common.network.use_address(configuration.address);
    }
    let outbox = open_outbox::<B>(store, &configuration, (means.random)())?;
    let mut buffer = [0; BUFFER_LEN];
    let trusted = trust::<B>(store, &mut means.connect);
    let session = session(common, store, means, &configuration, clock, trusted);
    let connect = Lent(&mut means.connect);
    let client = client::<B>(session, &configuration, connect, means.random, &mut buffer);
    let (client, refusal) = match client {
        Ok(client) => (Some(client), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let shared = Shared::<B> {
        common,
        configuration: &configuration,
        outbox: &outbox,
        refusal: refusal.as_ref(),
    };
    shared.report().await;

    let sending = pin!(async {
        let Some(client) = client else {
            return standby::keep_time(&shared, store).await;
        };
        common.serves.set(true);
        Sender { client, store }.run(&shared).await;
    });
    let others = pin!(join4(
        inputs::attend(&shared, &mut means.thermometer, &mut means.heat),
        join(ask_time(&shared, means.build_secs), look_again(common)),
        obey(&shared),
        count(&shared),
    ));
    select(sending, others).await;
    Ok(())
}

/// Asks for the time now and then, if the device was told whom.
async fn ask_time<B: Board>(shared: &Shared<'_, B>, build_secs: u64) {
    let Some(host) = &shared.configuration.time_host else {
        return;
    };
    let common = shared.common;
    let (rest_secs, again_secs) = SNTP_SECS;
    loop {
        while !common.network.is_up() {
            Timer::after_millis(200).await;
        }
        let mut nonce = [0; 8];
        let answer = match (common.entropy)(&mut nonce) {
            true => common.network.sntp(host, build_secs, nonce).await,
            // A forged answer could not be told.
            false => None,
        };
        let pause_secs = match answer {
            Some(unix_secs) => {
                let reading = Reading {
                    unix_secs,
                    source: Source::Sntp,
                    age_secs: 0,
                };
                common.reading.signal((reading, uptime_ms()));
                rest_secs
            }
            None => {
                common
                    .console
                    .say(format_args!("{host} doesn't tell the time"))
                    .await;
                again_secs
            }
        };
        Timer::after_secs(pause_secs).await;
    }
}

/// Does what persons ask for on the consoles.
async fn obey<B: Board>(shared: &Shared<'_, B>) -> ! {
    let console = shared.common.console;
    loop {
        let line = shared.common.lines.receive().await;
        match Command::parse(&line) {
            Command::Status => shared.report().await,
            Command::Alert(text) => Raised::of(shared, text).tell(shared, text).await,
            Command::Resend => match shared.resend() {
                Ok(count) => console.say(format_args!("{count} queued again")).await,
                Err(error) => console.say(format_args!("not all: {error}")).await,
            },
            Command::Help => console.say(format_args!("{}", Command::HELP)).await,
        }
    }
}

/// Counts the outbox, for the light and for whoever asks over the line.
async fn count<B: Board>(shared: &Shared<'_, B>) -> ! {
    let mut ticker = Ticker::every(Duration::from_millis(COUNT_MS));
    loop {
        shared.common.tally.set(shared.tally());
        ticker.next().await;
    }
}
