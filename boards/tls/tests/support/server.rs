//! A rustls server that answers one line with what it was told to, and the man in the middle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::CertificateDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use super::pki::Identity;

/// How a server says goodbye.
#[derive(Clone, Copy, Debug)]
pub enum Goodbye {
    /// As TLS wants it.
    Proper,
    /// Only TCP ends.
    None,
}

pub fn config(identity: Identity, version: &'static SupportedProtocolVersion) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = identity
        .chain
        .into_iter()
        .map(CertificateDer::from)
        .collect();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, identity.key)
        .unwrap()
}

/// Serves for as long as the program runs and returns the port.
pub fn serve(config: ServerConfig, answer: &'static str, goodbye: Goodbye) -> u16 {
    let config = Arc::new(config);
    listen(move |tcp| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(connection, tcp);
        let mut line = [0; 6];
        // A client that refuses the server ends here.
        if stream.read_exact(&mut line).is_ok() {
            assert_eq!(&line, b"hello\n");
            stream.write_all(answer.as_bytes()).unwrap();
            if matches!(goodbye, Goodbye::Proper) {
                stream.conn.send_close_notify();
            }
            let _ = stream.flush();
        }
        let _ = stream.sock.shutdown(Shutdown::Write);
    })
}

/// Has `serve` see to each connection to a new port, in a thread of its own.
pub fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let serve = serve.clone();
            thread::spawn(move || serve(tcp.unwrap()));
        }
    });
    port
}

/// Passes everything on to `port`, and turns over a bit of the byte at `offset` of what the server sends.
pub fn tamper(port: u16, offset: usize) -> u16 {
    listen(move |mut client| {
        let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut from_client, mut to_server) =
            (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        let (mut passed, mut some) = (0, [0; 4096]);
        while let Ok(len @ 1..) = server.read(&mut some) {
            if let Some(byte) = offset
                .checked_sub(passed)
                .and_then(|at| some[..len].get_mut(at))
            {
                *byte ^= 1;
            }
            passed += len;
            if client.write_all(&some[..len]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    })
}
