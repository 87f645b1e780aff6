//! A board that lacks something takes alerts all the same, and sends them when it is there.

use device_link::{Refusal, Request};
use embassy_time::Timer;
use jwt_core::HmacKey;

use crate::board::Bench;
use crate::desk::Desk;
use crate::{Provision, live, shows, texts, until};
use api_standin::{Config, Standin};

/// Longer than a contact has to be still.
const PRESS_MS: u64 = 120;

/// Closes a contact and opens it again.
async fn press(contact: &std::cell::Cell<bool>) {
    contact.set(true);
    Timer::after_millis(PRESS_MS).await;
    contact.set(false);
    Timer::after_millis(PRESS_MS).await;
}

fn sealed() -> (Standin, Bench) {
    let (standin, mut bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    bench.device_key = Some(HmacKey::new(&[0x6b; 32]).unwrap());
    Provision::of(&standin).flash_sealed(&bench);
    (standin, bench)
}

#[test]
fn a_sealed_store_is_opened_in_place_when_its_key_answers() {
    let (standin, bench) = sealed();
    bench.silent.set(true);
    live(&bench, async {
        shows(&bench, "nothing is sent: the store is sealed, and").await;
        assert!(bench.screen().contains("it is tried again every 2 s"));
        press(&bench.door).await;
        press(&bench.flood).await;
        press(&bench.door).await;
        // The console, the line and the watchdog are as they are at other times.
        bench.screen.borrow_mut().clear();
        bench.type_line("status");
        shows(&bench, "nothing is sent: the store is sealed, and").await;
        let mut desk = Desk::new(&bench, None);
        desk.done(&Request::Status).await;
        until(&bench, "fed", || bench.feeds.get() > 2).await;
        assert_eq!(standin.log().len(), 0);
        bench.silent.set(false);
        shows(&bench, "the device key works: the store is opened").await;
        shows(&bench, "custody: sealed").await;
        until(&bench, "three messages", || texts(&standin).len() == 3).await;
    });
    let mut sent = texts(&standin);
    sent.sort();
    assert_eq!(
        sent,
        [
            "Cellar: water",
            "Freezer 2: door open",
            "Freezer 2: door open"
        ]
    );
    let restarted = bench.screen().contains("gateway 0.1.0, started");
    assert!(!restarted, "{}", bench.screen());
}

#[test]
fn a_restart_can_be_asked_for_while_the_key_is_silent() {
    let (standin, bench) = sealed();
    let records = Provision::of(&standin).records();
    bench.silent.set(true);
    live(&bench, async {
        shows(&bench, "nothing is sent: the store is sealed, and").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        // What can't be written changes nothing.
        let (key, version, value) = &records[0];
        let refused = desk.offer(*key, *version, value).await;
        assert_eq!(refused, Err(Refusal::Hardware));
        assert_eq!(bench.screen().matches("gateway 0.1.0, started").count(), 1);
        desk.done(&Request::Reboot).await;
        until(&bench, "another start", || {
            bench.screen().matches("gateway 0.1.0, started").count() == 2
        })
        .await;
    });
}
