//! The application as long as nobody asks for a restart: it takes up what is provisioned, and serves.

use core::cell::{Cell, RefCell};
use core::pin::pin;

use api_auth::{Clock, Policy, Reading, SendKind, Source};
use embassy_futures::join::join4;
use embassy_futures::select::select;
use embassy_time::{Duration, Ticker, Timer};
use secure_store::{MAX_CERTIFICATES_LEN, StoreError};
use sms_alert::{BUFFER_LEN, Backoff, Client, Connect, FieldError, Host, Outbox, Rules, Sending};

use crate::board::{Board, Network};
use crate::common::Common;
use crate::configuration::{Configuration, StaticAddress};
use crate::console::Command;
use crate::credentials::{BoardSession, Credentials};
use crate::freshness;
use crate::gateway::idle;
use crate::inputs;
use crate::lent::Lent;
use crate::records::OutboxRecords;
use crate::refusal::{BoardRefusal, Refusal};
use crate::sender::{BoardClient, Sender};
use crate::shared::{BoardOutbox, ChipKey, FlashError, Shared, uptime_ms};
use crate::store::BoardStore;
use crate::transport::{Anchors, Transport as _, may_send};

/// Milliseconds that an answer is waited for.
const PATIENCE_MS: u64 = 30_000;

/// Seconds between two questions for the time, after an answer and without one.
const SNTP_SECS: (u64, u64) = (3_600, 60);

/// Milliseconds between two counts of the outbox.
const COUNT_MS: u64 = 50;

/// What of the board's parts serving takes.
pub(crate) struct Means<'a, B: Board> {
    pub connect: B::Connect,
    pub thermometer: B::Thermometer,
    pub network: &'a B::Network,
    pub random: fn() -> u32,
    pub build_secs: u64,
    /// The address that the network was given, or `None` if it gets one by DHCP.
    pub address: Option<StaticAddress>,
}

