//! A clock that goes on without the device's power, and says when it has not.

/// A battery-backed clock, read and set in plain Unix seconds.
pub trait Rtc {
    /// What can go wrong.
    type Error: core::error::Error;

    /// Returns the Unix seconds, or `None` if the clock has stood still since it was set, or was never set.
    ///
    /// # Errors
    /// The clock's own, for example a bus fault.
    fn read(&mut self) -> Result<Option<u64>, Self::Error>;

    /// Sets the clock, which is trusted from then on.
    ///
    /// # Errors
    /// The clock's own, for example a bus fault; the clock then has the time that it had, or the new one, or is not trusted.
    fn set(&mut self, unix_secs: u64) -> Result<(), Self::Error>;
}

/// A clock of a program on a desktop: it goes when it is told to.
///
/// ```
/// use secure_store::{FakeRtc, Rtc};
///
/// let mut rtc = FakeRtc::default();
/// assert_eq!(rtc.read(), Ok(None));
/// rtc.set(1_713_225_600)?;
/// rtc.advance(60);
/// assert_eq!(rtc.read(), Ok(Some(1_713_225_660)));
/// rtc.stop();
/// assert_eq!(rtc.read(), Ok(None));
/// # Ok::<(), core::convert::Infallible>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FakeRtc {
    unix_secs: Option<u64>,
}

impl FakeRtc {
    /// Lets some time pass.
    pub fn advance(&mut self, secs: u64) {
        self.unix_secs = self.unix_secs.map(|now| now.saturating_add(secs));
    }

    /// Takes the battery out.
    pub fn stop(&mut self) {
        self.unix_secs = None;
    }
}

impl Rtc for FakeRtc {
    type Error = core::convert::Infallible;

    fn read(&mut self) -> Result<Option<u64>, Self::Error> {
        Ok(self.unix_secs)
    }

    fn set(&mut self, unix_secs: u64) -> Result<(), Self::Error> {
        self.unix_secs = Some(unix_secs);
        Ok(())
    }
}
