//! What the armed faults mean for one request.

use std::time::Duration;

use crate::Api;
use crate::fault::{Fault, Kind, When};
use crate::framing::Shape;

/// The faults of one request, one a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) clock_skew: Option<i64>,
    /// The status that is answered instead of carrying the request out, and the hint that comes with a 429.
    pub(crate) failure: Option<(u16, Option<u32>)>,
    pub(crate) delay: Option<Duration>,
    pub(crate) shape: Option<Shape>,
    pub(crate) cut: Option<Cut>,
}

/// Where a connection breaks, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) side: Side,
    /// Bytes of that side's traffic that pass unharmed.
    pub(crate) after: usize,
    pub(crate) end: End,
}

/// Which half of an exchange is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// What becomes of a connection that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// FIN, without TLS's close_notify.
    Close,
    /// RST.
    Reset,
    /// Nothing, until the client closes it.
    Stall,
}

impl Plan {
    /// Takes what hits the next request to `api` out of the armed faults, and removes those that are used up.
    pub(crate) fn take(faults: &mut Vec<Fault>, api: Api) -> Self {
        let mut plan = Self::default();
        for fault in faults.iter_mut() {
            let hits = fault.api.is_none_or(|only| only == api) && plan.add(&fault.kind);
            if let (true, When::Next(count)) = (hits, &mut fault.when) {
                *count = count.saturating_sub(1);
            }
        }
        faults.retain(|fault| fault.when != When::Next(0));
        plan
    }

    /// Adds a fault to its layer, unless an earlier one has it.
    fn add(&mut self, kind: &Kind) -> bool {
        let cut = |side, after: &usize, end| Cut {
            side,
            after: *after,
            end,
        };
        match kind {
            Kind::ClockSkew(secs) => put(&mut self.clock_skew, *secs),
            Kind::Status(status) => put(&mut self.failure, (*status, None)),
            Kind::RateLimited { retry_after } => put(&mut self.failure, (429, *retry_after)),
            Kind::Delay(time) => put(&mut self.delay, *time),
            Kind::ChunkedBody => put(&mut self.shape, Shape::Chunked),
            Kind::TwoContentLengths => put(&mut self.shape, Shape::TwoContentLengths),
            Kind::OneHundredContinue => put(&mut self.shape, Shape::OneHundredContinue),
            Kind::OversizeBody(spaces) => put(&mut self.shape, Shape::Oversize(*spaces)),
            Kind::Garbage => put(&mut self.shape, Shape::Garbage),
            Kind::DropAfterRequestBytes(n) => put(&mut self.cut, cut(Side::Request, n, End::Close)),
            Kind::ResetAfterRequestBytes(n) => {
                put(&mut self.cut, cut(Side::Request, n, End::Reset))
            }
            Kind::DropAfterResponseBytes(n) => {
                put(&mut self.cut, cut(Side::Response, n, End::Close))
            }
            Kind::ResetAfterResponseBytes(n) => {
                put(&mut self.cut, cut(Side::Response, n, End::Reset))
            }
            Kind::StallAfterResponseBytes(n) => {
                put(&mut self.cut, cut(Side::Response, n, End::Stall))
            }
        }
    }
}

fn put<T>(layer: &mut Option<T>, value: T) -> bool {
    let free = layer.is_none();
    layer.get_or_insert(value);
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_one_layer_take_turns() {
        let mut faults = vec![
            Fault::next(1, Kind::Status(401)),
            Fault::next(2, Kind::Status(503)),
            Fault::always(Kind::ChunkedBody).on(Api::Heyoo),
        ];
        let first = Plan::take(&mut faults, Api::Heyoo);
        assert_eq!(first.failure, Some((401, None)));
        assert_eq!(first.shape, Some(Shape::Chunked));
        let second = Plan::take(&mut faults, Api::KeyId);
        assert_eq!(second.failure, Some((503, None)));
        assert_eq!(second.shape, None);
        assert_eq!(
            Plan::take(&mut faults, Api::KeyId).failure,
            Some((503, None))
        );
        assert_eq!(Plan::take(&mut faults, Api::KeyId), Plan::default());
        assert_eq!(faults.len(), 1);
    }
}
