//! What is provisioned makes every image from before an old one, wherever the power goes.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use api_standin::{Config, Standin};
use embassy_time::Timer;
use jwt_core::HmacKey;

use crate::board::Bench;
use crate::desk::Desk;
use crate::flash::{Cut, Moment};
use crate::{Provision, live, live_until_cut, shows, until};

const OLD: &str = "older than the chip's counter";

/// Batches whose power is cut that are lived at once.
const THREADS: usize = 24;

/// A sealed board whose counter was raised once, what is provisioned next, and how the flash was before.
struct Batch {
    bench: Bench,
    provision: Provision,
    old: Vec<u8>,
    before: u32,
}

impl Batch {
    fn new() -> Self {
        let (standin, mut bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
        bench.device_key = Some(HmacKey::new(&[0x6b; 32]).unwrap());
        let mut provision = Provision::of(&standin);
        provision.flash_sealed(&bench);
        live(&bench, shows(&bench, "outbox:"));
        let (old, before) = (bench.flash.borrow().clone(), bench.counter.get());
        assert!(before > 0);
        // A record that is there already isn't written.
        provision.recipient = "+14155551235";
        provision.test = 0;
        Self {
            bench,
            provision,
            old,
            before,
        }
    }

    /// Provisions two records and notes how many the board has taken.
    async fn upload(&self, taken: &Cell<usize>) {
        shows(&self.bench, "outbox:").await;
        let mut desk = Desk::new(&self.bench, self.bench.device_key.clone());
        for (key, version, value) in self.provision.records().into_iter().take(2) {
            desk.upload(key, version, &value).await;
            taken.set(taken.get() + 1);
        }
    }

    async fn is_raised(&self) {
        until(&self.bench, "a raised counter", || {
            self.bench.counter.get() > self.before
        })
        .await;
    }

    fn tells_the_old_image(&self) {
        self.bench.screen.borrow_mut().clear();
        self.bench.flash.replace(self.old.clone());
        live(&self.bench, shows(&self.bench, OLD));
    }

    /// Provisions until the power is cut, and starts again.
    fn cut(&self, cut: Cut) {
        let (bench, taken) = (&self.bench, Cell::new(0));
        bench.cut.set(Some(cut));
        let whole = live_until_cut(bench, async {
            self.upload(&taken).await;
            self.is_raised().await;
        });
        assert!(whole.is_none(), "{cut:?} was not reached");
        bench.screen.borrow_mut().clear();
        live(bench, shows(bench, "link:"));
        let screen = bench.screen();
        assert!(!screen.contains("counter"), "{cut:?}: {screen}");
        // The counter wears: a batch takes one step of it.
        let steps = bench.counter.get() - self.before;
        assert!(steps <= 1, "{cut:?}: {steps}");
        if taken.get() > 0 {
            assert_eq!(steps, 1, "{cut:?}");
            self.tells_the_old_image();
        }
    }
}

#[test]
fn a_reset_right_after_a_record_leaves_the_counter_to_be_raised() {
    let batch = Batch::new();
    live(&batch.bench, batch.upload(&Cell::new(0)));
    assert_eq!(batch.bench.counter.get(), batch.before);
    live(&batch.bench, batch.is_raised());
    batch.tells_the_old_image();
}

#[test]
fn a_reset_after_the_counter_has_failed_leaves_it_to_be_raised() {
    let batch = Batch::new();
    batch.bench.stuck.set(true);
    live(&batch.bench, async {
        batch.upload(&Cell::new(0)).await;
        shows(&batch.bench, "the monotonic counter failed").await;
    });
    assert_eq!(batch.bench.counter.get(), batch.before);
    batch.bench.stuck.set(false);
    live(&batch.bench, batch.is_raised());
    batch.tells_the_old_image();
}

#[test]
fn a_counter_that_fails_is_raised_while_nothing_can_be_sent() {
    let mut batch = Batch::new();
    batch.provision.recipient = "nobody";
    batch.bench.stuck.set(true);
    live(&batch.bench, async {
        batch.upload(&Cell::new(0)).await;
        shows(&batch.bench, "the monotonic counter failed").await;
        shows(&batch.bench, "nothing is sent: setting").await;
        batch.bench.stuck.set(false);
        batch.is_raised().await;
    });
    batch.tells_the_old_image();
}

#[test]
fn a_counter_that_can_not_be_read_at_the_start_is_read_later() {
    const UNKNOWN: &str = "whether the store is an old one isn't known";
    for raised in [0, 1] {
        let batch = Batch::new();
        let (bench, count) = (&batch.bench, batch.before + raised);
        bench.counter.set(count);
        bench.unread.set(true);
        bench.screen.borrow_mut().clear();
        live(bench, async {
            shows(bench, UNKNOWN).await;
            shows(bench, "outbox: 0 waiting").await;
            assert!(!bench.screen().contains(OLD), "{}", bench.screen());
            bench.unread.set(false);
            match raised {
                0 => shows(bench, "the store is as new as the chip's counter").await,
                _ => shows(bench, OLD).await,
            }
            bench.screen.borrow_mut().clear();
            bench.type_line("status");
            shows(bench, "outbox: 0 waiting").await;
            assert!(!bench.screen().contains(UNKNOWN), "{}", bench.screen());
            assert_eq!(bench.screen().contains(OLD), raised == 1);
        });
        assert_eq!(bench.counter.get(), count);
    }
}

#[test]
fn what_is_provisioned_while_the_counter_is_silent_raises_it_once_and_hides_nothing() {
    for raised in [0, 1] {
        let batch = Batch::new();
        let (bench, count) = (&batch.bench, batch.before + raised);
        bench.counter.set(count);
        bench.unread.set(true);
        bench.screen.borrow_mut().clear();
        live(bench, async {
            batch.upload(&Cell::new(0)).await;
            shows(bench, "no credential is sent in the clear").await;
            bench.unread.set(false);
            until(bench, "a raised counter", || bench.counter.get() > count).await;
            // Time for another trial.
            Timer::after_secs(11).await;
        });
        assert_eq!(bench.counter.get(), count + 1);
        assert_eq!(bench.screen().contains(OLD), raised == 1);
        bench.screen.borrow_mut().clear();
        live(bench, shows(bench, "link:"));
        assert!(!bench.screen().contains("counter"), "{}", bench.screen());
        batch.tells_the_old_image();
    }
}

#[test]
fn no_cut_in_a_batch_lets_an_image_from_before_it_pass() {
    let batch = Batch::new();
    let first = batch.bench.operations.get();
    live(&batch.bench, async {
        batch.upload(&Cell::new(0)).await;
        batch.is_raised().await;
    });
    assert_eq!(batch.bench.counter.get(), batch.before + 1);
    let operations = batch.bench.operations.get();
    assert!(operations > first + 4, "{first} {operations}");
    let moments = [Moment::Before, Moment::Inside, Moment::After];
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    let (operation, moment) =
                        (first + case / moments.len(), moments[case % moments.len()]);
                    if operation >= operations {
                        return;
                    }
                    Batch::new().cut(Cut { operation, moment });
                }
            });
        }
    });
}
