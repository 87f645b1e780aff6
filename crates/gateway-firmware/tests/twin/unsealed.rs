//! A store that isn't sealed in a board whose device key works, or would have: only who has the key makes another of it.

use api_standin::{Config, Standin};
use device_link::{Refusal, Reply, Request, Upload};
use jwt_core::HmacKey;
use secure_store::Custody;

use crate::board::{Bench, now_secs};
use crate::desk::Desk;
use crate::{Provision, live, shows, texts};

const NOT_SEALED: &str = "the store is not sealed";

fn keyed() -> (Standin, Bench) {
    let (standin, mut bench) = (Standin::start(Config::default()).unwrap(), Bench::new());
    bench.device_key = Some(HmacKey::new(&[0x6b; 32]).unwrap());
    (standin, bench)
}

async fn provision(desk: &mut Desk<'_>, provision: &Provision) {
    for (key, version, value) in provision.records() {
        desk.upload(key, version, &value).await;
    }
}

#[test]
fn a_plain_store_gives_way_to_what_the_device_key_provisions() {
    for count in [0, 5] {
        let (standin, bench) = keyed();
        bench.counter.set(count);
        let good = Provision::of(&standin);
        // Somebody's who wants the board to sign for a server of his.
        let mut forged = Provision::of(&standin);
        forged.recipient = "+14155559999";
        forged.flash(&bench);
        let before = bench.flash.borrow().clone();
        live(&bench, async {
            shows(&bench, NOT_SEALED).await;
            bench.button.set(true);
            let unix_secs = now_secs();
            let clock = Request::SetClock { unix_secs };
            Desk::new(&bench, None).is_turned_away(&clock).await;
            bench.button.set(false);
            let mut desk = Desk::new(&bench, bench.device_key.clone());
            let refused = desk.ask(&clock, |reply| reply.err()).await;
            assert_eq!(refused, Some(Refusal::Hardware));
            // A desktop sends nothing to a device that has the key and would not seal it.
            let custody = |reply: Result<Reply<'_>, Refusal>| match reply {
                Ok(Reply::Status(status)) => Some(status.custody),
                _ => None,
            };
            let custody = desk.ask(&Request::Status, custody).await;
            assert_eq!(custody, Some(Custody::Sealed));
            // Not before there is a record to put in its place.
            assert!(*bench.flash.borrow() == before);
            provision(&mut desk, &good).await;
            shows(&bench, "custody: sealed").await;
            shows(&bench, "outbox: 0 waiting").await;
            bench.door.set(true);
            shows(&bench, "delivered: message").await;
            bench.door.set(false);
        });
        assert_eq!(texts(&standin), ["Freezer 2: door open"]);
        assert_eq!(bench.counter.get(), count + 1);
        assert!(!bench.screen().contains("older than"), "{}", bench.screen());
        let flash = bench.flash.borrow().clone();
        for secret in [&b"+14155559999"[..], b"gw-0017"] {
            assert!(!flash.windows(secret.len()).any(|window| window == secret));
        }
        bench.screen.borrow_mut().clear();
        live(&bench, shows(&bench, "outbox: 0 waiting"));
        assert!(!bench.screen().contains("older than"), "{}", bench.screen());
    }
}

#[test]
fn a_new_store_is_fresh_after_a_reset_though_the_counter_has_counted() {
    let (standin, bench) = keyed();
    bench.counter.set(5);
    Provision::of(&standin).flash(&bench);
    live(&bench, async {
        shows(&bench, NOT_SEALED).await;
        let mut desk = Desk::new(&bench, bench.device_key.clone());
        provision(&mut desk, &Provision::of(&standin)).await;
    });
    assert_eq!(bench.counter.get(), 5);
    bench.screen.borrow_mut().clear();
    live(&bench, shows(&bench, "outbox: 0 waiting"));
    assert_eq!(bench.counter.get(), 6);
    assert!(!bench.screen().contains("older than"), "{}", bench.screen());
}

#[test]
fn a_blank_board_is_sealed_if_its_key_answers_before_the_first_record() {
    let (standin, bench) = keyed();
    bench.silent.set(true);
    let good = Provision::of(&standin);
    live(&bench, async {
        shows(&bench, "nothing is sent: the store is blank").await;
        bench.button.set(true);
        let mut desk = Desk::new(&bench, None);
        desk.until_window().await;
        bench.silent.set(false);
        let (key, version, value) = good.records().remove(0);
        let begin = Upload::new(key, version, &value).unwrap().next().unwrap();
        desk.is_turned_away(&begin).await;
        let unix_secs = now_secs();
        let clock = Request::SetClock { unix_secs };
        Desk::new(&bench, None).is_turned_away(&clock).await;
        bench.button.set(false);
        assert!(bench.flash.borrow().iter().all(|byte| *byte == 0xff));
        let mut desk = Desk::new(&bench, bench.device_key.clone());
        provision(&mut desk, &good).await;
        shows(&bench, "outbox: 0 waiting").await;
    });
    assert!(bench.screen().contains("custody: sealed"));
    bench.screen.borrow_mut().clear();
    live(&bench, shows(&bench, "custody: sealed"));
}
