//! The power is cut at every operation of the flash, from the first time that a board is provisioned to a delivery.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use device_link::Request;
use embassy_time::Timer;
use jwt_core::HmacKey;

use crate::board::{Bench, now_secs};
use crate::desk::Desk;
use crate::flash::{Cut, Moment};
use crate::{Provision, SECRET_ID, SECRET_KEY, live, live_until_cut, shows, texts, until};
use api_standin::{Config, Standin};

/// Lives that are lived at once; they wait more than they compute.
const THREADS: usize = 24;

/// What one life after a cut, and one without, have come to.
struct Lives {
    kind: Kind,
    bench: Bench,
    standin: Standin,
}

/// What a board is like before it is provisioned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Blank, and without a device key.
    Plain,
    /// Blank, with one.
    Sealed,
    /// With one, and with a store that isn't sealed under it.
    Unsealed,
}

impl Lives {
    fn new(kind: Kind) -> Self {
        let (mut bench, standin) = (Bench::new(), Standin::start(Config::default()).unwrap());
        if kind == Kind::Unsealed {
            let mut other = Provision::of(&standin);
            other.secrets = vec![("another", "0123456789abcdef0123456789abcdef")];
            other.flash(&bench);
        }
        bench.device_key = (kind != Kind::Plain).then(|| HmacKey::new(&[0x6b; 32]).unwrap());
        Self {
            kind,
            bench,
            standin,
        }
    }

    /// Provisions a board that is blank, or half provisioned, or ready; then the door opens.
    async fn script(&self) {
        let bench = &self.bench;
        if bench.device_key.is_none() {
            bench.button.set(true);
            Desk::new(bench, None).until_window().await;
            bench.button.set(false);
        }
        let mut desk = Desk::new(bench, bench.device_key.clone());
        // A floor that isn't known yet doesn't let the clock be set.
        if self.kind != Kind::Unsealed {
            let unix_secs = now_secs();
            desk.done(&Request::SetClock { unix_secs }).await;
        }
        for (key, version, value) in Provision::of(&self.standin).records() {
            desk.upload(key, version, &value).await;
        }
        bench.screen.borrow_mut().clear();
        desk.done(&Request::Reboot).await;
        shows(bench, "outbox:").await;
        bench.door.set(true);
        shows(bench, "delivered: message").await;
        bench.door.set(false);
        // What was held or waits from before is settled too.
        until(bench, "an empty outbox", || {
            !bench.screen().contains("again in")
        })
        .await;
        Timer::after_millis(100).await;
    }

    /// Lives until a cut, and then a whole life; returns what was promised and what came of it.
    fn live(&self, cut: Cut) {
        let (bench, standin) = (&self.bench, &self.standin);
        bench.cut.set(Some(cut));
        let was_cut = live_until_cut(bench, self.script()).is_none();
        assert!(was_cut, "{cut:?} was not reached");
        self.hides_the_secret();
        let before = bench.screen();
        bench.door.set(false);
        bench.button.set(false);
        live(bench, self.script());
        bench.screen.borrow_mut().clear();
        live(bench, shows(bench, "outbox:"));
        let after = bench.screen();
        assert!(!after.contains("counter"), "{cut:?}: {after}");
        let held = after.contains("0 waiting, 1 held, 0 refused, 0 damaged");
        assert!(
            held || after.contains("0 waiting, 0 held, 0 refused, 0 damaged"),
            "{cut:?}: {after}"
        );
        let sent = texts(standin).len();
        let promised = 1 + usize::from(before.contains("waits: Freezer 2: door open"));
        assert!(
            sent + usize::from(held) >= promised,
            "lost at {cut:?}: {before}"
        );
        assert!(sent <= 2, "sent twice at {cut:?}: {before}");
        self.hides_the_secret();
    }

    fn hides_the_secret(&self) {
        let parts = [SECRET_ID.as_bytes(), b"||", SECRET_KEY.as_bytes()];
        let prepared = HmacKey::from_parts(&parts).unwrap().to_prepared();
        let flash = self.bench.flash.borrow();
        let found = |needle: &[u8]| flash.windows(needle.len()).any(|window| window == needle);
        assert!(!found(SECRET_KEY.as_bytes()));
        if self.bench.device_key.is_some() {
            assert!(!found(&prepared[..16]) && !found(&prepared[32..48]));
        }
    }
}

fn campaign(kind: Kind) {
    let lives = Lives::new(kind);
    live(&lives.bench, lives.script());
    assert_eq!(texts(&lives.standin), ["Freezer 2: door open"]);
    let operations = lives.bench.operations.get();
    assert!(operations > 20, "{operations}");
    let moments = [Moment::Before, Moment::Inside, Moment::After];
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    let (operation, moment) = (case / moments.len(), moments[case % moments.len()]);
                    if operation >= operations {
                        return;
                    }
                    Lives::new(kind).live(Cut { operation, moment });
                }
            });
        }
    });
    println!(
        "{} cuts at {operations} operations: nothing lost",
        operations * moments.len()
    );
}

#[test]
fn an_old_image_of_a_sealed_flash_is_told() {
    const OLD: &str = "older than the chip's counter";
    let lives = Lives::new(Kind::Sealed);
    let bench = &lives.bench;
    live(bench, lives.script());
    let old = bench.flash.borrow().clone();
    let before = bench.counter.get();
    live(bench, async {
        let mut desk = Desk::new(bench, bench.device_key.clone());
        let mut provision = Provision::of(&lives.standin);
        provision.test = 0;
        for (key, version, value) in provision.records().into_iter().take(2) {
            desk.upload(key, version, &value).await;
        }
        shows(bench, "nothing is sent: no credential is sent in the clear").await;
    });
    assert!(bench.counter.get() > before);
    assert!(!bench.screen().contains(OLD), "{}", bench.screen());
    bench.screen.borrow_mut().clear();
    live(bench, shows(bench, "nothing is sent"));
    assert!(!bench.screen().contains(OLD), "{}", bench.screen());
    bench.flash.replace(old);
    live(bench, async {
        shows(bench, OLD).await;
        shows(bench, "outbox:").await;
        bench.screen.borrow_mut().clear();
        bench.type_line("status");
        shows(bench, OLD).await;
    });
}

#[test]
fn nothing_is_lost_by_a_cut_while_a_plain_board_is_provisioned_and_sends() {
    campaign(Kind::Plain);
}

#[test]
fn nothing_is_lost_by_a_cut_while_a_sealed_board_is_provisioned_and_sends() {
    campaign(Kind::Sealed);
}

#[test]
fn nothing_is_lost_by_a_cut_while_a_plain_store_gives_way_to_a_sealed_one() {
    campaign(Kind::Unsealed);
}
