//! What serving takes, read from the store: clock, credentials, whom to trust, outbox.

use core::cell::RefCell;

use api_auth::{Clock, Policy, SendKind};
use secure_store::{MAX_CERTIFICATES_LEN, StoreError};
use sms_alert::{Backoff, Client, Connect, FieldError, Host, Outbox, Rules, Sending};

use crate::board::Board;
use crate::common::Common;
use crate::configuration::{Configuration, StaticAddress};
use crate::credentials::Credentials;
use crate::inputs::Heat;
use crate::lent::Lent;
use crate::records::OutboxRecords;
use crate::refusal::{BoardRefusal, Refusal};
use crate::sender::BoardClient;
use crate::shared::{BoardOutbox, ChipKey, FlashError, uptime_ms};
use crate::store::BoardStore;
use crate::transport::{Anchors, Transport as _, may_send};

/// Milliseconds that an answer is waited for.
const PATIENCE_MS: u64 = 30_000;

/// What of the board's parts serving takes.
pub(crate) struct Means<B: Board> {
    pub connect: B::Connect,
    pub thermometer: B::Thermometer,
    pub heat: Heat,
    pub random: fn() -> u32,
    pub build_secs: u64,
    /// The address that the network was given, or `None` if it gets one by DHCP.
    pub address: Option<StaticAddress>,
}

/// Reads what sending takes beside the settings, and has the way to the server keep to it.
#[inline(never)]
pub(crate) fn session<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    means: &mut Means<B>,
    configuration: &Configuration,
    clock: Result<Clock, BoardRefusal<B>>,
    trusted: Trusted<B>,
) -> Result<Credentials<ChipKey<B>>, BoardRefusal<B>> {
    let test = configuration.plain_http_test;
    let policy = match test {
        true => Policy::TEST,
        false => Policy::FIELD,
    };
    let credentials =
        Credentials::load(store, clock?, policy, common.chip_keys).map_err(Refusal::Credentials)?;
    let api = credentials.session.api();
    if !matches!(api.send, Some(send) if send.kind == SendKind::HeymarketMessage) {
        return Err(Refusal::NoSms);
    }
    let host = host(configuration, api.host).map_err(Refusal::Host)?;
    means.connect.use_plain_http(test);
    let secure = means.connect.is_secure();
    may_send(host, secure, test).map_err(Refusal::NoTls)?;
    match trusted {
        Err(error) if secure => Err(Refusal::Trust(error)),
        _ => Ok(credentials),
    }
}

/// Returns the clock: the one that runs, or one of what is remembered without power.
///
/// One that ran before that was known had no floor, and is none.
pub(crate) fn start_clock<B: Board>(
    common: &Common<'_, B>,
    store: &RefCell<BoardStore<B::Flash>>,
    build_secs: u64,
) -> Result<Clock, BoardRefusal<B>> {
    let mut clock = Clock::new(build_secs, 0);
    if let Ok(mut timekeeper) = common.timekeeper.try_borrow_mut() {
        if timekeeper.is_loaded()
            && let Ok(running) = common.clock.try_borrow()
            && running.now(uptime_ms()).is_ok()
        {
            return Ok(running.clone());
        }
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

/// Whether the certificates that were provisioned can be read.
type Trusted<B> = Result<(), StoreError<FlashError<B>>>;

/// Has the way to the server trust the certificates that are provisioned, if there are any.
// Not a part of its caller, nor of what reads the credentials: a stack frame has room for the certificates.
#[inline(never)]
pub(crate) fn trust<B: Board>(
    store: &RefCell<BoardStore<B::Flash>>,
    connect: &mut B::Connect,
) -> Trusted<B> {
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

/// Opens the outbox in the store.
#[inline(never)]
pub(crate) fn open_outbox<'a, B: Board>(
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

/// Makes what sends of a session, or returns why there is none.
#[inline(never)]
pub(crate) fn client<'a, B: Board>(
    credentials: Result<Credentials<ChipKey<B>>, BoardRefusal<B>>,
    configuration: &'a Configuration,
    connect: Lent<'a, B::Connect>,
    random: fn() -> u32,
    buffer: &'a mut [u8],
) -> Result<BoardClient<'a, B>, BoardRefusal<B>> {
    let session = credentials?.session;
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
