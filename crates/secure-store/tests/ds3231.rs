//! The DS3231 by its registers (data sheet 19-5170, figure 1), its calendar against `chrono`'s.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use proptest::prelude::*;
use secure_store::{Ds3231, Ds3231Error, Rtc};

const ADDRESS: u8 = 0x68;
const CONTROL: u8 = 0x0e;
const STATUS: u8 = 0x0f;

fn check(transactions: &[Transaction], work: impl FnOnce(&mut Ds3231<Mock>)) {
    let mut rtc = Ds3231::new(Mock::new(transactions));
    work(&mut rtc);
    rtc.release().done();
}

/// All registers at once: time, alarms, control, status.
fn registers(time: [u8; 7], control: u8, status: u8) -> Vec<Transaction> {
    let mut registers = time.to_vec();
    registers.extend([0x5a; 7]);
    registers.extend([control, status]);
    vec![Transaction::write_read(ADDRESS, vec![0x00], registers)]
}

/// 2024-04-16 00:00:00 UTC, a Tuesday, is 1713225600.
const SET: [u8; 7] = [0x00, 0x00, 0x00, 0x03, 0x16, 0x04, 0x24];

fn setting(time: [u8; 7]) -> Vec<Transaction> {
    let mut set = vec![0x00];
    set.extend(time);
    vec![
        // The oscillator is to stop with the supply, the other bits are as after power-on.
        Transaction::write(ADDRESS, vec![CONTROL, 0x9c]),
        Transaction::write(ADDRESS, set),
        Transaction::write(ADDRESS, vec![CONTROL, 0x1c]),
        Transaction::write(ADDRESS, vec![STATUS, 0x0b]),
    ]
}

#[test]
fn a_running_clock_is_read() {
    check(&registers(SET, 0x1c, 0x08), |rtc| {
        assert_eq!(rtc.read(), Ok(Some(1_713_225_600)))
    });
    // 2099-12-31 23:59:59, the last second that the chip and the calendar agree on.
    let last = [0x59, 0x59, 0x23, 0x05, 0x31, 0x12, 0x99];
    check(&registers(last, 0x1c, 0x00), |rtc| {
        assert_eq!(rtc.read(), Ok(Some(4_102_444_799)))
    });
}

#[test]
fn a_clock_that_stood_still_is_not_trusted() {
    check(&registers(SET, 0x1c, 0x88), |rtc| {
        assert_eq!(rtc.read(), Ok(None))
    });
}

/// A reset, unlike a loss of power, leaves the oscillator running and its flag clear.
#[test]
fn a_clock_whose_setting_was_not_completed_is_not_trusted() {
    check(&registers(SET, 0x9c, 0x08), |rtc| {
        assert_eq!(rtc.read(), Ok(None))
    });
}

/// The registers, on a bus that fails once.
struct Chip {
    registers: [u8; 19],
    /// Writes before the one that fails, and the bytes of it that the chip takes nevertheless.
    fails_at: Option<(usize, usize)>,
}

impl ErrorType for Chip {
    type Error = ErrorKind;
}

impl I2c for Chip {
    fn transaction(&mut self, address: u8, operations: &mut [Operation]) -> Result<(), ErrorKind> {
        assert_eq!(address, ADDRESS);
        let mut pointer = 0;
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    let (first, values) = bytes.split_first().unwrap();
                    pointer = usize::from(*first);
                    let fails = matches!(self.fails_at, Some((0, _))) && !values.is_empty();
                    let taken = match self.fails_at {
                        Some((0, taken)) if fails => taken.min(values.len()),
                        _ => values.len(),
                    };
                    for (at, value) in (pointer..).zip(&values[..taken]) {
                        // OSF can only be cleared.
                        let kept = if at == usize::from(STATUS) {
                            !0x80 | self.registers[at]
                        } else {
                            0xff
                        };
                        self.registers[at] = value & kept;
                    }
                    if fails {
                        self.fails_at = None;
                        return Err(ErrorKind::Other);
                    }
                    if let Some((writes, _)) = &mut self.fails_at {
                        *writes -= usize::from(!values.is_empty());
                    }
                }
                Operation::Read(out) => {
                    out.copy_from_slice(&self.registers[pointer..pointer + out.len()]);
                }
            }
        }
        Ok(())
    }
}

