//! The fault campaign: real sockets, a server that verifies every token and breaks on request, and a
//! device whose power goes at every write.
//!
//! Whatever happens, after it holds for each alert that the outbox has taken in:
//! - it is in the outbox, or the server has its message;
//! - what was reported as delivered is at the server, under the identifier that was reported;
//! - the server has it once, or once more for each time that a doubt was reported and the policy is
//!   [`MaybeSentPolicy::Resend`];
//! - once the server recovers, it is delivered, unless it is held or was rejected.

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use api_standin::{Api, ApiSecret, Config, Fault, Kind, Standin};
use embedded_io::ErrorType;
use sms_alert::{
    Blocking, ClockTrouble, Connect, DeviceName, Host, MaybeSentPolicy, Outbox, OutboxError,
    Reason, Rules, State, Step, Verdict,
};
use support::{Cut, Device, DeviceStep, Flash, NOW, PowerCut, SECRETS, SLOTS};

const HOLD: Rules = Rules {
    maybe_sent: MaybeSentPolicy::Hold,
    when_full: sms_alert::WhenFull::Refuse,
};
const RESEND: Rules = Rules {
    maybe_sent: MaybeSentPolicy::Resend,
    ..HOLD
};

/// How long a device waits for a server that will not answer. A server that will is waited for without
/// hurry, so that no verdict depends on how busy the machine is.
const SHORT: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(60);

struct Tcp {
    address: SocketAddr,
    patience: Duration,
    is_secure: bool,
}

struct Socket(TcpStream);

impl Connect for Tcp {
    type Error = io::Error;
    type Stream<'a> = Blocking<Socket>;

    async fn connect(&mut self, _: Host<'_>) -> io::Result<Blocking<Socket>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        Ok(Blocking(Socket(stream)))
    }

    /// The loopback stands for TLS here, but in the scenario that says otherwise.
    fn is_secure(&self) -> bool {
        self.is_secure
    }
}

impl ErrorType for Socket {
    type Error = io::Error;
}

impl embedded_io::Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut self.0, buf)
    }
}

impl embedded_io::Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.0, buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::Write::flush(&mut self.0)
    }
}

/// What the operator was told of an alert.
#[derive(Debug, Default)]
struct Told {
    delivered: Option<String>,
    doubts: usize,
    /// Whether the last word was a doubt, so that finding it again after a restart is no other one.
    is_open: bool,
}

#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    power_cuts: usize,
    requests: usize,
    alerts: usize,
    delivered: usize,
    held: usize,
    rejected: usize,
    doubts: usize,
    duplicates: usize,
}

/// A server, a device with its flash, and what is known of the alerts.
struct World {
    standin: Standin,
    flash: Flash,
    rules: Rules,
    patience: Duration,
    is_secure: bool,
    /// Alerts that the outbox has confirmed, by `local_id`.
    taken: BTreeMap<String, Told>,
    elapsed_ms: u64,
    power_cuts: usize,
}

impl World {
    fn new(rules: Rules, faults: &[Fault]) -> Self {
        let standin = Standin::start(Config::default()).unwrap();
        standin.change_credentials(|credentials| {
            credentials.heymarket.slots = SECRETS.map(|(id, key)| Some(ApiSecret::new(id, key)));
        });
        for fault in faults {
            standin.inject(fault.clone());
        }
        Self {
            standin,
            flash: Flash::default(),
            rules,
            patience: LONG,
            is_secure: true,
            taken: BTreeMap::new(),
            elapsed_ms: 0,
            power_cuts: 0,
        }
    }

