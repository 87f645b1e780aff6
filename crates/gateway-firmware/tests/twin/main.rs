//! The whole application as a process, against the stand-in, whose JWT library is another.

mod batches;
mod board;
#[path = "../chip/mod.rs"]
mod chip;
mod clock;
mod cuts;
mod desk;
mod flash;
mod restart;
mod unsealed;
mod waits;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use api_standin::{Api, Config, Standin};
use board::{Bench, REGION, now_secs};
use desk::Desk;
use embassy_futures::select::{Either, select};
use embassy_time::Timer;
use flash::PowerCut;
use gateway_firmware::{Lookout, StaticAddress, run};
use jwt_core::HmacKey;
use secure_store::{
    CREDENTIAL_VERSION, Credential, CredentialKey, Image, Key, Plain, Protection, SETTINGS_VERSION,
    Sealed, Setting, Store, encode_settings,
};

/// The vendor's published example.
const SECRET_ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const SECRET_KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";

/// What is provisioned.
struct Provision {
    host: String,
    recipient: &'static str,
    test: u64,
    /// The address with the length of its prefix.
    address: Option<[u8; 5]>,
    /// What sums up certificates that aren't there.
    certificates: Option<[u8; 6]>,
    secrets: Vec<(&'static str, &'static str)>,
}

impl Provision {
    fn of(standin: &Standin) -> Self {
        Self {
            host: standin.address(Api::Heymarket).to_string(),
            recipient: "+14155551234",
            test: 1,
            address: None,
            certificates: None,
            secrets: vec![(SECRET_ID, SECRET_KEY)],
        }
    }

    /// Returns what is provisioned: name, version and value of each record.
    fn records(&self) -> Vec<(Key, u8, Vec<u8>)> {
        let mut out = [0; 1024];
        let mut records = Vec::new();
        let device = [
            (Setting::NAME, &b"gw-0017"[..]),
            (Setting::INBOX_ID, &42u64.to_le_bytes()),
            (Setting::CREATOR_ID, &7u64.to_le_bytes()),
            (Setting::RECIPIENT, self.recipient.as_bytes()),
            (Setting::DOOR_TEXT, b"Freezer 2: door open"),
            (Setting::FLOOD_TEXT, b"Cellar: water"),
            (Setting::TEMPERATURE_TEXT, b"Too hot"),
            (Setting::TEMPERATURE_LIMIT, &40_000u64.to_le_bytes()),
        ];
        let record = encode_settings(device, &mut out).unwrap();
        records.push((Key::DEVICE, SETTINGS_VERSION, record.to_vec()));
        let network = [
            (Setting::API_HOST, self.host.as_bytes()),
            (Setting::TIME_HOST, b"time.example"),
            (Setting::PLAIN_HTTP_TEST, &self.test.to_le_bytes()),
        ];
        let address = self.address.as_ref();
        let address = address.map(|address| (Setting::ADDRESS, &address[..]));
        let sum = self.certificates.as_ref();
        let sum = sum.map(|sum| (Setting::CERTIFICATES, &sum[..]));
        let network = network.into_iter().chain(address).chain(sum);
        let record = encode_settings(network, &mut out).unwrap();
        records.push((Key::NETWORK, SETTINGS_VERSION, record.to_vec()));
        for (slot, (id, key)) in (0..).zip(&self.secrets) {
            let key = HmacKey::from_parts(&[id.as_bytes(), b"||", key.as_bytes()]).unwrap();
            let key = CredentialKey::Prepared(key);
            let credential = Credential {
                api: "heymarket",
                id,
                key,
            };
            let record = credential.encode(&mut out).unwrap();
            records.push((Key::credential(slot), CREDENTIAL_VERSION, record.to_vec()));
        }
        records
    }

    fn flash(&self, bench: &Bench) {
        self.flash_as(bench, Plain);
    }

    /// Makes an image that is sealed under the bench's device key.
    fn flash_sealed(&self, bench: &Bench) {
        let key = bench.device_key.clone().unwrap();
        self.flash_as(bench, Sealed::new(key).unwrap());
    }

    fn flash_as(&self, bench: &Bench, protection: impl Protection) {
        let mut flash = bench.flash.borrow_mut();
        let image = Image::new(&mut flash);
        let mut store = Store::<_, _, 8>::format(image, REGION, protection).unwrap();
        for (key, version, value) in self.records() {
            store.put(key, version, &value).unwrap();
        }
    }
}

/// Runs a gateway until `script` is done, which is when its power is cut.
fn live<T>(bench: &Bench, script: impl Future<Output = T>) -> T {
    live_until_cut(bench, script).expect("the power stays")
}

