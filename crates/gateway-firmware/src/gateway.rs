//! The whole application: from the parts of a board to the end of days.

use core::cell::{Cell, RefCell};
use core::fmt;

use api_auth::{Clock, Policy, Reading, Source};
use embassy_futures::join::join5;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Ticker, Timer};
use embedded_hal::digital::OutputPin;
use jwt_core::MacEngine;
use secure_store::{Plain, StoreError};
use sms_alert::{
    BUFFER_LEN, Backoff, Client, Connect, FieldError, Host, Outbox, OutboxError, Rules, Sending,
};

use crate::board::{Board, ChipKeys, Network, Parts, Watchdog};
use crate::configuration::{Configuration, ConfigurationError};
use crate::console::{Command, Console, read_line};
use crate::credentials::{Credentials, CredentialsError};
use crate::inputs;
use crate::light::Mood;
use crate::records::{BoardStore, OutboxRecords, RecordsError};
use crate::sender::Sender;
use crate::shared::{ChipKeyError, FlashError, Shared, uptime_ms};
use crate::timekeeper::Timekeeper;
use crate::transport::{NoTls, may_send};
use crate::vitals::Vitals;

/// Milliseconds that an answer is waited for.
const PATIENCE_MS: u64 = 30_000;

/// Seconds between two questions for the time, after an answer and without one.
const SNTP_SECS: (u64, u64) = (3_600, 60);

/// Milliseconds between two looks at the light, of which the watchdog is fed too.
const TICK_MS: u64 = 50;

/// Runs a gateway for ever.
///
/// A board that isn't provisioned, or not so that it can send, says on the console why, and does nothing else.
pub async fn run<B: Board>(parts: Parts<B>) -> ! {
    let Parts {
        flash,
        region,
        console_in,
        console_out,
        door,
        flood,
        light,
        thermometer,
        rtc,
        chip_keys,
        watchdog,
        random,
        build_secs,
        start,
        last_words,
        connect,
        network,
    } = parts;
    let console = Console::new(console_out);
    console
        .say(format_args!(
            "gateway {}, started by {start}",
            env!("CARGO_PKG_VERSION")
        ))
        .await;
    if !last_words.is_empty() {
        console
            .say(format_args!("before that it panicked: {last_words}"))
            .await;
    }
    let mut body = Body { light, watchdog };

    let store = BoardStore::open(flash, region, Plain);
    let store = match store.and_then(|mut store| store.repair().map(|()| store)) {
        Ok(store) => RefCell::new(store),
        Err(error) => {
            halt(
                &console,
                console_in,
                &mut body,
                BoardRefusal::<B>::Store(error),
            )
            .await
        }
    };
    let started = Started::new(&store, rtc, build_secs, &connect, &chip_keys);
    let Started {
        configuration,
        credentials: Credentials { session, custody },
        timekeeper,
    } = match started {
        Ok(started) => started,
        Err(refusal) => halt(&console, console_in, &mut body, refusal).await,
    };
    if let Some(address) = configuration.address {
        network.use_address(address);
    }
    let records = OutboxRecords::new(&store);
    let outbox = match Outbox::open(
        records,
        configuration.name.clone(),
        Rules::default(),
        random(),
    ) {
        Ok(outbox) => RefCell::new(outbox),
        Err(error) => {
            halt(
                &console,
                console_in,
                &mut body,
                BoardRefusal::<B>::Outbox(error),
            )
            .await
        }
    };

    let api = session.api().name;
    let (vitals, wake, reading) = (Vitals::default(), Signal::new(), Signal::new());
    let (clock, slots) = (
        RefCell::new(session.clock().clone()),
        Cell::new(session.slots()),
    );
    let shared = Shared::<B> {
        console: &console,
        configuration: &configuration,
        outbox: &outbox,
        network: &network,
        vitals: &vitals,
        clock: &clock,
        slots: &slots,
        custody,
        api,
        start,
        wake: &wake,
        reading: &reading,
    };
    shared.report().await;

    let mut buffer = [0; BUFFER_LEN];
    let client = match host(&configuration, session.api().host) {
        Ok(host) => {
            let sending = Sending {
                host,
                account: configuration.account(),
                backoff: Backoff::DEFAULT,
                patience_ms: PATIENCE_MS,
            };
            let uptime: fn() -> u64 = uptime_ms;
            Client::new(session, sending, connect, random, uptime, &mut buffer)
        }
        Err(error) => Err(error),
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            halt(
                &console,
                console_in,
                &mut body,
                BoardRefusal::<B>::Host(error),
            )
            .await
        }
    };
    let sender = Sender {
        client,
        store: &store,
        timekeeper,
    };
    join5(
        sender.run(&shared),
        inputs::watch(&shared, door, flood, thermometer),
        ask_time(&shared, build_secs),
        obey(&shared, console_in),
        live(&shared, &mut body),
    )
    .await
    .0
}

