//! A way to the server that is given back.

use sms_alert::{Connect, Host};

/// Opens streams by somebody else's means.
pub(crate) struct Lent<'a, C>(pub &'a mut C);

impl<C: Connect> Connect for Lent<'_, C> {
    type Error = C::Error;
    type Stream<'s>
        = C::Stream<'s>
    where
        Self: 's;

    async fn connect(&mut self, host: Host<'_>) -> Result<C::Stream<'_>, C::Error> {
        self.0.connect(host).await
    }

    fn is_secure(&self) -> bool {
        self.0.is_secure()
    }
}
