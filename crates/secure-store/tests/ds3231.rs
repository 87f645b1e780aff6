//! The DS3231 by its registers (data sheet 19-5170, figure 1).

use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use secure_store::{Ds3231, Ds3231Error, Rtc};

const ADDRESS: u8 = 0x68;
const STATUS: u8 = 0x0f;
const HOURS: u8 = 0x02;

fn check(transactions: Vec<Transaction>, work: impl FnOnce(&mut Ds3231<Mock>)) {
    let mut rtc = Ds3231::new(Mock::new(&transactions));
    work(&mut rtc);
    rtc.release().done();
}

fn register(register: u8, value: u8) -> Transaction {
    Transaction::write_read(ADDRESS, vec![register], vec![value])
}

fn date(registers: [u8; 7]) -> Transaction {
    Transaction::write_read(ADDRESS, vec![0x00], registers.to_vec())
}

/// 2024-04-16 00:00:00 UTC, a Tuesday, is 1713225600.
const SET: [u8; 7] = [0x00, 0x00, 0x00, 0x03, 0x16, 0x04, 0x24];

#[test]
fn a_running_clock_is_read() {
    let transactions = vec![register(STATUS, 0x08), register(HOURS, 0x00), date(SET)];
    check(transactions, |rtc| {
        assert_eq!(rtc.read(), Ok(Some(1_713_225_600)))
    });
    // 2099-12-31 23:59:59, the last second that the chip and the calendar agree on.
    let last = [0x59, 0x59, 0x23, 0x05, 0x31, 0x12, 0x99];
    let transactions = vec![register(STATUS, 0x00), register(HOURS, 0x23), date(last)];
    check(transactions, |rtc| {
        assert_eq!(rtc.read(), Ok(Some(4_102_444_799)))
    });
}

#[test]
fn a_clock_that_stood_still_is_not_trusted() {
    check(vec![register(STATUS, 0x88)], |rtc| {
        assert_eq!(rtc.read(), Ok(None))
    });
}

#[test]
fn a_clock_of_twelve_hours_is_not_trusted() {
    let transactions = vec![register(STATUS, 0x00), register(HOURS, 0x52)];
    check(transactions, |rtc| assert_eq!(rtc.read(), Ok(None)));
}

#[test]
fn registers_that_are_no_date_are_an_error() {
    for date_registers in [
        [0; 7],
        [0x00, 0x00, 0x00, 0x01, 0x30, 0x02, 0x24],
        [0xff; 7],
    ] {
        let transactions = vec![
            register(STATUS, 0x00),
            register(HOURS, 0x00),
            date(date_registers),
        ];
        check(transactions, |rtc| {
            assert_eq!(rtc.read(), Err(Ds3231Error::NoDate))
        });
    }
}

#[test]
fn setting_clears_the_flag_last() {
    let mut set = vec![0x00];
    set.extend(SET);
    let transactions = vec![
        Transaction::write(ADDRESS, set),
        // Oscillator on, the other bits as after power-on; then the flag alone.
        Transaction::write(ADDRESS, vec![0x0e, 0x1c]),
        Transaction::write(ADDRESS, vec![STATUS, 0x0b]),
    ];
    check(transactions, |rtc| {
        assert_eq!(rtc.set(1_713_225_600), Ok(()))
    });
}

#[test]
fn what_the_chip_cant_count_is_refused() {
    check(vec![], |rtc| {
        for secs in [0, 946_684_799, 4_102_444_800, u64::MAX] {
            assert_eq!(rtc.set(secs), Err(Ds3231Error::OutOfRange));
        }
    });
}