/// What is read from the store before anything runs.
struct Started<R, H: MacEngine> {
    configuration: Configuration,
    credentials: Credentials<H>,
    timekeeper: Timekeeper<R>,
}

impl<R: secure_store::Rtc, H: MacEngine> Started<R, H> {
    fn new<F: embedded_storage::nor_flash::MultiwriteNorFlash>(
        store: &RefCell<BoardStore<F>>,
        rtc: Option<R>,
        build_secs: u64,
        connect: &impl Connect,
        chip_keys: &impl ChipKeys<Key = H>,
    ) -> Result<Self, Refusal<F::Error, H::Error>> {
        let configuration = Configuration::load(store).map_err(Refusal::Configuration)?;
        let mut timekeeper = Timekeeper::load(rtc, store).map_err(Refusal::Store)?;
        let mut clock = Clock::new(build_secs, timekeeper.floor_secs());
        if let Some(reading) = timekeeper.reading() {
            // A clock that is refused is as good as none; the status says that there is none.
            let _ = clock.set(reading, uptime_ms());
        }
        let policy = match configuration.plain_http_test {
            true => Policy::TEST,
            false => Policy::FIELD,
        };
        let credentials =
            Credentials::load(store, clock, policy, chip_keys).map_err(Refusal::Credentials)?;
        let host = host(&configuration, credentials.session.api().host).map_err(Refusal::Host)?;
        may_send(host, connect.is_secure(), configuration.plain_http_test)
            .map_err(Refusal::NoTls)?;
        Ok(Self {
            configuration,
            credentials,
            timekeeper,
        })
    }
}

/// Returns the host to send to: the provisioned one, or the API's own.
fn host<'a>(
    configuration: &'a Configuration,
    own: Option<&'static str>,
) -> Result<Host<'a>, FieldError> {
    match (&configuration.host, own) {
        (Some(host), _) => Host::new(host),
        (None, Some(host)) => Host::new(host),
        (None, None) => Err(FieldError::Host),
    }
}

/// What shows that the board lives, and to whom it has to be shown.
struct Body<L, W> {
    light: L,
    watchdog: W,
}

impl<L: OutputPin, W: Watchdog> Body<L, W> {
    fn show(&mut self, mood: Mood) {
        // A light that fails has nobody to tell.
        let _ = match mood.is_lit(uptime_ms()) {
            true => self.light.set_high(),
            false => self.light.set_low(),
        };
    }
}

