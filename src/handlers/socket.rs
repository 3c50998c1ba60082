//! SocketHandler: records to a stream (TCP, TLS, a Unix socket), over as many connections as it takes.
//!
//! Python drops what it cannot send; here it waits. What a dead connection's kernel had accepted is lost, as the
//! protocol tells nobody; so a closed peer is looked for before every write, and what a failed write had begun is sent
//! again from the start of its record.

use anyhow::{Result, bail};

use crate::net::connect::Connector;
use crate::net::ending::Ending;
use crate::net::link::Link;
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::handler::{Control, Handler, Lost};
use crate::wire::frame::{Embedded, Framing};

use super::assembly::Assembly;
use super::payload::Payload;
use super::persistence::{Persistence, Retry};

/// How records stand in the stream.
pub struct Layout {
    pub payload: Box<dyn Payload>,
    pub framing: Framing,
    pub embedded: Embedded,
    /// Records end as the user said (`--terminator`): nothing is put behind them.
    pub as_is: bool,
}

/// Python's SocketHandler.
pub struct SocketHandler {
    connector: Connector,
    layout: Layout,
    persistence: Persistence,
    name: String,
    context: Context,
    link: Option<Link>,
    /// The frames of a batch, and where each ends.
    frames: Vec<u8>,
    ends: Vec<usize>,
    assembly: Assembly,
    /// The beginning of this record was sent over a connection that is gone: the rest would be taken for a record.
    skipping: bool,
}

impl SocketHandler {
    pub fn new(
        connector: Connector,
        layout: Layout,
        retry: Retry,
        ending: Ending,
        name: String,
        context: Context,
    ) -> Self {
        Self {
            connector,
            layout,
            persistence: Persistence::new(retry, ending, name.clone(), context.report.clone()),
            assembly: Assembly::new(name.clone(), context.report.clone()),
            name,
            context,
            link: None,
            frames: Vec::new(),
            ends: Vec::new(),
            skipping: false,
        }
    }

    /// Sends lines as they came.
    fn send_plain(&mut self, batch: &Batch<'_>) -> Result<()> {
        if self.skipping && !batch.starts() {
            let (rest, next) = batch.split_at(batch.first_len());
            self.skipping = !rest.ends();
            return if next.is_empty() { Ok(()) } else { self.send_plain(&next) };
        }
        self.skipping = false;
        let bytes = batch.bytes();
        let mut sent = 0;
        // What began in an earlier batch can only go on where it began.
        let mut torn = !batch.starts() && self.is_cut_off();
        while sent < bytes.len() {
            if torn {
                let (rest, next) = batch.split_at(batch.first_len());
                self.persistence.lost(1, "its beginning was sent over a connection that broke");
                self.skipping = !rest.ends();
                return if next.is_empty() { Ok(()) } else { self.send_plain(&next) };
            }
            match self.send(&bytes[sent..]) {
                Some(length) => sent += length,
                None => {
                    let whole = batch.fit(sent as u64);
                    torn = whole == 0 && !batch.starts();
                    sent = whole;
                    if !torn && !self.persistence.wait() {
                        let (_, rest) = batch.split_at(sent);
                        self.skipping = !rest.ends();
                        return self.persistence.given_up(rest.count());
                    }
                }
            }
        }
        self.persistence.went_well();
        Ok(())
    }

    /// Sends `frames`.
    fn send_frames(&mut self) -> Result<()> {
        let frames = std::mem::take(&mut self.frames);
        let mut sent = 0;
        let mut outcome = Ok(());
        while sent < frames.len() {
            match self.send(&frames[sent..]) {
                Some(length) => sent += length,
                None => {
                    let whole = self.ends.partition_point(|end| *end <= sent);
                    sent = whole.checked_sub(1).map_or(0, |last| self.ends[last]);
                    if !self.persistence.wait() {
                        outcome = self.persistence.given_up((self.ends.len() - whole) as u64);
                        break;
                    }
                }
            }
        }
        if outcome.is_ok() {
            self.persistence.went_well();
        }
        self.frames = frames;
        outcome
    }

    fn finish(&mut self) {
        if let Some(Err(error)) = self.link.take().map(Link::finish) {
            let why = format_args!("{error}: the last lines may not have arrived");
            self.context.report.error(&self.name, why);
        }
    }

    /// Whether the connection that the last write went to is gone.
    fn is_cut_off(&mut self) -> bool {
        if let Some(Err(error)) = self.link.as_mut().map(Link::check) {
            self.link = None;
            self.persistence.failed(&error.into());
        }
        self.link.is_none()
    }

    /// Sends a part, and says how much; None when that failed, and it is to be waited before another attempt.
    fn send(&mut self, bytes: &[u8]) -> Option<usize> {
        if !self.persistence.may_try() {
            return None;
        }
        let mut attempt = || -> Result<usize> {
            if let Some(link) = &mut self.link {
                link.check()?;
            }
            let link = match &mut self.link {
                Some(link) => link,
                None => self.link.insert(self.connector.connect(self.persistence.bound())?),
            };
            Ok(link.send(bytes)?)
        };
        match attempt() {
            Ok(length) => Some(length),
            Err(error) => {
                self.link = None;
                self.persistence.failed(&error);
                None
            }
        }
    }

    /// Puts the records of the batch into `frames`.
    fn frame(&mut self, batch: &Batch<'_>) {
        self.frames.clear();
        self.ends.clear();
        let Self { layout: Layout { payload, framing, embedded, .. }, frames, ends, assembly, context, name, .. } =
            self;
        payload.begin();
        assembly.each(batch, |record| {
            match framing.encode(*embedded, frames, |out| payload.write(record, record.message(), out)) {
                Ok(()) => ends.push(frames.len()),
                Err(error) => context.report.lost(name, 1, error),
            }
        });
    }
}

impl Handler for SocketHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        let lines = self.layout.payload.is_plain() && self.layout.framing == Framing::Lines;
        let whole = !batch.ends() || batch.bytes().ends_with(b"\n");
        if lines && (whole || self.layout.as_is || !batch.starts()) {
            self.send_plain(batch)?;
            // The last line of the input may lack its end, which is what frames it here.
            return if whole || self.layout.as_is {
                Ok(())
            } else {
                self.send_plain(&Batch::piece(b"\n", false, true))
            };
        }
        self.frame(batch);
        self.send_frames()
    }

    fn flush(&mut self) -> Result<()> {
        match self.persistence.take_loss() {
            Some(why) => bail!(Lost { records: 0, why }),
            None => Ok(()),
        }
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.finish();
        match self.layout.payload.take_cut() {
            0 => {}
            cut => self.context.report.error(&self.name, format_args!("{cut} too long were cut")),
        }
        self.persistence.close();
        Ok(())
    }

    /// HUP: over a new connection from here on, to where the name leads now.
    fn control(&mut self, control: Control) -> Result<()> {
        if control == Control::Reopen {
            self.finish();
        }
        Ok(())
    }
}