    /// Runs a device from its start until it has nothing to do, has made so many attempts, or loses its
    /// power; then everything but its flash is gone.
    fn live(&mut self, texts: &[&str], attempts: usize) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let result = self.try_live(texts, attempts, &mut verdicts);
        assert_eq!(result.is_err(), self.flash.is_off.get(), "{result:?}");
        if result.is_err() {
            self.power_cuts += 1;
            self.flash.is_off.set(false);
        }
        verdicts
    }

    fn try_live(
        &mut self,
        texts: &[&str],
        attempts: usize,
        verdicts: &mut Vec<Verdict>,
    ) -> Result<(), OutboxError<PowerCut>> {
        let connect = Tcp {
            address: self.standin.address(Api::Heymarket),
            patience: self.patience,
            is_secure: self.is_secure,
        };
        let host = format!("{}", connect.address).leak();
        let started_ms = self.elapsed_ms;
        let unix_secs = NOW + started_ms / 1_000;
        let mut device = Device::start(connect, host, &self.flash, self.rules, unix_secs)?;
        // What a restart finds in doubt is told too, when the outbox is listed.
        for entry in device.entries().iter().filter(|entry| entry.doubtful) {
            let local_id = device.outbox.borrow().local_id(entry.id);
            if let Some(told) = self.taken.get_mut(local_id.as_str()) {
                told.doubts += usize::from(!told.is_open);
                told.is_open = true;
            }
        }
        for text in texts {
            let id = device.push(text)?;
            let local_id = device.outbox.borrow().local_id(id);
            self.taken.insert(local_id.as_str().into(), Told::default());
        }
        loop {
            let uptime_ms = device.uptime_ms.get();
            self.elapsed_ms = started_ms + uptime_ms;
            self.standin.set_now((unix_secs + uptime_ms / 1_000) as i64);
            let step: DeviceStep<io::Error> = device.step()?;
            match step {
                Step::Wait(until_ms) => device.uptime_ms.set(until_ms.max(uptime_ms)),
                Step::Attempt(report) => {
                    let local_id = device.outbox.borrow().local_id(report.id);
                    let told = self.taken.entry(local_id.as_str().into()).or_default();
                    match &report.verdict {
                        Verdict::Delivered { message_id } => {
                            told.delivered = Some(message_id.as_str().into());
                        }
                        Verdict::MaybeSent => told.doubts += 1,
                        _ => {}
                    }
                    told.is_open = report.verdict == Verdict::MaybeSent;
                    verdicts.push(report.verdict);
                    if let Some(error) = report.unsettled {
                        return Err(error);
                    }
                }
                _ => return Ok(()),
            }
            if verdicts.len() >= attempts {
                return Ok(());
            }
        }
    }

    /// Checks what holds at any time.
    fn check(&self) -> Vec<(String, Option<State>, usize)> {
        // Opened from a copy, for an opening writes.
        let copy = Flash::default();
        copy.records
            .borrow_mut()
            .clone_from(&self.flash.records.borrow());
        let device = DeviceName::new("gw-7").unwrap();
        let outbox = Outbox::<_, SLOTS>::open(copy, device, self.rules, 0).unwrap();
        let entries: BTreeMap<String, State> = outbox
            .entries()
            .map(|entry| (outbox.local_id(entry.id).as_str().into(), entry.state))
            .collect();
        let messages = self.standin.messages();
        self.taken
            .iter()
            .map(|(local_id, told)| {
                let arrived: Vec<_> = messages
                    .iter()
                    .filter(|message| message.local_id.as_deref() == Some(local_id))
                    .collect();
                let state = entries.get(local_id).copied();
                assert!(state.is_some() || !arrived.is_empty(), "{local_id} is lost");
                if let Some(id) = &told.delivered {
                    let is_there = arrived.iter().any(|message| message.id.to_string() == *id);
                    assert!(is_there, "{local_id} was reported as {id} and is not there");
                }
                let allowed = match self.rules.maybe_sent {
                    MaybeSentPolicy::Hold => 1,
                    MaybeSentPolicy::Resend => 1 + told.doubts,
                };
                assert!(
                    arrived.len() <= allowed,
                    "{local_id} arrived {} times",
                    arrived.len()
                );
                if let Some(State::Rejected(_)) = state {
                    assert_eq!(arrived.len(), 0, "{local_id} was rejected and arrived");
                }
                (local_id.clone(), state, arrived.len())
            })
            .collect()
    }

    /// Lets the server recover, runs to the end, checks, and adds up.
    fn finish(mut self, counts: &mut Counts) {
        self.check();
        self.standin.clear_faults();
        self.standin.change_credentials(|credentials| {
            credentials.heymarket.slots = SECRETS.map(|(id, key)| Some(ApiSecret::new(id, key)));
        });
        self.flash.restore();
        self.patience = LONG;
        self.live(&[], 100);
        counts.cases += 1;
        counts.power_cuts += self.power_cuts;
        counts.requests += self.standin.log().len();
        for (local_id, state, arrived) in self.check() {
            counts.alerts += 1;
            match state {
                None => counts.delivered += 1,
                Some(State::MaybeSent) => counts.held += 1,
                Some(State::Rejected(_)) => counts.rejected += 1,
                Some(state) => panic!("{local_id} is {state:?} though the server has recovered"),
            }
            counts.duplicates += arrived.saturating_sub(1);
            counts.doubts += self.taken[&local_id].doubts;
        }
    }
}