/// What the clock tells after a setting to 2024-04-16 00:00:00 that failed; before, it was 2023-11-14 22:13:20.
fn after_a_failure(status: u8, fails_at: (usize, usize)) -> Option<u64> {
    let mut registers = [0; 19];
    registers[..7].copy_from_slice(&[0x20, 0x13, 0x22, 0x03, 0x14, 0x11, 0x23]);
    (registers[14], registers[15]) = (0x1c, status);
    let fails_at = Some(fails_at);
    let mut rtc = Ds3231::new(Chip {
        registers,
        fails_at,
    });
    let before = rtc.read().unwrap();
    assert_eq!(before, (status & 0x80 == 0).then_some(1_700_000_000));
    assert_eq!(
        rtc.set(1_713_225_600),
        Err(Ds3231Error::Bus(ErrorKind::Other))
    );
    rtc.read().unwrap()
}

/// Whether the chip has taken nothing of the write that failed, or a part, or all: no time is told that is neither old nor new.
#[test]
fn a_setting_that_fails_leaves_the_old_time_or_the_new_or_none() {
    let [old, new] = [Some(1_700_000_000), Some(1_713_225_600)];
    for (status, none_taken, all_taken) in [
        (0x08, [old, None, None, new], [None, None, new, new]),
        (0x88, [None; 4], [None, None, None, new]),
    ] {
        for write in 0..4 {
            assert_eq!(after_a_failure(status, (write, 0)), none_taken[write]);
            assert_eq!(after_a_failure(status, (write, 7)), all_taken[write]);
        }
        for taken in 0..7 {
            assert_eq!(after_a_failure(status, (1, taken)), None);
        }
    }
}

#[test]
fn a_clock_of_twelve_hours_or_of_another_century_is_not_trusted() {
    for (register, bit) in [(2, 0x40), (5, 0x80)] {
        let mut time = SET;
        time[register] |= bit;
        check(&registers(time, 0x1c, 0x00), |rtc| {
            assert_eq!(rtc.read(), Ok(None))
        });
    }
}

#[test]
fn setting_clears_the_flag_last() {
    check(&setting(SET), |rtc| {
        assert_eq!(rtc.set(1_713_225_600), Ok(()))
    });
}

#[test]
fn what_the_chip_cant_count_is_refused() {
    check(&[], |rtc| {
        for secs in [0, 946_684_799, 4_102_444_800, u64::MAX] {
            assert_eq!(rtc.set(secs), Err(Ds3231Error::OutOfRange));
        }
    });
}

fn bcd(value: u32) -> u8 {
    (value / 10 * 16 + value % 10) as u8
}

proptest! {
    #[test]
    fn any_second_is_set_and_read_as_the_calendar_has_it(secs in 946_684_800u64..4_102_444_800) {
        let time = DateTime::from_timestamp(secs as i64, 0).unwrap();
        let fields = [
            time.second(),
            time.minute(),
            time.hour(),
            time.weekday().number_from_sunday(),
            time.day(),
            time.month(),
            time.year() as u32 - 2000,
        ]
        .map(bcd);
        let mut transactions = setting(fields);
        transactions.extend(registers(fields, 0x1c, 0x08));
        check(&transactions, |rtc| {
            assert_eq!(rtc.set(secs), Ok(()));
            assert_eq!(rtc.read(), Ok(Some(secs)));
        });
    }

    #[test]
    fn registers_are_a_date_if_the_calendar_has_one(
        mut time in proptest::array::uniform7(prop_oneof![0u8..=0x99, any::<u8>()]),
        small in (0u8..0x60, 0u8..0x24, 0u8..0x32, 0u8..0x13),
        likely in any::<bool>(),
    ) {
        if likely {
            (time[0], time[1]) = (small.0, small.0);
            (time[2], time[4], time[5]) = (small.1, small.2, small.3);
        }
        time[2] &= !0x40;
        time[5] &= !0x80;
        let [second, minute, hour, _, day, month, year] = time.map(|byte| {
            (byte & 0xf < 10 && byte >> 4 < 10).then(|| u32::from(byte >> 4) * 10 + u32::from(byte & 0xf))
        });
        let expected = (|| {
            NaiveDate::from_ymd_opt(2000 + year? as i32, month?, day?)?
                .and_hms_opt(hour?, minute?, second?)
        })();
        let expected = expected.map(|time| time.and_utc().timestamp() as u64);
        check(&registers(time, 0x1c, 0x00), |rtc| {
            assert_eq!(rtc.read(), expected.map(Some).ok_or(Ds3231Error::NoDate));
        });
    }
}
