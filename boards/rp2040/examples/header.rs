//! Credentials and time in, `Authorization` header out: for firmware with an HTTP stack of its own.
//!
//! The secret is the one in the vendor's documentation, the time the one in its example, so the line that
//! UART0 shows is known. A device takes its secret from its store and its time from a clock.

#![no_std]
#![no_main]

use api_auth::{Api, Authorizer, Clock, Credential, Policy, Reading, Scheme, Source};
use embassy_executor::Spawner;
use embassy_rp::uart::{Config, UartTx};
use embassy_time::{Instant, Timer};
use gateway_rp2040 as _;

const ID: &str = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa";
const KEY: &str = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK";

/// Known when it compiles, as is the length of the line.
const VALUE_LEN: usize = Scheme::IssIat.value_len(ID.len(), KEY.len());
const LINE_LEN: usize = Scheme::IssIat.line_len(ID.len(), KEY.len());

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut uart = UartTx::new_blocking(p.UART0, p.PIN_0, Config::default());

    // Once: the key is prepared and the constant part of the token encoded.
    let credential = Credential::new(&Api::HEYMARKET, Some(ID), KEY, Policy::FIELD).unwrap();
    let mut authorizer = Authorizer::<_, VALUE_LEN>::new(&credential).unwrap();

    // Whenever a clock tells the time. One second is taken off, by which SNTP may be wrong.
    let mut clock = Clock::new(1_713_000_000, 0);
    let reading = Reading {
        unix_secs: 1_713_225_601,
        source: Source::Sntp,
        age_secs: 0,
    };
    clock.set(reading, Instant::now().as_millis()).unwrap();

    // For each request: a token that is still good is not signed again.
    let now = clock.now(Instant::now().as_millis());
    let authorization = authorizer.authorize(now).unwrap();
    let mut line = [0; LINE_LEN];
    let line = authorization.write_line(&mut line).unwrap();

    uart.blocking_write(line.as_bytes()).unwrap();
    uart.blocking_write(b"\r\n").unwrap();
    loop {
        Timer::after_secs(1).await;
    }
}
