//! The device's side: bytes come in, text and replies come out, and records are written.

use jwt_core::MacEngine;
use secure_store::Key;
use zeroize::Zeroize;

use crate::bytes::Payload;
use crate::frame::{Header, Kind, Outgoing};
use crate::hello::{Hello, PROOF_LEN, VERSION, Welcome};
use crate::keys::{NONCE_LEN, Nonces, SessionKeys};
use crate::line::{Heard, Line};
use crate::message::{Reply, Request, encode_reply};
use crate::refusal::Refusal;
use crate::status::{Access, Status};
use crate::transfer::Arriving;
use crate::writing;

/// Seconds for which a button opens the provisioning window.
pub const WINDOW_SECS: u16 = 120;

/// Milliseconds without a frame after which a session ends and what has arrived of a record is forgotten.
const IDLE_MS: u64 = 120_000;

/// What the link needs of a device; firmware implements it.
///
/// The link decides who may write what; the device only carries it out. What is written takes effect when
/// the call returns: the device itself watches for new settings, credentials and rotation states.
pub trait Device {
    /// Returns the key that only this device and its owner's desktop have, or `None` if the chip holds none.
    fn device_key(&mut self) -> Option<impl MacEngine>;

    /// Returns random bytes that never come twice, or `None` if the source of randomness has failed.
    fn nonce(&mut self) -> Option<[u8; NONCE_LEN]>;

    /// Returns the seconds until the provisioning window closes, 0 if it is closed.
    ///
    /// Nothing but a physical action at the device, such as a button, opens it, for [`WINDOW_SECS`].
    fn window_secs_left(&mut self) -> u16;

    /// Returns how the device is; what it says of [`access`](Status::access) is replaced by the link's rule.
    fn status(&mut self) -> Status<'_>;

    /// Takes over the time and sets the clock chip, if there is one.
    ///
    /// # Errors
    /// [`Refusal::Implausible`] or [`Refusal::Hardware`].
    fn set_clock(&mut self, unix_secs: u64) -> Result<(), Refusal>;

    /// Reads a record into `out`; returns its version and length, or `None` if there is none.
    ///
    /// # Errors
    /// [`Refusal::Hardware`].
    fn get(&mut self, key: Key, out: &mut [u8]) -> Result<Option<(u8, usize)>, Refusal>;

    /// Writes a record; it is durable on return.
    ///
    /// # Errors
    /// What [`Refusal`] makes of the store's error.
    fn put(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal>;

    /// Removes a record, so that no byte of it is left in the flash.
    ///
    /// # Errors
    /// [`Refusal::Hardware`].
    fn remove(&mut self, key: Key) -> Result<(), Refusal>;
}

/// What a received byte has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'l> {
    /// Nothing yet, or nothing that needs an answer.
    Nothing,
    /// The byte is a person's at the console.
    Text(u8),
    /// These bytes are to be sent, in one piece: no text in between.
    Reply(&'l [u8]),
    /// These bytes are to be sent, and then the device starts again.
    Reboot(&'l [u8]),
}

/// The device's side of a line, about 2.5 KB.
pub struct DeviceLink {
    line: Line,
    session: Option<Session>,
    arriving: Arriving,
    /// The last reply, in case it was lost.
    reply: Outgoing,
    payload: Payload,
    used_ms: u64,
}

struct Session {
    tag: u32,
    keys: Option<SessionKeys>,
    /// What opened it.
    hello: (u32, Hello),
    /// The number of the last request, 0 before the first.
    last: u32,
    /// Whether the last request was a sealed one; nothing but such is heard from then on.
    sealed: bool,
}

impl Default for DeviceLink {
    fn default() -> Self {
        Self::new()
    }
}

impl DeviceLink {
    /// Returns a link without a session.
    pub const fn new() -> Self {
        Self {
            line: Line::new(),
            session: None,
            arriving: Arriving::new(),
            reply: Outgoing::new(),
            payload: Payload::new(),
            used_ms: 0,
        }
    }

    /// Takes a byte that came at `now_ms`, milliseconds of uptime.
    pub fn receive(&mut self, byte: u8, now_ms: u64, device: &mut impl Device) -> Received<'_> {
        self.tick(now_ms);
        match self.line.receive(byte, now_ms) {
            Heard::Nothing => return Received::Nothing,
            Heard::Text(byte) => return Received::Text(byte),
            Heard::Frame => {}
        }
        let answer = self.answer(device);
        self.line.reset();
        self.payload.as_mut_slice().zeroize();
        self.payload.clear();
        match answer {
            None => Received::Nothing,
            Some(after) => {
                self.used_ms = now_ms;
                match after {
                    After::GoOn => Received::Reply(self.reply.bytes()),
                    After::Reboot => Received::Reboot(self.reply.bytes()),
                }
            }
        }
    }

    /// Ends what has been idle for two minutes; call it now and then.
    pub fn tick(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.used_ms) > IDLE_MS {
            self.session = None;
            self.arriving.forget();
            self.reply.clear();
        }
    }

    /// Answers the frame that has arrived, if it is in order and calls for an answer, which is then in `reply`.
    fn answer(&mut self, device: &mut impl Device) -> Option<After> {
        let (header, payload) = self.line.frame()?;
        match header.kind {
            Kind::Hello => {
                let hello = Hello::decode(payload)?;
                self.welcome(header, hello, device).map(|()| After::GoOn)
            }
            Kind::Request | Kind::SealedRequest => self.request(device),
            Kind::Welcome | Kind::Reply | Kind::SealedReply => None,
        }
    }

