//! One request and its answer, explained to a person when it is no success.

use api_auth::{AGREEMENT_SECS, Action, Api, Rejection};
use sms_alert::{
    Connect, ErrorBody, ExchangeError, Head, HeaderValue, Method, Request, Response, Target,
    block_on, exchange, facts,
};
use zeroize::Zeroizing;

use crate::connector::Connector;
use crate::credentials::Secrets;
use crate::exit::{Exit, Failure};
use crate::moment;
use crate::session::{self, HostSession};
use crate::transport::LinkError;

/// Bytes of an answer that are looked at.
const RESPONSE_LEN: usize = 128 * 1024;

/// Bytes of the head of a request, and of the pieces that an answer is received in.
const SCRATCH_LEN: usize = 8 * 1024;

/// Calls one API with one credential.
pub struct Caller<'c> {
    secrets: &'c Secrets,
    session: HostSession,
    connector: &'c Connector,
    last: Option<Action>,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The path from the root of the API.
    pub path: &'a str,
    /// The last segment of the path, if it came from elsewhere.
    pub segment: Option<&'a str>,
    /// The JSON body.
    pub body: Option<&'a [u8]>,
}

impl<'a> Call<'a> {
    /// Reads.
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::Get,
            path,
            segment: None,
            body: None,
        }
    }

    /// Creates.
    pub fn post(path: &'a str, body: &'a [u8]) -> Self {
        Self {
            method: Method::Post,
            path,
            segment: None,
            body: Some(body),
        }
    }

    /// Removes.
    pub fn delete(path: &'a str, segment: &'a str) -> Self {
        Self {
            method: Method::Delete,
            path,
            segment: Some(segment),
            body: None,
        }
    }
}

/// An answer with a status of 200 to 299; its body may be a new key.
pub struct Answer {
    /// Its head.
    pub head: Head,
    /// Its body, or as much of it as is looked at.
    pub text: Zeroizing<String>,
    /// Whether the body has more than that.
    pub is_cut: bool,
}

impl<'c> Caller<'c> {
    /// Prepares calls; nothing is sent.
    pub fn new(secrets: &'c Secrets, connector: &'c Connector) -> Result<Self, Failure> {
        let session = session::open(secrets, None)?;
        Ok(Self::with(session, secrets, connector))
    }

    /// Prepares calls with a session that has more than the one credential.
    pub fn with(session: HostSession, secrets: &'c Secrets, connector: &'c Connector) -> Self {
        Self {
            secrets,
            session,
            connector,
            last: None,
        }
    }

    /// Whether the last refusal has led to another credential or a corrected clock, with which to call again.
    pub fn has_remedy(&self) -> bool {
        let remedies = |action| {
            matches!(
                action,
                Action::CorrectClock { .. } | Action::SwitchSecret { .. }
            )
        };
        self.last.is_some_and(remedies)
    }

