//! The faults that are no break at a byte: what each is, and the first verdict after it.

use std::time::Duration;

use crate::world::{SHORT, World};
use api_standin::{Fault, Kind};
use sms_alert::{ClockTrouble, Reason, Verdict};

pub type Change = fn(&mut World);

pub fn revoke(world: &mut World, slots: &[usize]) {
    world.standin.change_credentials(|credentials| {
        for slot in slots {
            credentials.heymarket.slots[*slot] = None;
        }
    });
}

/// Every other fault: what it is, what is changed besides, and the first verdict.
pub fn scenarios() -> Vec<(&'static str, Vec<Fault>, Change, Verdict)> {
    let delivered = || Verdict::Delivered {
        message_id: heapless::String::new(),
    };
    let server = |rejection| Verdict::Rejected(Reason::Server(rejection));
    let next = |kind| vec![Fault::next(3, kind)];
    let none: Change = |_| {};
    vec![
        ("no fault", vec![], none, delivered()),
        ("chunked", next(Kind::ChunkedBody), none, delivered()),
        (
            "100 Continue",
            next(Kind::OneHundredContinue),
            none,
            delivered(),
        ),
        (
            "oversize body",
            next(Kind::OversizeBody(1_000)),
            none,
            delivered(),
        ),
        (
            "oversize beyond the buffer",
            next(Kind::OversizeBody(5_000)),
            none,
            Verdict::MaybeSent,
        ),
        (
            "two lengths",
            next(Kind::TwoContentLengths),
            none,
            Verdict::MaybeSent,
        ),
        ("garbage", next(Kind::Garbage), none, Verdict::MaybeSent),
        (
            "slow",
            next(Kind::Delay(Duration::from_millis(20))),
            none,
            delivered(),
        ),
        (
            "timeout",
            next(Kind::StallAfterResponseBytes(0)),
            |world| world.patience = SHORT,
            Verdict::MaybeSent,
        ),
        (
            "400",
            next(Kind::Status(400)),
            none,
            server(api_auth::Rejection::Invalid),
        ),
        (
            "401",
            next(Kind::Status(401)),
            none,
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "403",
            next(Kind::Status(403)),
            none,
            server(api_auth::Rejection::Forbidden),
        ),
        (
            "429 with a hint",
            next(Kind::RateLimited {
                retry_after: Some(60),
            }),
            none,
            Verdict::RetryAt(0),
        ),
        (
            "429 without",
            next(Kind::RateLimited { retry_after: None }),
            none,
            Verdict::RetryAt(0),
        ),
        ("500", next(Kind::Status(500)), none, Verdict::RetryAt(0)),
        ("502", next(Kind::Status(502)), none, Verdict::MaybeSent),
        ("503", next(Kind::Status(503)), none, Verdict::RetryAt(0)),
        (
            "Date ahead",
            next(Kind::ClockSkew(3_600)),
            none,
            Verdict::FixClock(ClockTrouble::Corrected),
        ),
        (
            "Date behind",
            next(Kind::ClockSkew(-3_600)),
            none,
            Verdict::FixClock(ClockTrouble::Corrected),
        ),
        (
            "Date a week off",
            next(Kind::ClockSkew(604_800)),
            none,
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "Date ahead, no TLS",
            next(Kind::ClockSkew(3_600)),
            |world| world.is_secure = false,
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "active revoked",
            vec![],
            |world| revoke(world, &[0]),
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
        (
            "both revoked",
            vec![],
            |world| revoke(world, &[0, 1]),
            Verdict::SwitchSecret(api_auth::Slot::B),
        ),
    ]
}

/// Alike but for what differs from run to run.
pub fn alike(verdict: &Verdict, expected: &Verdict) -> bool {
    match (verdict, expected) {
        (Verdict::Delivered { .. }, Verdict::Delivered { .. }) => true,
        (Verdict::RetryAt(_), Verdict::RetryAt(_)) => true,
        _ => verdict == expected,
    }
}