/// Serves until a restart is asked for, and takes up what is provisioned in between.
pub(crate) async fn run<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    mut means: Means<'_, B>,
) {
    freshness::check(common, store).await;
    loop {
        if let Err(error) = trust::<B>(store, &mut means.connect) {
            common
                .console
                .say(format_args!("no server is trusted: {error}"))
                .await;
        }
        let ended = serve(common, store, &mut means).await;
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

/// What is read from the store before anything is sent.
struct Started<B: Board> {
    configuration: Configuration,
    credentials: Credentials<ChipKey<B>>,
}

impl<B: Board> Started<B> {
    #[inline(never)]
    fn new(
        common: &Common<'_, B>,
        store: &RefCell<BoardStore<B::Flash>>,
        means: &mut Means<'_, B>,
    ) -> Result<Self, BoardRefusal<B>> {
        let clock = start_clock(common, store, means.build_secs)?;
        let configuration = Configuration::load(store).map_err(Refusal::Configuration)?;
        let policy = match configuration.plain_http_test {
            true => Policy::TEST,
            false => Policy::FIELD,
        };
        let credentials = Credentials::load(store, clock, policy, common.chip_keys)
            .map_err(Refusal::Credentials)?;
        let api = credentials.session.api();
        if !matches!(api.send, Some(send) if send.kind == SendKind::HeymarketMessage) {
            return Err(Refusal::NoSms);
        }
        let host = host(&configuration, api.host).map_err(Refusal::Host)?;
        means.connect.use_plain_http(configuration.plain_http_test);
        let secure = means.connect.is_secure();
        may_send(host, secure, configuration.plain_http_test).map_err(Refusal::NoTls)?;
        Ok(Self {
            configuration,
            credentials,
        })
    }
}

/// Returns the clock: the one that runs, or one of what is remembered without power.
fn start_clock<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    build_secs: u64,
) -> Result<Clock, BoardRefusal<B>> {
    let running = common.clock.try_borrow().ok().map(|clock| clock.clone());
    if let Some(clock) = running
        && clock.now(uptime_ms()).is_ok()
    {
        return Ok(clock);
    }
    let mut clock = Clock::new(build_secs, 0);
    if let Ok(mut timekeeper) = common.timekeeper.try_borrow_mut() {
        timekeeper.load(store).map_err(Refusal::Store)?;
        clock = Clock::new(build_secs, timekeeper.floor_secs());
        if let Some(reading) = timekeeper.reading() {
            // A clock that is refused is as good as none; the status says that there is none.
            let _ = clock.set(reading, uptime_ms());
        }
    }
    common.clock.replace(clock.clone());
    Ok(clock)
}

/// Has the way to the server trust the certificates that are provisioned, if there are any.
// Not a part of its caller, whose stack frame would have room for the certificates all the time.
#[inline(never)]
fn trust<B: Board>(
    store: &RefCell<BoardStore<B::Flash>>,
    connect: &mut B::Connect,
) -> Result<(), StoreError<FlashError<B>>> {
    let mut der = [0; MAX_CERTIFICATES_LEN];
    let Ok(mut store) = store.try_borrow_mut() else {
        return Ok(());
    };
    match store.certificates(&mut der) {
        Ok(certificates) => {
            connect.trust(certificates.map_or(Anchors::Own, Anchors::Provisioned));
            Ok(())
        }
        Err(error) => {
            connect.trust(Anchors::Lost);
            Err(error)
        }
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

/// Sends what the inputs raise, until something else is asked for.
async fn serve<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    means: &mut Means<'_, B>,
) -> Result<(), BoardRefusal<B>> {
    let Started {
        configuration,
        credentials: Credentials { session, custody },
    } = Started::new(common, store, means)?;
    if let Some(wifi) = &configuration.wifi {
        means.network.use_wifi(wifi);
    }
    // What is as it was stays untouched: asking by DHCP again would take the address away for a while.
    if means.address != configuration.address {
        means.address = configuration.address;
        means.network.use_address(configuration.address);
    }
    let outbox = open_outbox::<B>(store, &configuration, (means.random)())?;
    let slots = Cell::new(session.slots());
    let shared = Shared::<B> {
        common,
        configuration: &configuration,
        outbox: &outbox,
        network: means.network,
        slots: &slots,
        custody,
        api: session.api().name,
    };
    shared.report().await;

    let mut buffer = [0; BUFFER_LEN];
    let connect = Lent(&mut means.connect);
    let mut sender = Sender {
        client: client::<B>(session, &configuration, connect, means.random, &mut buffer)?,
        store,
    };
    common.serves.set(true);
    let sending = pin!(sender.run(&shared));
    let others = pin!(join4(
        inputs::attend(&shared, &mut means.thermometer),
        ask_time(&shared, means.build_secs),
        obey(&shared),
        count(&shared),
    ));
    select(sending, others).await;
    Ok(())
}

#[inline(never)]
fn open_outbox<'a, B: Board>(
    store: &'a RefCell<BoardStore<B::Flash>>,
    configuration: &Configuration,
    random: u32,
) -> Result<RefCell<BoardOutbox<'a, B::Flash>>, BoardRefusal<B>> {
    let name = configuration.name.clone();
    match Outbox::open(OutboxRecords::new(store), name, Rules::default(), random) {
        Ok(outbox) => Ok(RefCell::new(outbox)),
        Err(error) => Err(Refusal::Outbox(error)),
    }
}

#[inline(never)]
fn client<'a, B: Board>(
    session: BoardSession<ChipKey<B>>,
    configuration: &'a Configuration,
    connect: Lent<'a, B::Connect>,
    random: fn() -> u32,
    buffer: &'a mut [u8],
) -> Result<BoardClient<'a, B>, BoardRefusal<B>> {
    let sending = Sending {
        host: host(configuration, session.api().host).map_err(Refusal::Host)?,
        account: configuration.account(),
        backoff: Backoff::DEFAULT,
        patience_ms: PATIENCE_MS,
    };
    Client::new(
        session,
        sending,
        connect,
        random,
        uptime_ms as fn() -> u64,
        buffer,
    )
    .map_err(Refusal::Host)
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
                shared.common.reading.signal((reading, uptime_ms()));
                rest_secs
            }
            None => {
                shared
                    .common
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
            Command::Alert(text) => drop(inputs::raise(shared, text).await),
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
