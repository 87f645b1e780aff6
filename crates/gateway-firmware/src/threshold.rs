//! When a temperature is too high.

/// Thousandths of a degree by which a temperature has to fall below the limit before it can be too high again.
pub const HYSTERESIS_MILLIDEGREES: i32 = 2_000;

/// A limit that is not crossed again by every flicker.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    limit: i32,
    above: bool,
}

impl Threshold {
    /// Returns a limit, in thousandths of a degree Celsius.
    pub const fn new(limit_millidegrees: i32) -> Self {
        Self {
            limit: limit_millidegrees,
            above: false,
        }
    }

    /// Returns the limit, in thousandths of a degree Celsius.
    pub const fn limit_millidegrees(&self) -> i32 {
        self.limit
    }

    /// Takes a measurement and says whether the limit was just reached.
    ///
    /// ```
    /// use gateway_firmware::Threshold;
    ///
    /// let mut limit = Threshold::new(30_000);
    /// assert!(!limit.reaches(29_999));
    /// assert!(limit.reaches(30_000));
    /// assert!(!limit.reaches(28_500)); // not far enough below
    /// assert!(!limit.reaches(31_000));
    /// assert!(!limit.reaches(27_999));
    /// assert!(limit.reaches(30_001));
    /// ```
    pub const fn reaches(&mut self, millidegrees: i32) -> bool {
        if !self.above && millidegrees >= self.limit {
            self.above = true;
            return true;
        }
        if self.above && millidegrees < self.limit.saturating_sub(HYSTERESIS_MILLIDEGREES) {
            self.above = false;
        }
        false
    }
}
