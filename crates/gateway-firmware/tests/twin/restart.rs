//! What is done before a board starts again that was asked to.

use api_standin::{Config, Standin};
use device_link::Request;
use embassy_time::Timer;
use jwt_core::HmacKey;

use crate::board::Bench;
use crate::desk::Desk;
use crate::{Provision, live, shows, until};

const STARTED: &str = "gateway 0.1.0, started";

async fn shows_starts(bench: &Bench, count: usize) {
    until(bench, "starts", || {
        bench.screen().matches(STARTED).count() == count
    })
    .await;
}

#[test]
fn the_answer_to_who_asks_for_a_restart_leaves_the_board() {
    let bench = Bench::new();
    live(&bench, async {
        shows(&bench, "nothing is sent").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        // A desktop that hears nothing asks again, and the board would start again for that.
        desk.done(&Request::Reboot).await;
        shows_starts(&bench, 2).await;
        Timer::after_millis(300).await;
        shows_starts(&bench, 2).await;
    });
}

/// Provisions a sealed board whose counter can't be raised, has it raised by `then`, and shows it an image from before.
fn a_counter_that_is_stuck(then: impl AsyncFn(&Bench, &mut Desk<'_>)) {
    let (standin, mut bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    bench.device_key = Some(HmacKey::new(&[0x6b; 32]).unwrap());
    let mut provision = Provision::of(&standin);
    provision.flash_sealed(&bench);
    // The first life anchors the store.
    live(&bench, shows(&bench, "outbox:"));
    let old = bench.flash.borrow().clone();
    let before = bench.counter.get();
    assert!(before > 0);
    bench.stuck.set(true);
    bench.screen.borrow_mut().clear();
    live(&bench, async {
        shows(&bench, "outbox:").await;
        let mut desk = Desk::new(&bench, bench.device_key.clone());
        provision.test = 0;
        for (key, version, value) in provision.records().into_iter().take(2) {
            desk.upload(key, version, &value).await;
        }
        shows(&bench, "the monotonic counter failed").await;
        assert_eq!(bench.counter.get(), before);
        // It goes on all the same.
        shows(
            &bench,
            "nothing is sent: no credential is sent in the clear",
        )
        .await;
        bench.stuck.set(false);
        then(&bench, &mut desk).await;
    });
    assert!(bench.counter.get() > before, "{}", bench.screen());
    bench.screen.borrow_mut().clear();
    bench.flash.replace(old);
    live(&bench, shows(&bench, "older than the chip's counter"));
}

#[test]
fn a_counter_that_could_not_be_raised_is_raised_before_a_restart() {
    a_counter_that_is_stuck(async |bench, desk| {
        desk.done(&Request::Reboot).await;
        shows_starts(bench, 2).await;
    });
}

#[test]
fn a_counter_that_could_not_be_raised_is_tried_again() {
    a_counter_that_is_stuck(async |bench, _| {
        let before = bench.counter.get();
        until(bench, "a raised counter", || bench.counter.get() > before).await;
        assert_eq!(bench.screen().matches(STARTED).count(), 1);
    });
}
