//! The handle of a running stand-in: where it listens, what it received, what it should do wrong.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::config::{Config, StartError};
use crate::fault::Fault;
use crate::record::{Entry, Job, Message};
use crate::server::{Server, lock};
use crate::state::State;
use crate::tls::Tls;
use crate::{Api, Credentials};

/// A running server; dropping it closes every listener and connection.
#[derive(Debug)]
pub struct Standin {
    addresses: [(Api, SocketAddr); 4],
    ca_pem: Option<String>,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Standin {
    /// Starts a server, which answers by the time this returns.
    ///
    /// # Errors
    /// When the address is not loopback, a port is taken, or no certificate or thread can be made.
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
            let listener = runtime
                .block_on(TcpListener::bind(*address))
                .map_err(|error| StartError::Bind(*api, error))?;
            *address = listener
                .local_addr()
                .map_err(|error| StartError::Bind(*api, error))?;
            listeners.push((*api, listener));
        }
        let (ca_pem, acceptor) = match config.tls.map(Tls::new).transpose()? {
            Some(tls) => (Some(tls.ca_pem), Some(tls.acceptor)),
            None => (None, None),
        };
        let state = Arc::new(Mutex::new(State::new(config.credentials, config.inboxes)));
        let server = Server::new(Arc::clone(&state), acceptor);
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let thread = std::thread::Builder::new()
            .name("api-standin".into())
            .spawn(move || {
                runtime.block_on(async move {
                    let mut accepting = JoinSet::new();
                    for (api, listener) in listeners {
                        accepting.spawn(server.clone().accept(api, listener));
                    }
                    // The handle never sends: it drops its end.
                    let _ = stopped.await;
                });
            })
            .map_err(StartError::Runtime)?;
        Ok(Self {
            addresses,
            ca_pem,
            state,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where an API's client should point, without a slash at the end: `http://127.0.0.1:40123`, for Heyoo with `/api`.
    pub fn base_url(&self, api: Api) -> String {
        let scheme = match self.ca_pem {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}{}", self.address(api), api.base_path())
    }

    /// The address on which an API listens.
    pub fn address(&self, api: Api) -> SocketAddr {
        let [heymarket, key_id, heyoo, hookmesh] = self.addresses.map(|(_, address)| address);
        match api {
            Api::Heymarket => heymarket,
            Api::KeyId => key_id,
            Api::Heyoo => heyoo,
            Api::HookMesh => hookmesh,
        }
    }

    /// The certificate, as PEM, of the CA that a client should trust; `None` for plain HTTP.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Every request so far, oldest first, but for those that were broken off before they were whole.
    pub fn log(&self) -> Vec<Entry> {
        self.state().log.clone()
    }

    /// Every SMS that Heymarket accepted, oldest first: exactly the sends that were carried out, including those
    /// whose response a fault kept back.
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

    /// Changes what the APIs accept from the next request on: revokes, fills a second slot, restricts.
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
