//! The desktop's side of a transfer, and a device that keeps it from ending.

use device_link::{Refusal, Reply, Request, Upload};
use secure_store::Key;

const VALUE: [u8; 600] = [7; 600];

/// The requests that are made of a device which answers like this, and what came of it.
fn requests(
    mut answer: impl FnMut(Request<'_>) -> Result<u16, Refusal>,
) -> (usize, Option<Refusal>) {
    let mut upload = Upload::new(Key::certificates(0), 1, &VALUE).unwrap();
    let mut count = 0;
    while let Some(request) = upload.next() {
        count += 1;
        assert!(count < 1_000, "no end");
        let reply = match answer(request) {
            Ok(u16::MAX) => Ok(Reply::Stored { unchanged: false }),
            Ok(received) => Ok(Reply::Received(received)),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = upload.answered(reply) {
            return (count, Some(refusal));
        }
    }
    (count, None)
}

#[test]
fn a_device_that_gets_nowhere_is_given_up() {
    // It takes nothing, forgets everything, says that it has what it then has not, or never has it right.
    let (count, refusal) = requests(|_| Ok(0));
    assert!(
        count < 20 && refusal == Some(Refusal::NoTransfer),
        "{count}"
    );
    let (count, refusal) = requests(|_| Err(Refusal::NoTransfer));
    assert!(
        count < 20 && refusal == Some(Refusal::NoTransfer),
        "{count}"
    );
    let (count, refusal) = requests(|request| match request {
        Request::Commit => Err(Refusal::NoTransfer),
        _ => Ok(600),
    });
    assert!(
        count < 40 && refusal == Some(Refusal::NoTransfer),
        "{count}"
    );
    let (count, refusal) = requests(|request| match request {
        Request::Begin(_) => Ok(0),
        Request::Data { offset, bytes } => Ok(offset + bytes.len() as u16),
        _ => Err(Refusal::Corrupt),
    });
    assert!(count < 60 && refusal == Some(Refusal::Corrupt), "{count}");
    // Or it goes back and forth.
    let mut at = 0;
    let (count, refusal) = requests(|_| {
        at ^= 256;
        Ok(at)
    });
    assert!(
        count < 40 && refusal == Some(Refusal::NoTransfer),
        "{count}"
    );
}

#[test]
fn a_device_that_starts_again_a_few_times_gets_it_all() {
    for restarts in 0..4 {
        let (mut has, mut left) = (0, restarts);
        let (_, refusal) = requests(|request| match request {
            Request::Begin(_) => Ok(has),
            Request::Data { .. } if has > 0 && left > 0 => {
                left -= 1;
                has = 0;
                Err(Refusal::NoTransfer)
            }
            Request::Data { offset, bytes } => {
                assert_eq!(offset, has);
                has += bytes.len() as u16;
                Ok(has)
            }
            _ if usize::from(has) == VALUE.len() => Ok(u16::MAX),
            _ => Err(Refusal::NoTransfer),
        });
        assert_eq!(refusal, None, "{restarts}");
    }
}
