//! Everything the four APIs share: clock, credentials, armed faults, and the record of what came in.

use crate::clock::Clock;
use crate::fault::Fault;
use crate::heymarket::Inbox;
use crate::http::{Reply, Request};
use crate::limit::Window;
use crate::plan::Plan;
use crate::record::{Entry, Job, Message, Verdict};
use crate::{Api, Credentials, heymarket, heyoo, hookmesh, key_id};

/// The state behind the server's one lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) credentials: Credentials,
    pub(crate) faults: Vec<Fault>,
    pub(crate) inboxes: Vec<Inbox>,
    pub(crate) log: Vec<Entry>,
    pub(crate) messages: Vec<Message>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) limits: Limits,
}

/// The documented rate limits.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Heymarket: 500 requests a minute.
    pub(crate) heymarket: Window,
    /// Hook Mesh: 100 webhook jobs a second.
    pub(crate) jobs: Window,
    /// Hook Mesh: 10 API keys an hour.
    pub(crate) key_creation: Window,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heymarket: Window::new(500, 60),
            jobs: Window::new(100, 1),
            key_creation: Window::new(10, 3600),
        }
    }
}

/// What a handler needs besides the request: the time as this server sees it, and the request's id.
pub(crate) struct Context<'a> {
    pub(crate) now: i64,
    pub(crate) request_id: &'a str,
}

/// A reply, and why it is what it is.
pub(crate) type Answer = (Reply, Verdict);

impl State {
    pub(crate) fn new(credentials: Credentials, inboxes: Vec<Inbox>) -> Self {
        Self {
            clock: Clock::default(),
            credentials,
            faults: Vec::new(),
            inboxes,
            log: Vec::new(),
            messages: Vec::new(),
            jobs: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Carries out a request, or what a fault puts in its place, and records it.
    pub(crate) fn answer(
        &mut self,
        api: Api,
        request: &Request,
        plan: &Plan,
        context: &Context<'_>,
    ) -> Reply {
        let (reply, verdict) = match plan.failure {
            Some((status, retry_after)) => (
                failure(api, status, retry_after, context),
                Verdict::Fault(status),
            ),
            None => match api {
                Api::Heymarket => heymarket::answer(self, request, context),
                Api::KeyId => key_id::answer(self, request, context),
                Api::Heyoo => heyoo::answer(self, request),
                Api::HookMesh => hookmesh::answer(self, request, context),
            },
        };
        self.log.push(Entry {
            api,
            at: context.now,
            method: request.method.clone(),
            path: request.path.clone(),
            body: request.json(),
            request_id: context.request_id.into(),
            status: reply.status,
            verdict,
        });
        reply
    }
}

fn failure(api: Api, status: u16, retry_after: Option<u32>, context: &Context<'_>) -> Reply {
    match api {
        Api::Heymarket => heymarket::failure(status, retry_after),
        Api::KeyId => key_id::failure(status, retry_after),
        Api::Heyoo => heyoo::failure(status, retry_after),
        Api::HookMesh => hookmesh::failure(status, retry_after, context.now),
    }
}
