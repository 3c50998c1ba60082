//! A connection that lines are written to, in the clear or by TLS, over TCP or a Unix socket.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustls::ClientConnection;
use socket2::Socket;

use crate::stop::timespec;

/// As much as is given to TLS at once: what fails then has to be sent again from there.
const SLICE: usize = 64 << 10;

/// How long a peer has to close its side.
const FAREWELL: Duration = Duration::from_millis(500);

/// An open connection; blocking, with the time-outs that its socket was given.
pub struct Link {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
}

impl Link {
    pub fn plain(socket: Socket) -> Self {
        Self { socket, tls: None }
    }

    /// Greets the other side.
    ///
    /// # Errors
    /// Those of the socket, and what TLS does not accept of the peer.
    pub fn tls(socket: Socket, mut tls: ClientConnection) -> io::Result<Self> {
        while tls.is_handshaking() {
            tls.complete_io(&mut &socket).map_err(timed_out)?;
        }
        tls.set_buffer_limit(Some(4 * SLICE));
        Ok(Self { socket, tls: Some(Box::new(tls)) })
    }

    /// Hands over a part of `bytes`, and says how much.
    ///
    /// # Errors
    /// The connection is of no use then, and what was given with this call may have arrived or not.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            loop {
                match (&self.socket).write(bytes) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    sent => return sent.map_err(timed_out),
                }
            }
        };
        let taken = tls.writer().write(&bytes[..bytes.len().min(SLICE)])?;
        while tls.wants_write() {
            match tls.write_tls(&mut &self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => drop(written.map_err(timed_out)?),
            }
        }
        Ok(taken)
    }

    /// Whether the other side still listens, as far as it has said so. What it has sent is read and forgotten: a socket
    /// that is closed with something unread takes back what it has not sent yet.
    ///
    /// # Errors
    /// What broke the connection.
    pub fn check(&mut self) -> io::Result<()> {
        let gone = || io::Error::new(ErrorKind::ConnectionAborted, "the peer has closed the connection");
        loop {
            let received = match &mut self.tls {
                None => {
                    let mut buffer = [MaybeUninit::uninit(); 4096];
                    self.socket.recv_with_flags(&mut buffer, rustix::net::RecvFlags::DONTWAIT.bits() as i32)
                }
                Some(tls) => receive(&self.socket, tls),
            };
            match received {
                Ok(0) => return Err(gone()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says that nothing more comes, and waits a moment for the other side to close as well: if it has refused what was
    /// sent (a reset, or TLS' late word on our certificate), that is the last chance to learn of it.
    ///
    /// # Errors
    /// What the other side had against it. Some of what was sent may not have arrived.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            while tls.wants_write() && tls.write_tls(&mut &self.socket)? > 0 {}
        }
        self.socket.shutdown(Shutdown::Write)?;
        let until = Instant::now() + FAREWELL;
        loop {
            match self.check() {
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => return Ok(()),
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            let _ = poll(&mut fds, timespec(left).as_ref());
        }
    }
}

/// Takes what has come by TLS and forgets it; how many bytes came from the wire.
fn receive(socket: &Socket, tls: &mut ClientConnection) -> io::Result<usize> {
    let came = tls.read_tls(&mut AtOnce(socket))?;
    let state = tls.process_new_packets().map_err(io::Error::other)?;
    let mut rest = vec![0; state.plaintext_bytes_to_read()];
    tls.reader().read_exact(&mut rest)?;
    Ok(if state.peer_has_closed() { 0 } else { came })
}

/// Reads what is there and does not wait.
struct AtOnce<'s>(&'s Socket);

impl Read for AtOnce<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustix::net::recv(self.0, buffer, rustix::net::RecvFlags::DONTWAIT).map(|(len, _)| len).map_err(Into::into)
    }
}

/// A socket's time-out looks as if it were non-blocking.
pub fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "the peer takes nothing (--timeout)"),
        _ => error,
    }
}
