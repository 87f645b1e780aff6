//! One question for the time by SNTP (RFC 4330), which only who has seen it can answer.
//!
//! An answer repeats the time of the question, and by that it is told from a forged one. What it repeats is
//! therefore not the time, which is easily guessed and nobody else's business, but drawn: 32 bits for the seconds and a millionth of
//! 10^6 for the fraction, 52 bits in all, which is what `sntpc` lets its caller choose. The server needs no more of it
//! than to send it back, and what `sntpc` computes by it, delay and offset, is not used. The port that is asked from is the IP stack's to
//! choose.

use core::net::SocketAddr;

use sntpc::{Error, NtpContext, NtpTimestampGenerator, NtpUdpSocket};

/// Asks a server, and returns the Unix seconds that it answers; what is no answer to the question is passed over.
///
/// `context_secs` is a Unix time less than 68 years away, `nonce` drawn anew for each question.
pub(crate) async fn ask(
    socket: &impl NtpUdpSocket,
    server: SocketAddr,
    context_secs: u64,
    nonce: [u8; 8],
) -> Option<u64> {
    let [a, b, c, d, fraction @ ..] = nonce;
    let drawn = NtpContext::new(Stamp {
        secs: u32::from_le_bytes([a, b, c, d]).into(),
        micros: below_million(u32::from_le_bytes(fraction)),
    });
    let asked = sntpc::sntp_send_request(server, socket, drawn).await.ok()?;
    let context = NtpContext::new(Stamp {
        secs: context_secs,
        micros: 0,
    });
    loop {
        match sntpc::sntp_process_response(server, socket, context, asked).await {
            Ok(answer) => return Some(answer.sec()),
            Err(
                Error::IncorrectOriginTimestamp
                | Error::ResponseAddressMismatch
                | Error::IncorrectPayload,
            ) => {}
            Err(_) => return None,
        }
    }
}

/// Returns a number below a million, evenly of all of `u32`.
const fn below_million(drawn: u32) -> u32 {
    // Below a million, as `drawn` is below 2^32.
    ((drawn as u64 * 1_000_000) >> 32) as u32
}

/// What stands for a time.
#[derive(Clone, Copy)]
struct Stamp {
    secs: u64,
    micros: u32,
}

impl NtpTimestampGenerator for Stamp {
    fn init(&mut self) {}

    fn timestamp_sec(&self) -> u64 {
        self.secs
    }

    fn timestamp_subsec_micros(&self) -> u32 {
        self.micros
    }
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;
    use core::net::{IpAddr, Ipv4Addr};
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use heapless::Deque;
    use proptest::prelude::*;

    use super::*;

    /// 2024-04-16T00:00:00Z, in seconds of Unix and of NTP (RFC 5905, figure 4).
    const NOW_SECS: u64 = 1_713_225_600;
    const NOW_NTP: u32 = 3_922_214_400;

    const fn address(port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), port)
    }

    const SERVER: SocketAddr = address(123);

    /// Answers what the test has it answer, of the question.
    #[derive(Default)]
    struct Line {
        asked: RefCell<Option<[u8; 48]>>,
        answers: RefCell<Deque<(SocketAddr, Origin, u32), 4>>,
    }

    /// What of an answer is to be the question's time.
    enum Origin {
        Repeated,
        Other([u8; 8]),
    }

    impl Line {
        fn answers(self, from: SocketAddr, origin: Origin, secs: u32) -> Self {
            assert!(
                self.answers
                    .borrow_mut()
                    .push_back((from, origin, secs))
                    .is_ok()
            );
            self
        }

        fn ask(&self, nonce: [u8; 8]) -> Option<u64> {
            let mut asking = pin!(ask(self, SERVER, NOW_SECS, nonce));
            match asking
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(answer) => answer,
                Poll::Pending => panic!("nothing here waits"),
            }
        }

        /// The question's time, RFC 5905, figure 8: the last 8 bytes.
        fn asked(&self) -> [u8; 8] {
            *self.asked.borrow().unwrap().last_chunk().unwrap()
        }
    }

    impl NtpUdpSocket for Line {
        async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> sntpc::Result<usize> {
            assert_eq!(to, SERVER);
            self.asked.replace(Some(bytes.try_into().unwrap()));
            Ok(bytes.len())
        }

        async fn recv_from(&self, out: &mut [u8]) -> sntpc::Result<(usize, SocketAddr)> {
            let answer = self.answers.borrow_mut().pop_front();
            let (from, origin, secs) = answer.ok_or(Error::Network)?;
            let origin = match origin {
                Origin::Repeated => self.asked(),
                Origin::Other(origin) => origin,
            };
            let mut answer = [0; 48];
            // Version 4, mode 4, stratum 1.
            answer[..2].copy_from_slice(&[0x24, 1]);
            answer[24..32].copy_from_slice(&origin);
            answer[32..36].copy_from_slice(&secs.to_be_bytes());
            answer[40..44].copy_from_slice(&secs.to_be_bytes());
            out[..48].copy_from_slice(&answer);
            Ok((48, from))
        }
    }

    #[test]
    fn the_time_is_the_answers_and_the_question_tells_none() {
        let line = Line::default().answers(SERVER, Origin::Repeated, NOW_NTP);
        assert_eq!(line.ask([0x5a; 8]), Some(NOW_SECS));
        let [secs @ .., _, _, _, _] = line.asked();
        let [.., f1, f2, f3, f4] = line.asked();
        // 0x5a5a5a5a seconds after NTP's epoch is not it either: 70 years are added, as to any Unix time.
        assert_eq!(
            u32::from_be_bytes(secs),
            0x5a5a_5a5a_u32.wrapping_add(2_208_988_800)
        );
        // 0x5a5a5a5a of 2^32, to the millionth.
        let fraction = u32::from_be_bytes([f1, f2, f3, f4]);
        assert!(0x5a5a_5a5a_u32.abs_diff(fraction) <= 4_295, "{fraction:x}");
    }

    #[test]
    fn who_has_not_seen_the_question_is_not_believed() {
        let mut forged = [0; 8];
        // What was repeated when the question told the time that the firmware was built at.
        forged[..4].copy_from_slice(&NOW_NTP.to_be_bytes());
        let line = Line::default()
            .answers(SERVER, Origin::Other(forged), 1)
            .answers(SERVER, Origin::Other([0; 8]), 2)
            .answers(address(124), Origin::Repeated, 3)
            .answers(SERVER, Origin::Repeated, NOW_NTP);
        assert_eq!(line.ask([7, 6, 5, 4, 3, 2, 1, 0]), Some(NOW_SECS));
        let line = Line::default().answers(SERVER, Origin::Other(forged), 1);
        assert_eq!(line.ask([7, 6, 5, 4, 3, 2, 1, 0]), None);
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_is_answered_and_is_another_question(nonce: [u8; 8], bit in 0..32_u8) {
            let ask = |nonce| {
                let line = Line::default().answers(SERVER, Origin::Repeated, NOW_NTP);
                assert_eq!(line.ask(nonce), Some(NOW_SECS));
                line.asked()
            };
            let mut other = nonce;
            other[usize::from(bit / 8)] ^= 1 << (bit % 8);
            prop_assert_ne!(ask(nonce), ask(other));
            // Of the fraction's bits the upper 19 count.
            let mut other = nonce;
            other[7 - usize::from(bit % 19 / 8)] ^= 0x80 >> (bit % 19 % 8);
            prop_assert_ne!(ask(nonce), ask(other));
        }
    }
}
