//! Peers on loopback that lines are sent to: bare sockets, a TLS server with an authority of its own, real daemons.

use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::harness::World;

pub fn listener() -> (u16, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap().port(), listener)
}

/// Accepts one connection and reads all that comes.
pub fn receiver() -> (u16, JoinHandle<Vec<u8>>) {
    let (port, listener) = listener();
    (port, spawn(move || read(listener.accept().unwrap().0)))
}

pub fn read(mut stream: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

pub fn udp() -> (u16, UdpSocket) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    (socket.local_addr().unwrap().port(), socket)
}

pub fn datagram(socket: &UdpSocket) -> String {
    let mut bytes = vec![0; 70_000];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Writes `ca.pem`, `other.pem` (another authority), `NAME.pem` and `NAME.key` for localhost, for another host, for
/// somebody whose time is over, and for a client.
pub fn certificates(world: &World) {
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (pem, Issuer::new(params, key))
    };
    let (pem, issuer) = authority();
    world.put("ca.pem", pem);
    world.put("other.pem", authority().0);
    for (name, host) in [("good", "localhost"), ("elsewhere", "example.org"), ("expired", "localhost"), ("us", "us")] {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        if name == "expired" {
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        world.put(&format!("{name}.pem"), params.signed_by(&key, &issuer).unwrap().pem());
        world.put(&format!("{name}.key"), key.serialize_pem());
    }
}

/// A TLS server with the certificate `name`, which reads one connection to its end; `client` asks for a certificate.
pub fn tls_receiver(world: &World, name: &str, client: bool) -> (u16, JoinHandle<Vec<u8>>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.path("ca.pem")).unwrap()).unwrap();
    let builder = match client {
        true => builder.unwrap().with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap(),
        ),
        false => builder.unwrap().with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_file(world.path(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(world.path(&format!("{name}.key"))).unwrap();
    let config = Arc::new(builder.with_single_cert(chain, key).unwrap());
    let (port, listener) = listener();
    let serve = move || {
        // A client that does not like us leaves at once, and tries again.
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut bytes = Vec::new();
            if stream.read_to_end(&mut bytes).is_ok() {
                return bytes;
            }
        }
        Vec::new()
    };
    (port, spawn(serve))
}

/// A process that ends with the test.
pub struct Daemon(Child);

impl Daemon {
    /// None where it is not installed, unless it has to be.
    pub fn start(command: &mut Command) -> Option<Self> {
        match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(child) => Some(Self(child)),
            Err(error) => {
                let why = format!("left out, {command:?} cannot be started: {error}");
                assert!(std::env::var("LOGHAND_PEERS").as_deref() != Ok("required"), "{why}");
                eprintln!("{why}");
                None
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads lines until `most` have come or the other side closes.
pub fn some_lines(stream: &TcpStream, most: usize) -> Vec<String> {
    use std::io::BufRead;
    let mut reader = std::io::BufReader::new(stream);
    let mut lines = Vec::new();
    let mut line = String::new();
    while lines.len() < most && reader.read_line(&mut line).unwrap_or(0) > 0 {
        let whole = std::mem::take(&mut line);
        if let Some(text) = whole.strip_suffix('\n') {
            lines.push(text.to_owned());
        }
    }
    lines
}