/// Runs a gateway until `script` is done, or until its power is cut where the bench says.
fn live_until_cut<T>(bench: &Bench, script: impl Future<Output = T>) -> Option<T> {
    let lookout: &'static Lookout = Box::leak(Box::default());
    let board = async {
        loop {
            run(bench.parts(lookout)).await;
        }
    };
    let watch = lookout.keep(bench.wires(), bench.watchdog());
    let mut life = pin!(select(select(board, watch), script));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let polled = catch_unwind(AssertUnwindSafe(|| life.as_mut().poll(&mut context)));
        match polled {
            Ok(Poll::Ready(Either::Second(done))) => return Some(done),
            Ok(_) => {}
            Err(end) if end.is::<PowerCut>() => return None,
            Err(panic) => resume_unwind(panic),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until something is so; shows the screen if it never is.
async fn until(bench: &Bench, what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        let patience = Duration::from_secs(20);
        assert!(
            begun.elapsed() < patience,
            "never: {what}\n{}",
            bench.screen()
        );
        Timer::after_millis(5).await;
    }
}

async fn shows(bench: &Bench, text: &str) {
    until(bench, text, || bench.screen().contains(text)).await;
}

fn texts(standin: &Standin) -> Vec<String> {
    standin
        .messages()
        .into_iter()
        .map(|message| message.text.unwrap_or_default())
        .collect()
}

fn provisioned() -> (Standin, Bench) {
    let (standin, bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    Provision::of(&standin).flash(&bench);
    (standin, bench)
}

#[test]
fn a_plain_store_in_a_chip_that_seals_is_not_served() {
    let mut bench = Bench::new();
    let standin = Standin::start(Config::default()).unwrap();
    Provision::of(&standin).flash(&bench);
    bench.device_key = Some(HmacKey::new(&[0x6b; 32]).unwrap());
    live(&bench, shows(&bench, "the store is not sealed"));
    assert_eq!(bench.counter.get(), 0);
    let screen = bench.screen();
    assert!(screen.contains("custody: not known"), "{screen}");
    assert!(screen.contains("outbox: not open"), "{screen}");
    assert!(!screen.contains("gw-0017"), "{screen}");
}

#[test]
fn a_contact_closes_and_the_message_is_sent_once() {
    let (standin, bench) = provisioned();
    live(&bench, async {
        shows(&bench, "outbox: 0 waiting").await;
        bench.door.set(true);
        shows(&bench, "delivered: message").await;
        bench.door.set(false);
        Timer::after_millis(100).await;
    });
    let [message] = &standin.messages()[..] else {
        panic!("{}", bench.screen())
    };
    assert_eq!(message.text.as_deref(), Some("Freezer 2: door open"));
    assert!(message.local_id.as_deref().unwrap().starts_with("gw-0017-"));
    let request_id = &standin.log()[0].request_id;
    assert!(
        bench
            .screen()
            .contains(&format!("status 200, request {request_id}"))
    );
    live(
        &bench,
        shows(&bench, "outbox: 0 waiting, 0 held, 0 refused, 0 damaged"),
    );
    assert_eq!(standin.log().len(), 1);
}

#[test]
fn an_alert_outlasts_a_power_cut_without_a_network() {
    let (standin, bench) = provisioned();
    bench.network.set(false);
    live(&bench, async {
        bench.type_line("test pump 7 is off");
        shows(&bench, "waits: pump 7 is off").await;
    });
    assert_eq!(standin.log().len(), 0);
    bench.network.set(true);
    live(&bench, shows(&bench, "delivered: message"));
    assert_eq!(texts(&standin), ["pump 7 is off"]);
}

#[test]
fn without_the_time_nothing_is_signed_until_sntp_tells_it() {
    let (standin, bench) = provisioned();
    bench.rtc.set(None);
    live(&bench, async {
        bench.type_line("test hello");
        shows(&bench, "waits for the clock").await;
        shows(&bench, "time.example doesn't tell the time").await;
    });
    assert_eq!(standin.log().len(), 0);
    assert!(bench.screen().contains("clock: the clock is not set"));
    bench.sntp.set(Some(now_secs()));
    live(&bench, shows(&bench, "delivered: message"));
    assert_eq!(texts(&standin), ["hello"]);
    assert!(bench.rtc.get().unwrap().abs_diff(now_secs()) <= 2);
}

#[test]
fn a_revoked_secret_gives_way_to_the_other_which_stays_in_use() {
    const OTHER: (&str, &str) = (
        "0b6c3a3e-6f0d-4b9e-9d0a-6f2f6a1d9c11",
        "q7Zr2mWc9KxN4tVb8LpYh3JdS6gFa1Ue",
    );
    let (standin, bench) = provisioned();
    let mut provision = Provision::of(&standin);
    provision.secrets.push(OTHER);
    provision.flash(&bench);
    standin.change_credentials(|credentials| {
        credentials.heymarket.slots = [None, Some(api_standin::ApiSecret::new(OTHER.0, OTHER.1))];
    });
    live(&bench, async {
        bench.type_line("test hello");
        shows(&bench, "now with slot B").await;
        shows(&bench, "delivered: message").await;
        Timer::after_millis(50).await;
    });
    assert_eq!(texts(&standin), ["hello"]);
    bench.screen.borrow_mut().clear();
    live(&bench, shows(&bench, "heymarket, slot B"));
}

#[test]
fn a_key_in_the_chip_signs_what_the_server_accepts() {
    for slot in [3, 4] {
        let (standin, mut bench) = provisioned();
        let parts = [SECRET_ID.as_bytes(), b"||", SECRET_KEY.as_bytes()];
        bench.chip = HmacKey::from_parts(&parts).unwrap();
        let key = CredentialKey::Hardware(slot);
        let (api, id) = ("heymarket", SECRET_ID);
        let mut out = [0; 256];
        let record = Credential { api, id, key }.encode(&mut out).unwrap();
        {
            let mut flash = bench.flash.borrow_mut();
            let mut store = Store::<_, _, 8>::open(Image::new(&mut flash), REGION, Plain).unwrap();
            store
                .put(Key::credential(0), CREDENTIAL_VERSION, record)
                .unwrap();
        }
        live(&bench, async {
            if slot == 4 {
                return shows(&bench, "a place that this board's chip doesn't have").await;
            }
            shows(&bench, "custody: hardware").await;
            bench.door.set(true);
            shows(&bench, "delivered: message").await;
        });
        assert_eq!(standin.messages().len(), usize::from(slot == 3));
    }
}

#[test]
fn a_temperature_over_the_limit_is_told_once() {
    let (standin, bench) = provisioned();
    bench.millidegrees.set(41_700);
    live(&bench, shows(&bench, "delivered: message"));
    assert_eq!(texts(&standin), ["Too hot (41 C)"]);
}

#[test]
fn the_console_says_how_everything_is() {
    let (_standin, bench) = provisioned();
    live(&bench, async {
        shows(&bench, "outbox:").await;
        bench.screen.borrow_mut().clear();
        bench.type_line("status");
        for text in [
            "device: gw-0017, started by power",
            "custody: plain: whoever reads the flash has the key",
            "credential: heymarket, slot A",
            "by Rtc, right to",
            "link: the machine's own",
            "outbox: 0 waiting, 0 held, 0 refused, 0 damaged",
        ] {
            shows(&bench, text).await;
        }
        bench.type_line("what?");
        shows(&bench, "commands: status").await;
        until(&bench, "fed", || bench.feeds.get() > 2).await;
    });
    assert!(!bench.screen().contains(SECRET_KEY));
}

#[test]
fn nothing_is_sent_in_the_clear_but_to_a_test_server() {
    for (test, host) in [(0, None), (1, Some("localhost")), (1, Some("8.8.8.8:80"))] {
        let (standin, bench) = provisioned();
        let mut provision = Provision::of(&standin);
        provision.test = test;
        provision.host = host.map_or(provision.host, str::to_owned);
        provision.flash(&bench);
        live(&bench, async {
            shows(
                &bench,
                "nothing is sent: no credential is sent in the clear",
            )
            .await;
            bench.door.set(true);
            shows(&bench, "waits: Freezer 2: door open").await;
            Timer::after_millis(300).await;
            until(&bench, "fed", || bench.feeds.get() > 2).await;
        });
        assert_eq!(standin.log().len(), 0);
    }
}

#[test]
fn a_blank_board_says_so_to_whoever_asks() {
    let bench = Bench::new();
    live(&bench, async {
        shows(&bench, "nothing is sent: the store is blank").await;
        bench.screen.borrow_mut().clear();
        bench.type_line("status");
        shows(&bench, "nothing is sent: the store is blank").await;
    });
    for text in [
        "device: without a name, started by power",
        "custody: plain",
        "credential: there is no credential",
        "by Rtc, right to",
        "link: the machine's own",
        "outbox: not open",
    ] {
        assert!(bench.screen().contains(text), "{text}\n{}", bench.screen());
    }
}

#[test]
fn a_board_without_its_settings_says_what_else_it_knows() {
    let (standin, bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    let mut provision = Provision::of(&standin);
    provision.recipient = "nobody";
    provision.flash(&bench);
    live(&bench, async {
        shows(&bench, "nothing is sent: setting").await;
        bench.screen.borrow_mut().clear();
        bench.type_line("status");
        shows(&bench, "nothing is sent: setting").await;
        bench.type_line("what?");
        shows(&bench, "commands: status").await;
    });
    for text in [
        "device: gw-0017, started by power",
        "custody: plain",
        "credential: heymarket, slot A in use",
        "by Rtc, right to",
        "outbox: not open",
    ] {
        assert!(bench.screen().contains(text), "{text}\n{}", bench.screen());
    }
}

#[test]
fn an_address_that_is_removed_gives_way_to_dhcp() {
    let (standin, bench) = provisioned();
    let mut provision = Provision::of(&standin);
    live(&bench, async {
        shows(&bench, "outbox:").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.button.set(false);
        for (address, given) in [(Some([10, 0, 0, 7, 24]), 1), (None, 2)] {
            provision.address = address;
            for (key, version, value) in provision.records() {
                desk.upload(key, version, &value).await;
            }
            until(&bench, "an address", || {
                bench.addresses.borrow().len() == given
            })
            .await;
        }
    });
    let address = StaticAddress {
        address: [10, 0, 0, 7],
        prefix_len: 24,
        router: None,
        name_server: None,
    };
    assert_eq!(*bench.addresses.borrow(), [Some(address), None]);
}
