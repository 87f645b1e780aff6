//! The time without power and without a network: who may set it, and what is remembered of it.

use device_link::{Refusal, Reply, Request};
use embassy_time::Timer;
use jwt_core::HmacKey;
use secure_store::{CLOCK_VERSION, ClockRecord, Image, Key, Plain, Protection, Sealed, Store};

use crate::board::{Bench, REGION, now_secs};
use crate::desk::Desk;
use crate::{Provision, live, provisioned, shows, texts};
use api_standin::{Config, Standin};

const TEN_YEARS_SECS: u64 = 315_576_000;

/// Writes the clock's record into a store.
fn remember(bench: &Bench, protection: impl Protection, version: u8, value: &[u8]) {
    let mut flash = bench.flash.borrow_mut();
    let mut store = Store::<_, _, 64>::open(Image::new(&mut flash), REGION, protection).unwrap();
    store.put(Key::CLOCK, version, value).unwrap();
}

/// Returns the clock's record in a store.
fn remembered(bench: &Bench, protection: impl Protection) -> Vec<u8> {
    let mut flash = bench.flash.borrow_mut();
    let mut store = Store::<_, _, 64>::open(Image::new(&mut flash), REGION, protection).unwrap();
    let mut out = [0; 64];
    let record = store.get(Key::CLOCK, &mut out).unwrap().unwrap();
    record.value.to_vec()
}

/// Asks how everything is until the answer has something in it.
async fn until_status(bench: &Bench, text: &str) {
    while !bench.screen().contains(text) {
        bench.type_line("status");
        Timer::after_millis(100).await;
        assert!(bench.screen().len() < 100_000, "{}", bench.screen());
    }
}

#[test]
fn while_the_device_key_is_silent_nobody_sets_the_clock() {
    let (standin, mut bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    let key = HmacKey::new(&[0x6b; 32]).unwrap();
    bench.device_key = Some(key.clone());
    Provision::of(&standin).flash_sealed(&bench);
    let sealed = || Sealed::new(key.clone()).unwrap();
    let begun = now_secs();
    let record = ClockRecord {
        floor_secs: begun - 86_400,
        rtc_set_secs: Some(begun - 60),
    };
    remember(&bench, sealed(), CLOCK_VERSION, &record.encode());
    bench.silent.set(true);
    live(&bench, async {
        shows(&bench, "nothing is sent: the store is sealed, and").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        let unix_secs = begun + TEN_YEARS_SECS;
        let refused = |reply: Result<Reply<'_>, Refusal>| reply.err();
        let refusal = desk.ask(&Request::SetClock { unix_secs }, refused).await;
        assert_eq!(refusal, Some(Refusal::Hardware));
        bench.silent.set(false);
        shows(&bench, "the device key works: the store is opened").await;
        shows(&bench, "by Rtc, right to").await;
        bench.type_line("test hello");
        shows(&bench, "delivered: message").await;
        Timer::after_millis(50).await;
    });
    assert_eq!(texts(&standin), ["hello"]);
    assert_eq!(bench.rtc.get(), Some(begun));
    assert_eq!(remembered(&bench, sealed()), record.encode());
}

#[test]
fn a_clock_record_that_can_not_be_read_is_not_replaced() {
    let (_standin, bench) = provisioned();
    let later = [0x5a; 20];
    remember(&bench, Plain, CLOCK_VERSION + 1, &later);
    bench.rtc.set(None);
    bench.sntp.set(Some(now_secs()));
    live(&bench, async {
        shows(&bench, "nothing is sent:").await;
        until_status(&bench, "by Sntp").await;
        Timer::after_millis(50).await;
    });
    assert_eq!(remembered(&bench, Plain), later);
    assert_eq!(bench.rtc.get(), None);
}

#[test]
fn a_clock_chip_that_is_silent_at_the_start_is_asked_again() {
    let (standin, mut bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    bench.device_key = Some(HmacKey::new(&[0x6b; 32]).unwrap());
    Provision::of(&standin).flash_sealed(&bench);
    // A wire that is held silences all chips on the bus.
    bench.silent.set(true);
    bench.rtc_silent.set(true);
    live(&bench, async {
        shows(&bench, "nothing is sent: the store is sealed, and").await;
        bench.silent.set(false);
        shows(&bench, "outbox: 0 waiting").await;
        bench.type_line("test hello");
        shows(&bench, "waits for the clock").await;
        bench.rtc_silent.set(false);
        shows(&bench, "delivered: message").await;
    });
    assert_eq!(texts(&standin), ["hello"]);
    assert_eq!(bench.screen().matches("gateway 0.1.0, started").count(), 1);
}

#[test]
fn a_board_that_can_not_send_asks_its_clock_chip_again_too() {
    let (standin, bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    let mut provision = Provision::of(&standin);
    provision.secrets.clear();
    provision.flash(&bench);
    bench.rtc_silent.set(true);
    // Nobody has told this one the time: what it says is before the build, which is not to be said again and again.
    bench.rtc.set(Some(946_684_800));
    live(&bench, async {
        shows(&bench, "nothing is sent: there is no credential").await;
        shows(&bench, "clock: the clock is not set").await;
        bench.rtc_silent.set(false);
        Timer::after_secs(6).await;
        assert!(!bench.screen().contains("time refused"));
        bench.rtc.set(Some(now_secs()));
        bench.screen.borrow_mut().clear();
        until_status(&bench, "by Rtc, right to").await;
    });
}
