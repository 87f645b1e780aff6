//! The running server: a thread with its own runtime, one loopback listener an API, hyper on every connection.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fault::Fault;
use crate::heymarket::Inbox;
use crate::http::{Reply, Request};
use crate::plan::Plan;
use crate::record::{Entry, Job, Message};
use crate::state::{Context, State};
use crate::wire::{Shared, Wire};
use crate::{Api, Credentials, clock, socket};

/// The longest request body that is read, in bytes.
const MAX_BODY: usize = 1 << 20;

/// What a stand-in starts with; `Config::default()` is a plain-HTTP server on free ports with example credentials.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on, which must be a loopback address.
    pub ip: IpAddr,
    /// The port of the first API of [`Api::ALL`], the others count up from it; 0 for four free ports.
    pub port: u16,
    /// What the APIs accept.
    pub credentials: Credentials,
    /// The inboxes of the Heymarket team.
    pub inboxes: Vec<Inbox>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ip: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            credentials: Credentials::default(),
            inboxes: Inbox::examples(),
        }
    }
}

/// Why a stand-in can't start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback address.
    NotLoopback(IpAddr),
    /// The port of an API can't be listened on.
    Bind(Api, io::Error),
    /// The thread or its runtime can't be made.
    Runtime(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(ip) => write!(
                f,
                "{ip} is not a loopback address; a stand-in with known credentials listens on 127.0.0.1 or ::1 alone"
            ),
            Self::Bind(api, error) => {
                write!(f, "can't listen for {api}: {error}; choose another port")
            }
            Self::Runtime(error) => write!(f, "can't start the server's thread: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotLoopback(_) => None,
            Self::Bind(_, error) | Self::Runtime(error) => Some(error),
        }
    }
}

/// A running server; dropping it closes every listener and connection.
#[derive(Debug)]
pub struct Standin {
    addresses: [(Api, SocketAddr); 4],
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Standin {
    /// Starts a server that answers when this returns.
    ///
    /// # Errors
    /// When the address is not loopback, a port is taken, or no thread can be made.
    pub fn start(config: Config) -> Result<Self, StartError> {
        if !config.ip.is_loopback() {
            return Err(StartError::NotLoopback(config.ip));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Runtime)?;
        let mut addresses = Api::ALL.map(|api| (api, SocketAddr::new(config.ip, 0)));
        let mut listeners = Vec::new();
        for ((api, address), offset) in addresses.iter_mut().zip(0..) {
            if config.port != 0 {
                address.set_port(config.port.saturating_add(offset));
            }
            let bound = runtime.block_on(TcpListener::bind(*address));
            let listener = bound.map_err(|error| StartError::Bind(*api, error))?;
            *address = listener
                .local_addr()
                .map_err(|error| StartError::Bind(*api, error))?;
            listeners.push((*api, listener));
        }
        let state = Arc::new(Mutex::new(State::new(config.credentials, config.inboxes)));
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let server = Server {
            state: Arc::clone(&state),
        };
        let thread = std::thread::Builder::new()
            .name("api-standin".into())
            .spawn(move || {
                runtime.block_on(async move {
                    let mut accepting = JoinSet::new();
                    for (api, listener) in listeners {
                        accepting.spawn(server.clone().accept(api, listener));
                    }
                    let _ = stopped.await;
                });
            })
            .map_err(StartError::Runtime)?;
        Ok(Self {
            addresses,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where an API's client should point, such as `http://127.0.0.1:40123` (for Heyoo with `/api`), without a slash at the end.
    pub fn base_url(&self, api: Api) -> String {
        format!("http://{}{}", self.address(api), api.base_path())
    }

    /// The address on which an API listens.
    pub fn address(&self, api: Api) -> SocketAddr {
        let [(_, first), ..] = self.addresses;
        self.addresses
            .iter()
            .find(|(candidate, _)| *candidate == api)
            .map_or(first, |(_, address)| *address)
    }

    /// Every request so far, oldest first, except those that a fault broke off before they were whole.
    pub fn log(&self) -> Vec<Entry> {
        self.state().log.clone()
    }

    /// Every SMS that Heymarket accepted, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.state().messages.clone()
    }

    /// Every webhook event that Hook Mesh accepted, oldest first.
    pub fn jobs(&self) -> Vec<Job> {
        self.state().jobs.clone()
    }

    /// A copy of what the APIs accept now.
    pub fn credentials(&self) -> Credentials {
        self.state().credentials.clone()
    }

    /// Changes what the APIs accept, from the next request on: to revoke, to fill a second slot, to restrict.
    pub fn change_credentials(&self, change: impl FnOnce(&mut Credentials)) {
        change(&mut self.state().credentials);
    }

    /// Stops the server's clock at `unix_secs`.
    pub fn set_now(&self, unix_secs: i64) {
        self.state().clock.set(Some(unix_secs));
    }

    /// Lets the server's clock follow the system again.
    pub fn use_system_clock(&self) {
        self.state().clock.set(None);
    }

    /// Arms a fault, after those that are armed already.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// The faults that are armed and not used up.
    pub fn faults(&self) -> Vec<Fault> {
        self.state().faults.clone()
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What every connection's task needs.
#[derive(Clone)]
struct Server {
    state: Arc<Mutex<State>>,
}

impl Server {
    async fn accept(self, api: Api, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(self.clone().serve(api, stream));
                }
                // Out of file descriptors, mostly: let some connections end first.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }

    async fn serve(self, api: Api, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let shared = Shared::default();
        let state = Arc::clone(&self.state);
        let next_plan = move || Plan::take(&mut lock(&state).faults, api);
        let wire = Wire::new(stream, shared.clone(), next_plan);
        let service = service_fn(|request| Box::pin(self.respond(api, &shared, request)));
        let mut connection = http1::Builder::new()
            .auto_date_header(false)
            .serve_connection(TokioIo::new(wire), service);
        let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
        let wire = connection.into_parts().io.into_inner();
        socket::finish(wire.into_inner(), shared.end()).await;
    }

    async fn respond(
        &self,
        api: Api,
        shared: &Shared,
        incoming: hyper::Request<Incoming>,
    ) -> Result<hyper::Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = incoming.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
        let path = head.uri.path();
        let header = head.headers.get(AUTHORIZATION);
        let request = Request {
            method: head.method.as_str().into(),
            path: path.strip_prefix(api.base_path()).unwrap_or(path).into(),
            authorization: header.map(|value| String::from_utf8_lossy(value.as_bytes()).into()),
            body: body.into(),
        };
        let plan = shared.plan();
        let request_id = Uuid::new_v4().to_string();
        let reply = {
            let mut state = lock(&self.state);
            let now = state.clock.now() + plan.clock_skew.unwrap_or(0);
            let context = Context {
                now,
                request_id: &request_id,
            };
            state
                .answer(api, &request, &plan, &context)
                .header("date", clock::http_date(now))
        };
        let reply = reply.header("x-request-id", &request_id);
        if let Some(time) = plan.delay {
            tokio::time::sleep(time).await;
        }
        shared.answer(plan.shape.map(|shape| shape.encode(&reply)));
        let closes = plan.shape.is_some_and(|shape| shape.closes());
        Ok(render(reply, closes)?)
    }
}

fn render(reply: Reply, closes: bool) -> hyper::http::Result<hyper::Response<Full<Bytes>>> {
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if closes {
        response = response.header("connection", "close");
    }
    response.body(Full::from(reply.body))
}
