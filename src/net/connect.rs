//! How a connection comes to be: names, addresses tried in turn, time-outs, keep-alive.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use socket2::{Domain, SockAddr, Socket, TcpKeepalive, Type};

use super::link::Link;
use super::target::Address;
use super::tls::Tls;

/// A peer that takes a stream.
#[derive(Clone, Debug)]
pub enum Place {
    Tcp(Address),
    Tls(Address, Tls),
    Unix(PathBuf),
}

/// How to reach it.
#[derive(Clone, Debug)]
pub struct Connector {
    pub place: Place,
    /// For each connection attempt to one address, and for every write.
    pub timeout: Duration,
    /// How long a TCP connection may be silent before it is asked whether it lives; None: never.
    pub keep_alive: Option<Duration>,
}

impl Connector {
    /// Connects, to the first address that answers; `most` bounds each attempt beside the time-out.
    ///
    /// # Errors
    /// The last address' own.
    pub fn connect(&self, most: Duration) -> Result<Link> {
        let timeout = self.timeout.min(most);
        let socket = match &self.place {
            Place::Unix(path) => {
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.connect(&SockAddr::unix(path)?)?;
                socket
            }
            Place::Tcp(address) => self.tcp(address, timeout)?,
            Place::Tls(address, tls) => {
                let socket = self.tcp(address, timeout)?;
                // For the greeting alone: afterwards nobody waits for what the peer says.
                socket.set_read_timeout(Some(timeout))?;
                socket.set_write_timeout(Some(self.timeout))?;
                return Ok(Link::tls(socket, tls.connection()?)?);
            }
        };
        socket.set_write_timeout(Some(self.timeout))?;
        Ok(Link::plain(socket))
    }

    fn tcp(&self, address: &Address, timeout: Duration) -> Result<Socket> {
        let mut failed = anyhow!("{}: has no address", address.host);
        for address in resolve(address)? {
            match self.tcp_to(address, timeout) {
                Ok(socket) => return Ok(socket),
                Err(error) => failed = error.into(),
            }
        }
        Err(failed)
    }

    fn tcp_to(&self, address: SocketAddr, timeout: Duration) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.connect_timeout(&address.into(), timeout).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => io::Error::new(error.kind(), "no answer (--timeout)"),
            _ => error,
        })?;
        // A batch goes out in one write, and waiting for more would only delay it.
        socket.set_tcp_nodelay(true)?;
        if let Some(time) = self.keep_alive {
            let keep_alive = TcpKeepalive::new().with_time(time);
            #[cfg(not(target_os = "openbsd"))]
            let keep_alive = keep_alive.with_interval(time / 4 + Duration::from_secs(1)).with_retries(4);
            socket.set_tcp_keepalive(&keep_alive)?;
        }
        Ok(socket)
    }
}

/// All addresses of a name, in the system's order.
///
/// # Errors
/// When there is none.
pub fn resolve(address: &Address) -> Result<Vec<SocketAddr>> {
    let port = address.port.unwrap_or_default();
    let found = (address.host.as_str(), port).to_socket_addrs();
    let found: Vec<SocketAddr> = found.with_context(|| address.host.clone())?.collect();
    match found.is_empty() {
        true => Err(anyhow!("{}: has no address", address.host)),
        false => Ok(found),
    }
}
