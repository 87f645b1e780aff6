//! A board that lacks something takes alerts all the same, and sends them when it is there.

use api_auth::Slot;
use device_link::{Refusal, Reply, Request};
use embassy_futures::join::join;
use embassy_time::Timer;
use jwt_core::HmacKey;
use secure_store::{Custody, Key};

use crate::board::{Bench, now_secs};
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
        for text in ["custody: sealed", "credential: not known", "link:"] {
            assert!(bench.screen().contains(text), "{text}\n{}", bench.screen());
        }
        let custody = |reply: Result<Reply<'_>, Refusal>| match reply {
            Ok(Reply::Status(status)) => Some(status.custody),
            _ => None,
        };
        let mut desk = Desk::new(&bench, None);
        let custody = desk.ask(&Request::Status, custody).await;
        assert_eq!(custody, Some(Custody::Sealed));
        bench.screen.borrow_mut().clear();
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
fn a_sealed_store_that_can_not_be_opened_is_not_called_plain() {
    let custody = |reply: Result<Reply<'_>, Refusal>| match reply {
        Ok(Reply::Status(status)) => Some(status.custody),
        _ => None,
    };
    let another = HmacKey::new(&[0x11; 32]).unwrap();
    for key in [None, Some(another)] {
        let (_standin, mut bench) = sealed();
        bench.device_key = key;
        live(&bench, async {
            shows(&bench, "nothing is sent: ").await;
            let mut desk = Desk::new(&bench, bench.device_key.clone());
            let custody = desk.ask(&Request::Status, custody).await;
            assert_eq!(custody, Some(Custody::Sealed), "{}", bench.screen());
        });
        let screen = bench.screen();
        assert!(screen.contains("custody: sealed"), "{screen}");
        assert!(screen.contains("outbox: not open"), "{screen}");
    }
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

#[test]
fn alerts_are_kept_while_there_is_no_credential_and_go_out_when_there_is() {
    let (standin, bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    let mut provision = Provision::of(&standin);
    let secrets = std::mem::take(&mut provision.secrets);
    provision.flash(&bench);
    bench.rtc.set(None);
    live(&bench, async {
        shows(&bench, "nothing is sent: there is no credential").await;
        press(&bench.door).await;
        shows(&bench, "waits: Freezer 2: door open").await;
        bench.screen.borrow_mut().clear();
        bench.type_line("status");
        shows(&bench, "nothing is sent: there is no credential").await;
        for text in [
            "device: gw-0017",
            "credential: there is no",
            "outbox: 1 waiting",
        ] {
            assert!(bench.screen().contains(text), "{text}\n{}", bench.screen());
        }
        bench.type_line("test pump 7 is off");
        shows(&bench, "waits: pump 7 is off").await;
        until(&bench, "fed", || bench.feeds.get() > 2).await;
    });
    assert_eq!(standin.log().len(), 0);
    // After a power cut they are still there, and the time is asked for.
    bench.screen.borrow_mut().clear();
    let begun = now_secs();
    bench.sntp.set(Some(begun));
    bench.millidegrees.set(41_700);
    live(&bench, async {
        shows(&bench, "outbox: 2 waiting").await;
        shows(&bench, "waits: Too hot (41 C)").await;
        until(&bench, "the time", || bench.rtc.get().is_some()).await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        provision.secrets = secrets;
        let records = provision.records();
        let credential = |(key, ..): &&(Key, u8, Vec<u8>)| *key == Key::credential(0);
        let (key, version, value) = records.iter().find(credential).unwrap();
        desk.upload(*key, *version, value).await;
        until(&bench, "three messages", || texts(&standin).len() == 3).await;
    });
    assert!((begun..=now_secs()).contains(&bench.rtc.get().unwrap()));
    let mut sent = texts(&standin);
    sent.sort();
    let expected = ["Freezer 2: door open", "Too hot (41 C)", "pump 7 is off"];
    assert_eq!(sent, expected);
    assert!(!bench.screen().contains("before that"));
}

#[test]
fn alerts_are_kept_while_no_server_is_trusted() {
    let (standin, bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    let mut provision = Provision::of(&standin);
    provision.certificates = Some([9, 0, 1, 2, 3, 4]);
    provision.test = 0;
    provision.flash(&bench);
    bench.secure.set(true);
    live(&bench, async {
        shows(&bench, "nothing is sent: no server is trusted").await;
        press(&bench.flood).await;
        shows(&bench, "waits: Cellar: water").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        provision.certificates = None;
        for (key, version, value) in provision.records() {
            desk.upload(key, version, &value).await;
        }
        shows(&bench, "delivered: message").await;
    });
    assert_eq!(texts(&standin), ["Cellar: water"]);
}

#[test]
fn an_alert_is_raised_once_though_it_can_not_be_told_before_something_is_provisioned() {
    let (standin, bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    Provision::of(&standin).flash(&bench);
    bench.network.set(false);
    live(&bench, async {
        shows(&bench, "outbox:").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        // The session with the desk is there, so that what follows takes one frame.
        let unix_secs = now_secs();
        desk.done(&Request::SetClock { unix_secs }).await;
        bench.full.set(true);
        let before = bench.operations.get();
        press(&bench.door).await;
        until(&bench, "an alert", || bench.operations.get() > before).await;
        let before = bench.operations.get();
        let verified = desk.done(&Request::Verified(Slot::A));
        join(verified, async {
            until(&bench, "a record", || bench.operations.get() > before).await;
            Timer::after_millis(100).await;
            bench.full.set(false);
        })
        .await;
        bench.screen.borrow_mut().clear();
        shows(&bench, "outbox: 1 waiting").await;
        bench.network.set(true);
        shows(&bench, "delivered: message").await;
        Timer::after_millis(300).await;
    });
    assert_eq!(texts(&standin), ["Freezer 2: door open"]);
}