/// Shows the board's mood, and feeds the watchdog as long as everything that must live does.
async fn live<B: Board>(shared: &Shared<'_, B>, body: &mut Body<B::Light, B::Watchdog>) -> ! {
    let mut ticker = Ticker::every(Duration::from_millis(TICK_MS));
    let mut said = false;
    loop {
        let now_ms = uptime_ms();
        match shared.vitals.missing(now_ms) {
            None => body.watchdog.feed(),
            Some(vital) if !said => {
                said = true;
                shared
                    .console
                    .say(format_args!(
                        "{vital:?} hangs: the watchdog will reset the board"
                    ))
                    .await;
            }
            Some(_) => {}
        }
        let no_time = match shared.clock.try_borrow() {
            Ok(clock) => clock.now(now_ms).is_err(),
            Err(_) => false,
        };
        body.show(if !shared.network.is_up() {
            Mood::NoNetwork
        } else if no_time {
            Mood::NoTime
        } else if shared.tally().any() {
            Mood::Waiting
        } else {
            Mood::Well
        });
        ticker.next().await;
    }
}

/// Asks for the time now and then, if the device was told whom.
async fn ask_time<B: Board>(shared: &Shared<'_, B>, build_secs: u64) {
    let Some(host) = &shared.configuration.time_host else {
        return;
    };
    let (rest_secs, again_secs) = SNTP_SECS;
    loop {
        while !shared.network.is_up() {
            Timer::after_millis(200).await;
        }
        let answer = shared.network.sntp(host, build_secs).await;
        let pause_secs = match answer {
            Some(unix_secs) => {
                let reading = Reading {
                    unix_secs,
                    source: Source::Sntp,
                    age_secs: 0,
                };
                shared.reading.signal((reading, uptime_ms()));
                rest_secs
            }
            None => {
                shared
                    .console
                    .say(format_args!("{host} doesn't tell the time"))
                    .await;
                again_secs
            }
        };
        Timer::after_secs(pause_secs).await;
    }
}

/// Does what a person asks for on the console.
async fn obey<B: Board>(shared: &Shared<'_, B>, mut console_in: B::ConsoleIn) {
    while let Some(line) = read_line(&mut console_in).await {
        match Command::parse(&line) {
            Command::Status => shared.report().await,
            Command::Alert(text) => drop(inputs::raise(shared, text).await),
            Command::Resend => match shared.resend() {
                Ok(count) => {
                    shared
                        .console
                        .say(format_args!("{count} queued again"))
                        .await
                }
                Err(error) => shared.console.say(format_args!("not all: {error}")).await,
            },
            Command::Help => shared.console.say(format_args!("{}", Command::HELP)).await,
        }
    }
}

/// Says why nothing is sent, now and whenever somebody presses a key, for ever.
async fn halt<W, R, E, K>(
    console: &Console<W>,
    mut console_in: R,
    body: &mut Body<impl OutputPin, impl Watchdog>,
    refusal: Refusal<E, K>,
) -> !
where
    W: embedded_io_async::Write,
    R: embedded_io_async::Read,
    E: fmt::Debug,
    K: fmt::Display,
{
    let say = async {
        loop {
            console
                .say(format_args!("nothing is sent: {refusal}"))
                .await;
            if read_line(&mut console_in).await.is_none() {
                break;
            }
        }
    };
    let show = async {
        let mut ticker = Ticker::every(Duration::from_millis(TICK_MS));
        loop {
            body.watchdog.feed();
            body.show(Mood::Unprovisioned);
            ticker.next().await;
        }
    };
    embassy_futures::join::join(say, show).await.1
}

/// Why a board sends nothing.
type BoardRefusal<B> = Refusal<FlashError<B>, ChipKeyError<B>>;

/// Why nothing is sent; `E` is the flash driver's error, `K` that of the chip with keys.
enum Refusal<E, K> {
    Store(StoreError<E>),
    Configuration(ConfigurationError<E>),
    Credentials(CredentialsError<E, K>),
    Outbox(OutboxError<RecordsError<E>>),
    Host(FieldError),
    NoTls(NoTls),
}

impl<E: fmt::Debug, K: fmt::Display> fmt::Display for Refusal<E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Configuration(error) => error.fmt(f),
            Self::Credentials(error) => error.fmt(f),
            Self::Outbox(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::NoTls(error) => error.fmt(f),
        }
    }
}