fn print(name: &str, counts: &Counts) {
    let Counts {
        cases,
        power_cuts,
        requests,
        alerts,
        delivered,
        held,
        rejected,
        doubts,
        duplicates,
    } = counts;
    println!(
        "{name}: {cases} cases, {power_cuts} power cuts, {requests} whole requests, {alerts} alerts: \
         0 lost, {delivered} delivered, {held} held in doubt, {rejected} rejected, \
         {duplicates} duplicates after {doubts} reported doubts"
    );
}

/// Breaks a connection at 0, 1, 2, … bytes until an attempt passes unharmed, and returns how often.
fn at_every_byte(
    rules: Rules,
    counts: &mut Counts,
    kind: impl Fn(usize) -> Kind,
    from: usize,
) -> usize {
    for bytes in from.. {
        let mut world = World::new(rules, &[Fault::next(1, kind(bytes))]);
        let verdicts = world.live(&["Door open", "Door shut"], 100);
        let unharmed = matches!(verdicts.first(), Some(Verdict::Delivered { .. }));
        assert!(
            unharmed
                || matches!(
                    verdicts.first(),
                    Some(Verdict::MaybeSent | Verdict::RetryAt(_))
                )
        );
        world.finish(counts);
        if unharmed {
            return bytes - from;
        }
    }
    unreachable!("no end")
}

#[test]
fn a_break_at_every_byte_of_the_request() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        let dropped = at_every_byte(rules, &mut counts, Kind::DropAfterRequestBytes, 1);
        let reset = at_every_byte(rules, &mut counts, Kind::ResetAfterRequestBytes, 1);
        // The head alone has more.
        assert!(dropped > 300 && reset == dropped, "{dropped} {reset}");
    }
    assert_eq!(counts.duplicates, 0, "the server never had a whole request");
    print("request", &counts);
}

#[test]
fn a_break_at_every_byte_of_the_response() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        at_every_byte(rules, &mut counts, Kind::DropAfterResponseBytes, 0);
        at_every_byte(rules, &mut counts, Kind::ResetAfterResponseBytes, 0);
    }
    assert!(counts.cases > 600, "{counts:?}");
    assert!(counts.held > 0 && counts.duplicates > 0, "{counts:?}");
    print("response", &counts);
}

/// In the head, which has more bytes than these; what follows the message's identifier is not needed.
#[test]
fn a_stall_in_the_response() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        for bytes in (0..160).step_by(8) {
            let stall = Fault::next(1, Kind::StallAfterResponseBytes(bytes));
            let mut world = World::new(rules, &[stall]);
            world.patience = SHORT;
            let verdicts = world.live(&["Door open"], 1);
            assert_eq!(verdicts, [Verdict::MaybeSent], "{bytes}");
            world.finish(&mut counts);
        }
    }
    // Whether the first request was carried out by now is not known, and not told to the device either.
    assert_eq!((counts.held, counts.delivered), (20, 20));
    print("stalls", &counts);
}

type Change = fn(&mut World);

fn revoke(world: &mut World, slots: &[usize]) {
    world.standin.change_credentials(|credentials| {
        for slot in slots {
            credentials.heymarket.slots[*slot] = None;
        }
    });
}

