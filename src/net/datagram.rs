//! Sockets for datagrams: UDP to one host, to all of a network or to a group, and Unix datagram sockets.

use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::connect::resolve;
use super::link::timed_out;
use super::target::Address;

/// As much of UDP as fits into an IP packet, with the headers of IPv4 and IPv6.
const UDP4: usize = 65_535 - 8 - 20;
const UDP6: usize = 65_535 - 8 - 40;
/// What Linux adds to a datagram before it compares it with the buffer.
const OVERHEAD: usize = 32;
/// Datagrams in one system call.
pub const MANY: usize = 256;

/// A peer that takes datagrams.
#[derive(Clone, Debug)]
pub enum Place {
    Udp(Address),
    Unix(PathBuf),
}

/// How to reach it.
#[derive(Clone, Debug)]
pub struct DatagramConnector {
    pub place: Place,
    /// For every write.
    pub timeout: Duration,
    /// How many routers a packet may pass.
    pub ttl: Option<u8>,
    /// The network interface to send by: its name, or an address of it.
    pub interface: Option<String>,
}

/// An open socket.
pub struct Datagrams {
    socket: Socket,
    /// The longest datagram that it takes, in bytes.
    pub limit: usize,
    /// Whether it may be told of a datagram's fate only later (ICMP).
    pub is_udp: bool,
}

impl DatagramConnector {
    /// Opens a socket, to the first address that there is a way to.
    ///
    /// # Errors
    /// The last address' own.
    pub fn connect(&self) -> Result<Datagrams> {
        let datagrams = match &self.place {
            Place::Unix(path) => {
                let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
                socket.connect(&SockAddr::unix(path)?)?;
                let limit = socket.send_buffer_size()?.saturating_sub(OVERHEAD);
                Datagrams { socket, limit, is_udp: false }
            }
            Place::Udp(address) => {
                let mut failed = anyhow!("{}: has no address", address.host);
                let mut opened = None;
                for address in resolve(address)? {
                    match self.udp(address) {
                        Ok(socket) => {
                            let limit = if address.is_ipv4() { UDP4 } else { UDP6 };
                            opened = Some(Datagrams { socket, limit, is_udp: true });
                            break;
                        }
                        Err(error) => failed = error,
                    }
                }
                opened.ok_or(failed)?
            }
        };
        datagrams.socket.set_write_timeout(Some(self.timeout))?;
        Ok(datagrams)
    }

    fn udp(&self, to: SocketAddr) -> Result<Socket> {
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, None)?;
        let multicast = to.ip().is_multicast();
        if to.is_ipv4() {
            socket.set_broadcast(true)?;
        }
        if let Some(ttl) = self.ttl.map(u32::from) {
            match (to.is_ipv4(), multicast) {
                (true, true) => socket.set_multicast_ttl_v4(ttl)?,
                (true, false) => socket.set_ttl_v4(ttl)?,
                (false, true) => socket.set_multicast_hops_v6(ttl)?,
                (false, false) => socket.set_unicast_hops_v6(ttl)?,
            }
        }
        if let Some(interface) = &self.interface {
            let by = || format!("--interface {interface}");
            match interface.parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) if multicast => socket.set_multicast_if_v4(&address).with_context(by)?,
                Ok(address) => socket.bind(&SocketAddr::new(address, 0).into()).with_context(by)?,
                Err(_) => bind_device(&socket, interface).with_context(by)?,
            }
        }
        socket.connect(&to.into())?;
        Ok(socket)
    }
}

#[cfg(target_os = "linux")]
fn bind_device(socket: &Socket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_device(_socket: &Socket, _name: &str) -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, "this system takes an address of the interface alone"))
}

impl Datagrams {
    /// Sends the first of them, as many as go at once, and says how many; fewer than there are when one has failed.
    ///
    /// # Errors
    /// When the first one failed.
    pub fn send<'d>(&self, datagrams: impl Iterator<Item = &'d [u8]>) -> io::Result<usize> {
        let slices: Vec<[IoSlice<'_>; 1]> = datagrams.take(MANY).map(|datagram| [IoSlice::new(datagram)]).collect();
        loop {
            match send_many(&self.socket, &slices) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                sent => return sent.map_err(timed_out),
            }
        }
    }

    /// What has become known of datagrams that were sent before.
    pub fn take_error(&self) -> Option<io::Error> {
        self.socket.take_error().ok().flatten()
    }
}

/// Whether the system is only busy: a full queue of a network card, which empties by itself.
pub fn is_busy(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::NOBUFS)
}

#[cfg(target_os = "linux")]
fn send_many(socket: &Socket, slices: &[[IoSlice<'_>; 1]]) -> io::Result<usize> {
    use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
    let mut nothing: Vec<SendAncillaryBuffer<'_, '_, '_>> = Vec::new();
    nothing.resize_with(slices.len(), SendAncillaryBuffer::default);
    let mut messages: Vec<MMsgHdr<'_>> =
        slices.iter().zip(&mut nothing).map(|(slice, nothing)| MMsgHdr::new(slice, nothing)).collect();
    Ok(sendmmsg(socket, &mut messages, SendFlags::NOSIGNAL)?)
}

#[cfg(not(target_os = "linux"))]
fn send_many(socket: &Socket, slices: &[[IoSlice<'_>; 1]]) -> io::Result<usize> {
    match slices.first() {
        Some([slice]) => socket.send(slice).map(|_| 1),
        None => Ok(0),
    }
}
