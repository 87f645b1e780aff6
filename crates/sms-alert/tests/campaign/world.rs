//! A server, a device with its flash, and what is known of the alerts between them.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::{Device, DeviceStep, Flash, NOW, PowerCut, SECRETS, SLOTS};
use api_standin::{Api, ApiSecret, Config, Fault, Standin};
use embedded_io::ErrorType;
use sms_alert::{
    Blocking, Connect, DeviceName, Host, MaybeSentPolicy, Outbox, OutboxError, Rules, State, Step,
    Verdict,
};

pub const HOLD: Rules = Rules {
    maybe_sent: MaybeSentPolicy::Hold,
    when_full: sms_alert::WhenFull::Refuse,
};
pub const RESEND: Rules = Rules {
    maybe_sent: MaybeSentPolicy::Resend,
    ..HOLD
};

/// How long a device waits for a server that will not answer. A server that will is waited for without
/// hurry, so that no verdict depends on how busy the machine is.
pub const SHORT: Duration = Duration::from_millis(30);
pub const LONG: Duration = Duration::from_secs(60);

pub struct Tcp {
    address: SocketAddr,
    patience: Duration,
    is_secure: bool,
}

pub struct Socket(TcpStream);

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
pub struct Told {
    pub delivered: Option<String>,
    pub doubts: usize,
    /// Whether the last word was a doubt, so that finding it again after a restart is no other one.
    pub is_open: bool,
}

#[derive(Debug, Default)]
pub struct Counts {
    pub cases: usize,
    pub power_cuts: usize,
    pub requests: usize,
    pub alerts: usize,
    pub delivered: usize,
    pub held: usize,
    pub rejected: usize,
    pub doubts: usize,
    pub duplicates: usize,
}

/// A server, a device with its flash, and what is known of the alerts.
pub struct World {
    pub standin: Standin,
    pub flash: Flash,
    pub rules: Rules,
    pub patience: Duration,
    pub is_secure: bool,
    /// Alerts that the outbox has confirmed, by `local_id`.
    pub taken: BTreeMap<String, Told>,
    pub elapsed_ms: u64,
    pub power_cuts: usize,
}

impl World {
    pub fn new(rules: Rules, faults: &[Fault]) -> Self {
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
    pub fn live(&mut self, texts: &[&str], attempts: usize) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let result = self.try_live(texts, attempts, &mut verdicts);
        assert_eq!(result.is_err(), self.flash.is_off.get(), "{result:?}");
        if result.is_err() {
            self.power_cuts += 1;
            self.flash.is_off.set(false);
        }
        verdicts
    }

    pub fn try_live(
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
    pub fn check(&self) -> Vec<(String, Option<State>, usize)> {
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
    pub fn finish(mut self, counts: &mut Counts) {
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

pub fn print(name: &str, counts: &Counts) {
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
