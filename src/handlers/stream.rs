//! StreamHandler: writes lines to stdout or stderr.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;

use anyhow::{Context as _, Result, bail};
use rustix::event::{PollFd, PollFlags, poll};

use crate::stream::batch::Batch;
use crate::stream::handler::{Ended, Handler};

/// Python's StreamHandler.
pub struct StreamHandler {
    stream: Stream,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl StreamHandler {
    pub fn new(stream: Stream) -> Self {
        Self { stream }
    }
}

impl Handler for StreamHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        let written = match self.stream {
            // Rust's own stdout looks into every byte for line ends; the descriptor itself takes the batch in one write.
            Stream::Stdout => write_all(&rustix::stdio::stdout(), batch.bytes()),
            Stream::Stderr => write_all(&rustix::stdio::stderr(), batch.bytes()),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => bail!(Ended::ReaderGone),
            written => written.context("cannot be written"),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// Writes everything, also where somebody made the descriptor non-blocking (it is shared with other programs).
fn write_all(stream: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(stream, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
