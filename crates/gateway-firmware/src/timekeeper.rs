//! What is remembered of the time without power: the real-time clock, and the record beside it.

use core::cell::RefCell;

use api_auth::{Clock, Reading, Source};
use embassy_time::Timer;
use embedded_storage::nor_flash::MultiwriteNorFlash;
use secure_store::{CLOCK_VERSION, ClockRecord, Key, Rtc, StoreError};

use crate::board::Board;
use crate::common::Common;
use crate::shared::uptime_ms;
use crate::store::BoardStore;

/// Seconds by which the real-time clock may be off before it is set.
const TOLERANCE_SECS: u64 = 2;

/// Seconds after which the real-time clock is set again, so that how far it can have drifted is known.
const RENEW_SECS: u64 = 7 * 86_400;

/// Seconds by which the floor has to rise before it is written down.
const FLOOR_STEP_SECS: u64 = 86_400;

/// Seconds between two looks at the real-time clock while there is no time: it may be a loose wire.
const LOOK_SECS: u64 = 5;

/// The real-time clock, if there is one, and what is written down of it.
pub(crate) struct Timekeeper<R> {
    rtc: Option<R>,
    /// What is written down, or `None` until that was read.
    record: Option<ClockRecord>,
}

impl<R: Rtc> Timekeeper<R> {
    pub fn new(rtc: Option<R>) -> Self {
        Self { rtc, record: None }
    }

    /// Reads what was written down.
    pub fn load<F: MultiwriteNorFlash>(
        &mut self,
        store: &RefCell<BoardStore<F>>,
    ) -> Result<(), StoreError<F::Error>> {
        let mut value = [0; ClockRecord::LEN];
        let Ok(mut store) = store.try_borrow_mut() else {
            return Ok(());
        };
        self.record = Some(match store.get(Key::CLOCK, &mut value)? {
            None => ClockRecord::default(),
            Some(record) if record.version != CLOCK_VERSION => {
                let version = record.version;
                return Err(StoreError::NewerRecord { version });
            }
            Some(record) => ClockRecord::decode(record.value).ok_or(StoreError::Malformed)?,
        });
        Ok(())
    }

    /// Whether what was written down is known. Until then there is no floor, so that no time is to be trusted.
    pub const fn is_loaded(&self) -> bool {
        self.record.is_some()
    }

    /// Returns the floor that was written down, 0 if none is known.
    pub fn floor_secs(&self) -> u64 {
        self.record.map_or(0, |record| record.floor_secs)
    }

    /// Returns what the real-time clock says, or `None` if it is absent, silent or has stopped, or what was
    /// written down is not known.
    pub fn reading(&mut self) -> Option<Reading> {
        let record = self.record?;
        let unix_secs = self.rtc.as_mut()?.read().ok()??;
        let age = |set_secs| {
            unix_secs
                .checked_sub(set_secs)
                .and_then(|age| u32::try_from(age).ok())
        };
        Some(Reading {
            unix_secs,
            source: Source::Rtc,
            age_secs: record.rtc_set_secs.and_then(age).unwrap_or(u32::MAX),
        })
    }

    /// Sets the real-time clock by a better one if it needs it, and writes down what has changed.
    ///
    /// It does nothing until what was written down is known: that would be lost.
    pub fn keep<F: MultiwriteNorFlash>(
        &mut self,
        clock: &Clock,
        uptime_ms: u64,
        store: &RefCell<BoardStore<F>>,
    ) -> Result<(), StoreError<F::Error>> {
        let Some(old) = self.record else {
            return Ok(());
        };
        let mut record = old;
        if clock.floor_secs() >= record.floor_secs.saturating_add(FLOOR_STEP_SECS) {
            record.floor_secs = clock.floor_secs();
        }
        if let Ok(now) = clock.now(uptime_ms)
            && now.source() != Source::Rtc
            && let Some(rtc) = &mut self.rtc
        {
            let now_secs = now.unix_secs();
            let rtc_secs = rtc.read().ok().flatten();
            let right = rtc_secs.is_some_and(|rtc| rtc.abs_diff(now_secs) <= TOLERANCE_SECS);
            let set_secs = record.rtc_set_secs;
            let fresh = set_secs.is_some_and(|set| now_secs.abs_diff(set) < RENEW_SECS);
            if !(right && fresh) && rtc.set(now_secs).is_ok() {
                record.rtc_set_secs = Some(now_secs);
            }
        }
        if record != old
            && let Ok(mut store) = store.try_borrow_mut()
        {
            store.put(Key::CLOCK, CLOCK_VERSION, &record.encode())?;
            self.record = Some(record);
        }
        Ok(())
    }
}

/// Tells the sender the time as soon as the real-time clock answers, while there is none.
pub(crate) async fn look_again<B: Board>(common: &Common<'_, B>) -> ! {
    loop {
        Timer::after_secs(LOOK_SECS).await;
        let now_ms = uptime_ms();
        if let Ok(clock) = common.clock.try_borrow()
            && clock.now(now_ms).is_err()
            && !common.reading.signaled()
            && let Ok(mut timekeeper) = common.timekeeper.try_borrow_mut()
            && let Some(reading) = timekeeper.reading()
            // One that is refused is as good as none, and not to be spoken of each time.
            && clock.clone().set(reading, now_ms).is_ok()
        {
            common.reading.signal((reading, now_ms));
        }
    }
}