    fn welcome(&mut self, header: Header, hello: Hello, device: &mut impl Device) -> Option<()> {
        let again = Some((header.number, hello));
        let same = |session: &Session| Some(session.hello) == again && session.last == 0;
        if self.session.as_ref().is_some_and(same) {
            return Some(());
        }
        // Its last reply goes in any case, so it can't go on where no other is opened either.
        self.session = None;
        let header = Header {
            kind: Kind::Welcome,
            ..header
        };
        let Some(version) = hello.version() else {
            let strange = Welcome::Strange {
                lowest: VERSION,
                highest: VERSION,
            };
            strange.encode(&mut self.payload)?;
            return self.reply.set(header, &self.payload);
        };
        let Some((nonces, proof, keys)) = open(&hello, version, device) else {
            encode_reply(&Err(Refusal::Hardware), &mut self.payload)?;
            let kind = Kind::Reply;
            return self.reply.set(Header { kind, ..header }, &self.payload);
        };
        self.session = Some(Session {
            tag: nonces.session(),
            keys,
            hello: (header.number, hello),
            last: 0,
            sealed: false,
        });
        let welcome = Welcome::Open {
            version,
            nonce: nonces.device,
            proof,
        };
        welcome.encode(&mut self.payload)?;
        self.reply.set(header, &self.payload)
    }

    fn request(&mut self, device: &mut impl Device) -> Option<After> {
        let (header, payload) = self.line.frame()?;
        let sealed = header.kind == Kind::SealedRequest;
        let reply_header = Header {
            kind: match sealed {
                true => Kind::SealedReply,
                false => Kind::Reply,
            },
            ..header
        };
        let Some(session) = &mut self.session else {
            encode_reply(&Err(Refusal::NoSession), &mut self.payload)?;
            let kind = Kind::Reply;
            let header = Header {
                kind,
                ..reply_header
            };
            return self.reply.set(header, &self.payload).map(|()| After::GoOn);
        };
        if header.session != session.tag || (session.sealed && !sealed) {
            return None;
        }
        if header.number == session.last && session.last != 0 {
            return Some(After::GoOn);
        }
        if session.last.checked_add(1) != Some(header.number) {
            return None;
        }
        let keys = session.keys.as_ref().filter(|_| sealed);
        let text = match (sealed, keys) {
            (true, Some(keys)) => keys.open(header, payload)?,
            (true, None) => return None,
            (false, _) => &*payload,
        };
        session.last = header.number;
        session.sealed = sealed;

        let access = access(device);
        let allowed = match access {
            _ if sealed => Ok(()),
            Access::Window { .. } => Ok(()),
            Access::Key => Err(Refusal::KeyRequired),
            Access::Closed => Err(Refusal::WindowClosed),
        };
        let request = Request::decode(text);
        let reply = match (request, allowed) {
            (None, _) => Err(Refusal::Unknown),
            (Some(Request::Status), _) => Ok(Reply::Status(Status {
                access,
                ..device.status()
            })),
            (Some(_), Err(refusal)) => Err(refusal),
            (Some(request), Ok(())) => carry_out(request, &mut self.arriving, device),
        };
        let reboots = request == Some(Request::Reboot) && reply.is_ok();
        encode_reply(&reply, &mut self.payload)?;
        if let Some(keys) = keys {
            keys.seal(reply_header, &mut self.payload)?;
        }
        self.reply.set(reply_header, &self.payload)?;
        Some(match reboots {
            true => After::Reboot,
            false => After::GoOn,
        })
    }
}

enum After {
    GoOn,
    Reboot,
}

type Opening = (Nonces, Option<[u8; PROOF_LEN]>, Option<SessionKeys>);

/// Draws the device's nonce and uses its key, if there is one.
fn open(hello: &Hello, version: u8, device: &mut impl Device) -> Option<Opening> {
    let nonces = Nonces {
        desktop: hello.nonce,
        device: device.nonce()?,
        versions: [hello.lowest, hello.highest, version],
    };
    let Some(mut key) = device.device_key() else {
        return Some((nonces, None, None));
    };
    let proof = nonces.proof(&mut key)?;
    let keys = nonces.keys(&mut key)?;
    Some((nonces, Some(proof), Some(keys)))
}

fn access(device: &mut impl Device) -> Access {
    if device.device_key().is_some() {
        return Access::Key;
    }
    match device.window_secs_left() {
        0 => Access::Closed,
        secs_left => Access::Window { secs_left },
    }
}

fn carry_out<'d>(
    request: Request<'_>,
    arriving: &mut Arriving,
    device: &'d mut impl Device,
) -> Result<Reply<'d>, Refusal> {
    match request {
        Request::Status => Err(Refusal::Unknown),
        Request::SetClock { unix_secs } => device.set_clock(unix_secs).map(|()| Reply::Done),
        Request::Begin(announced) => {
            writing::check_name(announced.key, announced.version)?;
            arriving.begin(announced).map(Reply::Received)
        }
        Request::Data { offset, bytes } => arriving.take(offset, bytes).map(Reply::Received),
        Request::Commit => {
            let stored = match arriving.complete() {
                Ok((record, value)) => writing::store(record.key, record.version, value, device),
                // More of it may be on its way.
                Err(Refusal::NoTransfer) => return Err(Refusal::NoTransfer),
                Err(refusal) => Err(refusal),
            };
            arriving.forget();
            stored.map(|unchanged| Reply::Stored { unchanged })
        }
        Request::Verified(slot) => writing::verified(slot, device).map(Reply::Slots),
        Request::Promote(slot) => writing::promote(slot, device).map(Reply::Slots),
        Request::Retire(slot) => writing::retire(slot, device).map(Reply::Slots),
        Request::Reboot => Ok(Reply::Done),
    }
}