    /// Returns the session with what it has learnt.
    pub fn into_session(self) -> HostSession {
        self.session
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// Whatever is no success, with what it means for the exit code.
    pub fn call(&mut self, call: Call<'_>) -> Result<Answer, Failure> {
        let endpoint = &self.connector.endpoint;
        let path = endpoint.target(call.path);
        let mut target = Target::new(&path).map_err(Failure::usage)?;
        if let Some(segment) = call.segment {
            target = target.with_segment(segment).map_err(Failure::usage)?;
        }
        self.last = None;
        let host = self.connector.host()?;
        let mut link = self.connector;
        let mut stream = block_on(link.connect(host)).map_err(|error| self.unreached(error))?;
        let authorization = self
            .session
            .authorize(session::uptime_ms())
            .map_err(Failure::usage)?;
        let request = Request {
            method: call.method,
            host,
            target,
            authorization: Some(HeaderValue::new(authorization.value()).map_err(Failure::usage)?),
            body: call.body,
        };
        let mut response = Box::new(Response::<RESPONSE_LEN>::new());
        let mut scratch = Zeroizing::new([0; SCRATCH_LEN]);
        // The stream has the deadline.
        let exchanged = block_on(exchange(
            &mut stream,
            &request,
            &mut *scratch,
            &mut response,
            || false,
        ));
        let secure = endpoint.tls;
        let now = moment::now();
        let (facts, error) = facts(call.method, &exchanged, &response, secure, Some(now));
        let action = self.session.answered(&facts, session::uptime_ms());
        self.last = Some(action);
        match (response.head(), exchanged) {
            (Some(head), Ok(())) if (200..300).contains(&head.status) => Ok(Answer {
                head: head.clone(),
                text: Zeroizing::new(response.text().into()),
                is_cut: response.dropped() > 0,
            }),
            (Some(head), _) if !(200..300).contains(&head.status) => {
                Err(self.refusal(head, &error, action, now))
            }
            (_, Err(error)) => Err(self.unanswered(&error, call.method)),
            (_, Ok(())) => Err(Failure::invalid("the answer has no head")),
        }
    }

    fn unreached(&self, error: LinkError) -> Failure {
        match error {
            LinkError::Trust(failure) => failure,
            error => Failure::new(
                Exit::Retry,
                format_args!("nothing was sent to {}: {error}", self.connector.endpoint),
            ),
        }
    }

    fn unanswered(&self, error: &ExchangeError<LinkError>, method: Method) -> Failure {
        if let ExchangeError::Request(error) = error {
            return Failure::usage(format_args!("nothing was sent: {error}"));
        }
        let exit = match error.may_have_reached() && !method.is_idempotent() {
            true => Exit::MaybeSent,
            false => Exit::Retry,
        };
        Failure::new(
            exit,
            format_args!("no usable answer from {}: {error}", self.connector.endpoint),
        )
    }

    fn refusal(&self, head: &Head, error: &ErrorBody, action: Action, now: u64) -> Failure {
        let skew = head.date.map(|date| i128::from(now) - i128::from(date));
        let (exit, meaning) = meaning(self.secrets.api, head, action, skew);
        let said = match error.message.trim() {
            "" => String::new(),
            message => format!(" (it says: {})", self.secrets.redact(message)),
        };
        let request_id = match head.request_id.as_str() {
            "" => "without a request id".into(),
            id => format!("request id {id}"),
        };
        Failure::new(
            exit,
            format_args!("{meaning}{said}; status {}, {request_id}", head.status),
        )
        .with("status", head.status)
        .with("request_id", head.request_id.as_str())
        .with(
            "clock_ahead_secs",
            skew.and_then(|secs| i64::try_from(secs).ok()),
        )
    }
}

/// Says in plain words what an answer that is no success means; `skew` is by how many seconds this
/// machine's clock is ahead of the server's.
fn meaning(api: &Api, head: &Head, action: Action, skew: Option<i128>) -> (Exit, String) {
    let name = api.name;
    let again = |after_secs: u32| match after_secs {
        0 => "try again later".into(),
        secs => format!("try again in {}", moment::span(secs.into())),
    };
    match action {
        Action::Rejected(Rejection::Forbidden) => (
            Exit::Rejected,
            format!("{name} knows the credential, but it has no access to this: have it allowed"),
        ),
        Action::Rejected(Rejection::NotFound) => (
            Exit::Rejected,
            format!("{name} has nothing at this address: check --base-url"),
        ),
        Action::Rejected(Rejection::Redirected) => (
            Exit::Rejected,
            "the server points elsewhere, where the credential is not sent: check --base-url"
                .into(),
        ),
        Action::Rejected(Rejection::MissingKid) => (
            Exit::Rejected,
            "the token has no kid: set KEY_ID_JWT_KID to the UUID of the access token".into(),
        ),
        Action::Rejected(_) => (
            Exit::Rejected,
            format!("{name} will not take this request: change it"),
        ),
        Action::MaybeSent => (
            Exit::MaybeSent,
            format!(
                "a proxy got no answer from {name}, which may have acted: look before trying again"
            ),
        ),
        Action::Retry { after_secs } if head.status == 429 => (
            Exit::Retry,
            format!("{name} has had too many requests: {}", again(after_secs)),
        ),
        Action::Retry { after_secs } => (
            Exit::Retry,
            format!("{name} has a problem of its own: {}", again(after_secs)),
        ),
        _ => (Exit::Rejected, unauthorized(api, skew)),
    }
}

fn unauthorized(api: &Api, skew: Option<i128>) -> String {
    let off = skew.filter(|secs| secs.unsigned_abs() > AGREEMENT_SECS.into());
    match off {
        Some(secs) if api.scheme.is_token() => {
            let size = u64::try_from(secs.unsigned_abs()).unwrap_or(u64::MAX);
            let direction = if secs > 0 { "ahead of" } else { "behind" };
            format!(
                "{} refuses the token, and this machine's clock is {} {direction} the server's: set the clock",
                api.name,
                moment::span(size)
            )
        }
        _ => format!(
            "{} refuses the credential: it is mistyped, revoked or another account's",
            api.name
        ),
    }
}
