//! The server's side of a connection: accept, TLS, hyper over the fault-injecting stream, one request after another.

use std::error::Error;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::http::{Reply, Request};
use crate::plan::Plan;
use crate::socket::Socket;
use crate::state::{Context, State};
use crate::wire::{Shared, Wire};
use crate::{Api, clock};

/// The longest request body, in bytes; a longer one breaks the connection off.
const MAX_BODY: usize = 1 << 20;

/// How long a TLS handshake may take; an emulated device on a busy machine needs a minute.
const HANDSHAKE: Duration = Duration::from_secs(120);

/// Locks the state; a panic elsewhere leaves nothing in it that is half done.
pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the task of every connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
    acceptor: Option<TlsAcceptor>,
}

impl Server {
    pub(crate) fn new(state: Arc<Mutex<State>>, acceptor: Option<TlsAcceptor>) -> Self {
        Self { state, acceptor }
    }

    /// Serves every connection to an API's listener, each in a task of its own.
    pub(crate) async fn accept(self, api: Api, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(self.clone().serve(api, stream));
                }
                // Mostly for want of file descriptors: some connection has to end first.
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn serve(self, api: Api, stream: TcpStream) {
        // A response's pieces go out as they are written, which is what a client has to cope with.
        let _ = stream.set_nodelay(true);
        let socket = match &self.acceptor {
            None => Socket::Plain(stream),
            Some(acceptor) => match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Socket::Tls(Box::new(stream)),
                _ => return,
            },
        };
        let shared = Shared::default();
        let state = Arc::clone(&self.state);
        let next_plan = move || Plan::take(&mut lock(&state).faults, api);
        let wire = Wire::new(socket, shared.clone(), next_plan);
        let service = service_fn(|request| Box::pin(self.respond(api, &shared, request)));
        let mut connection = http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(wire), service);
        // Without hyper's own shutdown, so that the connection can end as a fault wants it.
        let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
        let socket = connection.into_parts().io.into_inner().into_inner();
        socket.finish(shared.end()).await;
    }

    async fn respond(
        &self,
        api: Api,
        shared: &Shared,
        incoming: hyper::Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
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
        let reply = self.judge(api, &request, &plan);
        if let Some(time) = plan.delay {
            sleep(time).await;
        }
        shared.answer(plan.shape.map(|shape| shape.encode(&reply)));
        let closes = plan.shape.is_some_and(|shape| shape.closes());
        Ok(render(reply, closes)?)
    }

    /// Carries a request out and completes the reply with the fields that every response has.
    fn judge(&self, api: Api, request: &Request, plan: &Plan) -> Reply {
        let mut state = lock(&self.state);
        let now = state
            .clock
            .now()
            .saturating_add(plan.clock_skew.unwrap_or(0));
        let request_id = Uuid::new_v4().to_string();
        let context = Context {
            now,
            request_id: &request_id,
        };
        state
            .answer(api, request, plan, &context)
            .header("date", clock::http_date(now))
            .header("x-request-id", &request_id)
    }
}

/// The reply as hyper writes it; what goes out may be a fault's rendering of it instead.
fn render(reply: Reply, closes: bool) -> hyper::http::Result<Response<Full<Bytes>>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if closes {
        response = response.header("connection", "close");
    }
    response.body(Full::from(reply.body))
}