/// Every other fault: what it is, what is changed besides, and the first verdict.
fn scenarios() -> Vec<(&'static str, Vec<Fault>, Change, Verdict)> {
    let delivered = || Verdict::Delivered {
        message_id: heapless::String::new(),
    };
    let server = |rejection| Verdict::Rejected(Reason::Server(rejection));
    let next = |kind| vec![Fault::next(3, kind)];
    let none: Change = |_| {};
    vec![
        ("no fault", vec![], none, delivered()),
        ("chunked", next(Kind::ChunkedBody), none, delivered()),
        (
            "100 Continue",
            next(Kind::OneHundredContinue),
            none,
            delivered(),
        ),
        (
            "oversize body",
            next(Kind::OversizeBody(1_000)),
            none,
            delivered(),
        ),
        (
            "oversize beyond the buffer",
            next(Kind::OversizeBody(5_000)),
            none,
            Verdict::MaybeSent,
        ),
        (
            "two lengths",
            next(Kind::TwoContentLengths),
            none,
            Verdict::MaybeSent,
        ),
        ("garbage", next(Kind::Garbage), none, Verdict::MaybeSent),
        (
            "slow",
            next(Kind::Delay(Duration::from_millis(20))),
            none,
            delivered(),
        ),
        (
            "timeout",
            next(Kind::StallAfterResponseBytes(0)),
            |world| world.patience = SHORT,
            Verdict::MaybeSent,
        ),
        (
            "400",
            next(Kind::Status(400)),
            none,
            server(api_auth::Rejection::Invalid),
        ),
        (
            "401",
            next(Kind::Status(401)),
            none,
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "403",
            next(Kind::Status(403)),
            none,
            server(api_auth::Rejection::Forbidden),
        ),
        (
            "429 with a hint",
            next(Kind::RateLimited {
                retry_after: Some(60),
            }),
            none,
            Verdict::RetryAt(0),
        ),
        (
            "429 without",
            next(Kind::RateLimited { retry_after: None }),
            none,
            Verdict::RetryAt(0),
        ),
        ("500", next(Kind::Status(500)), none, Verdict::RetryAt(0)),
        ("502", next(Kind::Status(502)), none, Verdict::MaybeSent),
        ("503", next(Kind::Status(503)), none, Verdict::RetryAt(0)),
        (
            "Date ahead",
            next(Kind::ClockSkew(3_600)),
            none,
            Verdict::FixClock(ClockTrouble::Corrected),
        ),
        (
            "Date behind",
            next(Kind::ClockSkew(-3_600)),
            none,
            Verdict::FixClock(ClockTrouble::Corrected),
        ),
        (
            "Date a week off",
            next(Kind::ClockSkew(604_800)),
            none,
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "Date ahead, no TLS",
            next(Kind::ClockSkew(3_600)),
            |world| world.is_secure = false,
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "active revoked",
            vec![],
            |world| revoke(world, &[0]),
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "both revoked",
            vec![],
            |world| revoke(world, &[0, 1]),
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
    ]
}

/// Alike but for what differs from run to run.
fn alike(verdict: &Verdict, expected: &Verdict) -> bool {
    match (verdict, expected) {
        (Verdict::Delivered { .. }, Verdict::Delivered { .. }) => true,
        (Verdict::RetryAt(_), Verdict::RetryAt(_)) => true,
        _ => verdict == expected,
    }
}

#[test]
fn every_answer() {
    let mut counts = Counts::default();
    for rules in [HOLD, RESEND] {
        for (name, faults, change, expected) in scenarios() {
            let mut world = World::new(rules, &faults);
            change(&mut world);
            let verdicts = world.live(&["Door open", "Door shut"], 12);
            assert!(alike(&verdicts[0], &expected), "{name}: {verdicts:?}");
            world.finish(&mut counts);
        }
    }
    print("answers", &counts);
}

#[test]
fn a_power_cut_at_every_write() {
    let mut counts = Counts::default();
    let writes = Rc::new(RefCell::new(0));
    for rules in [HOLD, RESEND] {
        for (name, faults, change, _) in scenarios() {
            if name == "timeout" {
                continue;
            }
            for number in 0.. {
                let mut was_cut = false;
                for cut in [Cut::Before(number), Cut::After(number)] {
                    let mut world = World::new(rules, &faults);
                    change(&mut world);
                    world.flash.cut.set(Some(cut));
                    world.live(&["Door open", "Door shut"], 12);
                    world.check();
                    world.live(&[], 12);
                    was_cut |= world.power_cuts > 0;
                    world.finish(&mut counts);
                }
                if !was_cut {
                    *writes.borrow_mut() += number;
                    break;
                }
            }
        }
    }
    assert_eq!(counts.power_cuts, 2 * *writes.borrow() as usize);
    print("power cuts", &counts);
}

#[test]
fn two_power_cuts_at_every_pair_of_writes() {
    let mut counts = Counts::default();
    let faults = [
        Fault::next(1, Kind::DropAfterResponseBytes(30)),
        Fault::next(1, Kind::Status(500)),
    ];
    for rules in [HOLD, RESEND] {
        for (first, second) in (0..12).flat_map(|first| (0..12).map(move |second| (first, second)))
        {
            let mut world = World::new(rules, &faults);
            world.flash.cut.set(Some(Cut::After(first)));
            world.live(&["Door open", "Door shut"], 12);
            world.check();
            world
                .flash
                .cut
                .set(Some(Cut::Before(world.flash.writes.get() + second)));
            world.live(&["Door jammed"], 12);
            world.check();
            world.finish(&mut counts);
        }
    }
    print("pairs of power cuts", &counts);
}
