//! A server that follows a script, and a device that meets it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use embedded_io_async::{ErrorKind, ErrorType};
use sms_alert::{Blocking, Connect, Host, Report, Rules, State, Step};

use super::{Device, DeviceStep, Flash, NOW, PowerCut};

/// What one connection does.
#[derive(Clone, Debug)]
pub enum Script {
    /// It is refused.
    Refuse,
    /// It takes the request, answers with these bytes and closes.
    Answer(String),
    /// It answers these bytes and then says nothing until the reader's patience ends.
    Stall(String),
    /// It breaks after so many bytes of the request.
    BreakAfter(usize),
    /// It answers after so many bytes of the request and takes no more.
    AnswerAfter(usize, String),
}

impl Script {
    pub fn status(status: u16, fields: &str, body: &str) -> Self {
        let length = body.len();
        Self::Answer(format!(
            "HTTP/1.1 {status} X\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    pub fn accepted() -> Self {
        Self::status(
            200,
            "X-Request-Id: a1b2\r\n",
            r#"{"id":99,"date":"2024-04-16T00:00:00Z"}"#,
        )
    }
}

/// A server of scripts, and the requests that it was sent.
#[derive(Clone, Default)]
pub struct Scripted {
    pub scripts: Rc<RefCell<VecDeque<Script>>>,
    pub requests: Rc<RefCell<Vec<String>>>,
}

impl Scripted {
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        let scripted = Self::default();
        scripted.scripts.borrow_mut().extend(scripts);
        scripted
    }
}

pub struct ScriptedStream {
    server: Scripted,
    answer: VecDeque<u8>,
    room: usize,
    stalls: bool,
}

impl Connect for Scripted {
    type Error = ErrorKind;
    type Stream<'a> = Blocking<ScriptedStream>;

    async fn connect(&mut self, _: Host<'_>) -> Result<Self::Stream<'_>, ErrorKind> {
        let script = self
            .scripts
            .borrow_mut()
            .pop_front()
            .unwrap_or(Script::Refuse);
        let (answer, room, stalls) = match script {
            Script::Refuse => return Err(ErrorKind::ConnectionRefused),
            Script::Answer(answer) => (answer, usize::MAX, false),
            Script::Stall(answer) => (answer, usize::MAX, true),
            Script::BreakAfter(room) => (String::new(), room, false),
            Script::AnswerAfter(room, answer) => (answer, room, false),
        };
        self.requests.borrow_mut().push(String::new());
        let answer = answer.into_bytes().into();
        Ok(Blocking(ScriptedStream {
            server: self.clone(),
            answer,
            room,
            stalls,
        }))
    }

    fn is_secure(&self) -> bool {
        true
    }
}

impl ErrorType for ScriptedStream {
    type Error = ErrorKind;
}

impl embedded_io::Read for ScriptedStream {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorKind> {
        match self.answer.pop_front() {
            // One byte at a time, so that nothing depends on how an answer is cut.
            Some(byte) => {
                buf[0] = byte;
                Ok(1)
            }
            None if self.stalls => Err(ErrorKind::TimedOut),
            None => Ok(0),
        }
    }
}

impl embedded_io::Write for ScriptedStream {
    fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
        let length = buf.len().min(self.room);
        if length == 0 {
            return Err(ErrorKind::ConnectionReset);
        }
        self.room -= length;
        let text = std::str::from_utf8(&buf[..length]).unwrap();
        self.server
            .requests
            .borrow_mut()
            .last_mut()
            .unwrap()
            .push_str(text);
        Ok(length)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

pub type Attempt = Report<ErrorKind, std::convert::Infallible, PowerCut>;

/// A new device, and the server that it is to meet.
pub fn device(
    scripts: impl IntoIterator<Item = Script>,
    rules: Rules,
) -> (Device<Scripted>, Scripted) {
    let server = Scripted::new(scripts);
    let device = Device::start(server.clone(), "h", &Flash::default(), rules, NOW).unwrap();
    (device, server)
}

/// Runs until the scripts are used up or nothing is left to do, and returns the attempts made.
pub fn attempts(device: &mut Device<Scripted>, server: &Scripted) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    device
        .run(|step: &DeviceStep<ErrorKind>| {
            if let Step::Attempt(report) = step {
                attempts.push(report.clone());
            }
            server.scripts.borrow().is_empty()
        })
        .unwrap();
    attempts
}

/// What the first attempt of a new device comes to, and where its alert stands then.
pub fn first(script: Script) -> (Attempt, Vec<State>) {
    let (mut device, server) = device([script], Rules::default());
    device.push("Door open").unwrap();
    let mut attempts = attempts(&mut device, &server);
    let states = device.entries().iter().map(|entry| entry.state).collect();
    (attempts.remove(0), states)
}
