//! The desktop's side: one request at a time, sent again until it is answered.

use jwt_core::{HmacKey, MacEngine};
use zeroize::Zeroize;

use crate::bytes::Payload;
use crate::frame::{Header, Kind, Outgoing};
use crate::hello::{Hello, VERSION, Welcome};
use crate::keys::{NONCE_LEN, Nonces, SessionKeys};
use crate::line::{Heard, Line};
use crate::link_error::LinkError;
use crate::message::{Reply, Request};
use crate::refusal::Refusal;

/// Milliseconds after which what was not answered is sent again.
const RETRY_MS: u64 = 700;

/// How often a frame is sent before the session is taken for lost.
const TRIES: u8 = 10;

/// How many sessions a request is tried in.
const SESSIONS: u8 = 3;

/// What entitles the desktop to write.
pub enum Authority {
    /// Nothing: it only asks how the device is.
    None,
    /// The cable and the window that somebody opens at the device: records go over the line as they are.
    Window,
    /// The device key: the device has to prove that it has it, and everything is encrypted under it.
    Key(HmacKey),
}

/// What a byte, or the passing of time, has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'l> {
    /// Nothing yet.
    Nothing,
    /// The byte is from the device's console.
    Text(u8),
    /// These bytes are to be sent.
    Transmit(&'l [u8]),
    /// The request is answered; the next can be sent.
    Reply(Result<Reply<'l>, Refusal>),
    /// The request has failed; it may have been carried out, and can be sent again.
    Failed(LinkError),
}

/// The desktop's side of a line.
pub struct DesktopLink {
    line: Line,
    authority: Authority,
    /// What the nonces come from.
    seed: HmacKey,
    hellos: u32,
    session: Option<Session>,
    waiting: Option<Waiting>,
    /// The request as it is, to be sent in another session if this one is lost.
    request: Payload,
    outgoing: Outgoing,
    payload: Payload,
    sent_ms: u64,
    tries: u8,
    sessions: u8,
}

struct Session {
    tag: u32,
    keys: Option<SessionKeys>,
    /// The number of the last request.
    last: u32,
}

/// What the last frame that was sent is.
#[derive(Clone, Copy)]
enum Waiting {
    Welcome { number: u32, hello: Hello },
    Reply,
}

impl DesktopLink {
    /// Returns a link without a session; `seed` is 32 random bytes of its own.
    pub fn new(authority: Authority, seed: HmacKey) -> Self {
        Self {
            line: Line::new(),
            authority,
            seed,
            hellos: 0,
            session: None,
            waiting: None,
            request: Payload::new(),
            outgoing: Outgoing::new(),
            payload: Payload::new(),
            sent_ms: 0,
            tries: 0,
            sessions: 0,
        }
    }

    /// Takes a request, in place of one that is not answered yet, and returns the bytes to send at `now_ms`.
    ///
    /// # Errors
    /// [`LinkError::NoAuthority`] if more is asked than how the device is, and nothing entitles to it;
    /// [`LinkError::TooLong`].
    pub fn send(&mut self, request: &Request<'_>, now_ms: u64) -> Result<&[u8], LinkError> {
        if matches!(self.authority, Authority::None) && *request != Request::Status {
            return Err(LinkError::NoAuthority);
        }
        self.forget();
        request
            .encode(&mut self.request)
            .ok_or(LinkError::TooLong)?;
        self.sessions = 1;
        self.start(now_ms).ok_or(LinkError::TooLong)?;
        Ok(self.outgoing.bytes())
    }

    /// Takes a byte that came at `now_ms`.
    pub fn receive(&mut self, byte: u8, now_ms: u64) -> Event<'_> {
        match self.line.receive(byte, now_ms) {
            Heard::Nothing => return Event::Nothing,
            Heard::Text(byte) => return Event::Text(byte),
            Heard::Frame => {}
        }
        let outcome = self.frame(now_ms);
        self.line.reset();
        match outcome {
            Outcome::Ignored => Event::Nothing,
            Outcome::Transmit => Event::Transmit(self.outgoing.bytes()),
            Outcome::Failed(error) => {
                self.forget();
                Event::Failed(error)
            }
            Outcome::Reply => {
                let request = Request::decode(&self.request);
                let reply = request.and_then(|request| request.reply(&self.payload));
                self.waiting = None;
                self.request.as_mut_slice().zeroize();
                self.request.clear();
                self.outgoing.clear();
                match reply {
                    Some(reply) => Event::Reply(reply),
                    None => Event::Failed(LinkError::Strange),
                }
            }
        }
    }

    /// Sends again what was not answered; call it a few times a second.
    pub fn tick(&mut self, now_ms: u64) -> Event<'_> {
        let Some(waiting) = self.waiting else {
            return Event::Nothing;
        };
        if now_ms.saturating_sub(self.sent_ms) < RETRY_MS {
            return Event::Nothing;
        }
        if self.tries < TRIES {
            self.tries = self.tries.saturating_add(1);
            self.sent_ms = now_ms;
            return Event::Transmit(self.outgoing.bytes());
        }
        match waiting {
            Waiting::Reply if self.again(now_ms) => Event::Transmit(self.outgoing.bytes()),
            Waiting::Reply | Waiting::Welcome { .. } => {
                self.forget();
                self.session = None;
                Event::Failed(LinkError::NoAnswer)
            }
        }
    }

    /// Sends the request, or a hello before it if there is no session.
    fn start(&mut self, now_ms: u64) -> Option<()> {
        self.sent_ms = now_ms;
        self.tries = 1;
        let Some(session) = &mut self.session else {
            return self.hello();
        };
        session.last = session.last.checked_add(1)?;
        let sealed = session.keys.is_some();
        let header = Header {
            kind: match sealed {
                true => Kind::SealedRequest,
                false => Kind::Request,
            },
            session: session.tag,
            number: session.last,
        };
        self.payload.clear();
        self.payload.extend_from_slice(&self.request).ok()?;
        if let Some(keys) = &session.keys {
            keys.seal(header, &mut self.payload)?;
        }
        self.waiting = Some(Waiting::Reply);
        let set = self.outgoing.set(header, &self.payload);
        self.payload.as_mut_slice().zeroize();
        set
    }

    fn hello(&mut self) -> Option<()> {
        self.hellos = self.hellos.checked_add(1)?;
        let Ok(random) = self.seed.mac(&self.hellos.to_le_bytes());
        let (nonce, rest) = random.split_first_chunk::<NONCE_LEN>()?;
        let number = u32::from_le_bytes(*rest.first_chunk()?);
        let hello = Hello {
            lowest: VERSION,
            highest: VERSION,
            nonce: *nonce,
        };
        hello.encode(&mut self.payload)?;
        let header = Header {
            kind: Kind::Hello,
            session: 0,
            number,
        };
        self.waiting = Some(Waiting::Welcome { number, hello });
        self.outgoing.set(header, &self.payload)
    }

    /// Sends the request in a new session, if it has not been tried in enough of them.
    fn again(&mut self, now_ms: u64) -> bool {
        self.session = None;
        self.sessions = self.sessions.saturating_add(1);
        self.sessions <= SESSIONS && self.start(now_ms).is_some()
    }

    fn frame(&mut self, now_ms: u64) -> Outcome {
        let Some(waiting) = self.waiting else {
            return Outcome::Ignored;
        };
        let Some((header, payload)) = self.line.frame() else {
            return Outcome::Ignored;
        };
        match waiting {
            Waiting::Welcome { number, hello } if header.number == number => match header.kind {
                Kind::Welcome => match Welcome::decode(payload) {
                    Some(welcome) => self.welcomed(hello, welcome, now_ms),
                    None => Outcome::Failed(LinkError::Strange),
                },
                Kind::Reply => Outcome::Failed(match payload {
                    [code, ..] => LinkError::Refused(Refusal::of(*code)),
                    [] => LinkError::Strange,
                }),
                _ => Outcome::Ignored,
            },
            Waiting::Welcome { .. } => Outcome::Ignored,
            Waiting::Reply => self.replied(header.kind, now_ms),
        }
    }

    fn welcomed(&mut self, hello: Hello, welcome: Welcome, now_ms: u64) -> Outcome {
        let (version, device, proof) = match welcome {
            Welcome::Strange { lowest, highest } => {
                return Outcome::Failed(LinkError::Version { lowest, highest });
            }
            Welcome::Open {
                version,
                nonce,
                proof,
            } => (version, nonce, proof),
        };
        if version != VERSION {
            return Outcome::Failed(LinkError::Strange);
        }
        let nonces = Nonces {
            desktop: hello.nonce,
            device,
            versions: [hello.lowest, hello.highest, version],
        };
        let keys = match (&self.authority, proof) {
            (Authority::None, _) | (Authority::Window, None) => None,
            // What is meant for a window would be sent to a device that wants a key, and has refused it then.
            (Authority::Window, Some(_)) => {
                return Outcome::Failed(LinkError::Refused(Refusal::KeyRequired));
            }
            (Authority::Key(_), None) => return Outcome::Failed(LinkError::NoDeviceKey),
            (Authority::Key(key), Some(proof)) => {
                // The proof is public, so how long the comparison takes tells nothing.
                if nonces.proof(&mut &*key) != Some(proof) {
                    return Outcome::Failed(LinkError::WrongKey);
                }
                match nonces.keys(&mut &*key) {
                    Some(keys) => Some(keys),
                    None => return Outcome::Failed(LinkError::Strange),
                }
            }
        };
        self.session = Some(Session {
            tag: nonces.session(),
            keys,
            last: 0,
        });
        match self.start(now_ms) {
            Some(()) => Outcome::Transmit,
            None => Outcome::Failed(LinkError::TooLong),
        }
    }

    fn replied(&mut self, kind: Kind, now_ms: u64) -> Outcome {
        let (Some(session), Some((header, payload))) = (&self.session, self.line.frame()) else {
            return Outcome::Ignored;
        };
        if header.session != session.tag || header.number != session.last {
            return Outcome::Ignored;
        }
        // Not encrypted even where the session is, so anybody's word: it costs a new session and nothing else.
        if kind == Kind::Reply && *payload == [Refusal::NoSession as u8] {
            return match self.again(now_ms) {
                true => Outcome::Transmit,
                false => Outcome::Ignored,
            };
        }
        let text = match (kind, &session.keys) {
            (Kind::SealedReply, Some(keys)) => keys.open(header, payload),
            (Kind::Reply, None) => Some(&*payload),
            _ => None,
        };
        let Some(text) = text else {
            return Outcome::Ignored;
        };
        self.payload.clear();
        match self.payload.extend_from_slice(text) {
            Ok(()) => Outcome::Reply,
            Err(_) => Outcome::Failed(LinkError::Strange),
        }
    }

    /// Forgets the request, which may have a secret in it.
    fn forget(&mut self) {
        self.waiting = None;
        self.request.as_mut_slice().zeroize();
        self.request.clear();
        self.outgoing.clear();
    }
}

impl Drop for DesktopLink {
    fn drop(&mut self) {
        self.forget();
    }
}

enum Outcome {
    Ignored,
    Transmit,
    Reply,
    Failed(LinkError),
}
