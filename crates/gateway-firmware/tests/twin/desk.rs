//! A desktop at the other end of the console, in the same thread: what `gateway device` does.

use device_link::{
    Access, Authority, DesktopLink, Event, LinkError, Refusal, Reply, Request, Upload,
};
use embassy_time::{Duration, Instant, Timer};
use jwt_core::HmacKey;
use secure_store::Key;

use crate::board::Bench;

/// How long a request may take, over all repetitions.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Desk<'b> {
    bench: &'b Bench,
    link: DesktopLink,
}

impl<'b> Desk<'b> {
    /// Sits down with the device key, or at the window.
    pub fn new(bench: &'b Bench, key: Option<HmacKey>) -> Self {
        let authority = key.map_or(Authority::Window, Authority::Key);
        let mut seed = [0; 32];
        (seed[0], seed[1]) = (0x5e, bench.operations.get() as u8);
        let seed = HmacKey::new(&seed).unwrap();
        Self {
            bench,
            link: DesktopLink::new(authority, seed),
        }
    }

    /// Asks until there is an answer, and returns what `take` makes of it.
    pub async fn ask<T>(
        &mut self,
        request: &Request<'_>,
        take: impl FnOnce(Result<Reply<'_>, Refusal>) -> T,
    ) -> T {
        let begun = Instant::now();
        let send = |bytes: &[u8]| self.bench.keys.borrow_mut().extend(bytes);
        self.bench.said.borrow_mut().clear();
        send(self.link.send(request, begun.as_millis()).unwrap());
        loop {
            let now_ms = Instant::now().as_millis();
            let said = self.bench.hear();
            let event = match said {
                Some(byte) => self.link.receive(byte, now_ms),
                None => self.link.tick(now_ms),
            };
            match event {
                Event::Transmit(bytes) => send(bytes),
                Event::Reply(reply) => return take(reply),
                Event::Failed(error) => panic!("{error}\n{}", self.bench.screen()),
                Event::Nothing | Event::Text(_) => {}
            }
            if said.is_none() {
                assert!(begun.elapsed() < PATIENCE, "{}", self.bench.screen());
                Timer::after_millis(2).await;
            }
        }
    }

    /// Asks for something that the board does only for who has its key.
    pub async fn is_turned_away(&mut self, request: &Request<'_>) {
        self.bench.said.borrow_mut().clear();
        let now_ms = Instant::now().as_millis();
        let bytes = self.link.send(request, now_ms).unwrap();
        self.bench.keys.borrow_mut().extend(bytes);
        loop {
            let Some(byte) = self.bench.hear() else {
                Timer::after_millis(2).await;
                continue;
            };
            match self.link.receive(byte, Instant::now().as_millis()) {
                Event::Failed(LinkError::Refused(Refusal::KeyRequired))
                | Event::Reply(Err(Refusal::KeyRequired)) => return,
                Event::Failed(error) => panic!("{error}"),
                Event::Transmit(bytes) => self.bench.keys.borrow_mut().extend(bytes),
                Event::Reply(reply) => panic!("{reply:?}"),
                _ => {}
            }
        }
    }

    /// Waits until the window is open.
    pub async fn until_window(&mut self) {
        let open = |reply: Result<Reply<'_>, Refusal>| match reply {
            Ok(Reply::Status(status)) => matches!(status.access, Access::Window { .. }),
            _ => false,
        };
        while !self.ask(&Request::Status, open).await {
            Timer::after_millis(5).await;
        }
    }

    /// Has something done that is not refused.
    pub async fn done(&mut self, request: &Request<'_>) {
        self.ask(request, |reply| assert!(reply.is_ok(), "{reply:?}"))
            .await;
    }

    /// Sends a record that is not refused.
    pub async fn upload(&mut self, key: Key, version: u8, value: &[u8]) {
        self.offer(key, version, value).await.unwrap();
    }

    /// Sends a record, or returns why it is refused.
    pub async fn offer(&mut self, key: Key, version: u8, value: &[u8]) -> Result<(), Refusal> {
        let mut upload = Upload::new(key, version, value).unwrap();
        while let Some(request) = upload.next() {
            self.ask(&request, |reply| upload.answered(reply)).await?;
        }
        Ok(())
    }
}
