//! DatagramHandler: one record a datagram, over UDP or to a Unix socket.
//!
//! UDP tells little: only that nobody listens on the other side's port, and that later. What was sent last is sent again
//! then, until somebody does. What is lost under way nobody can tell.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::io::Errno;

use crate::net::datagram::{DatagramConnector, Datagrams, MANY, is_busy};
use crate::net::ending::Ending;
use crate::record::Record;
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::handler::{Control, Handler, Lost};

use super::assembly::Assembly;
use super::payload::Payload;
use super::persistence::{Persistence, Retry};

/// What stands where a text was cut.
const MARK: &[u8] = b" [cut]";
/// A busy network card is asked again after this.
const BUSY: Duration = Duration::from_millis(2);
/// A port where nobody listens says so within this, if at all.
const ANSWER: Duration = Duration::from_millis(20);

/// What becomes of a record that is too long for a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// As much as fits is sent, and a mark.
    Truncate,
    /// It becomes several records.
    Split,
    Drop,
}

/// Python's DatagramHandler.
pub struct DatagramHandler {
    connector: DatagramConnector,
    payload: Box<dyn Payload>,
    oversize: Oversize,
    persistence: Persistence,
    name: String,
    context: Context,
    open: Option<Datagrams>,
    assembly: Assembly,
    /// The datagrams of a batch, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Records that were cut, or split.
    changed: u64,
}

impl DatagramHandler {
    pub fn new(
        connector: DatagramConnector,
        payload: Box<dyn Payload>,
        oversize: Oversize,
        (retry, ending): (Retry, Ending),
        name: String,
        context: Context,
    ) -> Self {
        Self {
            connector,
            payload,
            oversize,
            persistence: Persistence::new(retry, ending, name.clone(), context.report.clone()),
            assembly: Assembly::new(name.clone(), context.report.clone()),
            name,
            context,
            open: None,
            bytes: Vec::new(),
            ends: Vec::new(),
            changed: 0,
        }
    }

    /// Opens the socket if it is not open; false when that fails, and it is to be waited before another attempt.
    fn ensure_open(&mut self) -> bool {
        if self.open.is_some() {
            return true;
        }
        if !self.persistence.may_try() {
            return false;
        }
        match self.connector.connect() {
            Ok(open) => self.open = Some(open),
            Err(error) => self.persistence.failed(&error),
        }
        self.open.is_some()
    }

    /// Sends the datagrams from `from` on, one alone if `alone`; says how many, and whether the last was refused.
    fn send(&self, from: usize, alone: bool) -> std::io::Result<(usize, bool)> {
        let Some(open) = &self.open else { return Ok((0, false)) };
        let start = from.checked_sub(1).map_or(0, |before| self.ends[before]);
        let starts = std::iter::once(start).chain(self.ends[from..].iter().copied());
        let datagrams = starts.zip(&self.ends[from..]).map(|(start, end)| &self.bytes[start..*end]);
        let sent = open.send(datagrams.take(if alone { 1 } else { usize::MAX }))?;
        if alone {
            std::thread::sleep(ANSWER);
        }
        let look = open.is_udp && (alone || from + sent == self.ends.len());
        Ok((sent, look && open.take_error().is_some()))
    }

    fn deliver(&mut self) -> Result<()> {
        let mut sent = 0;
        // UDP was refused, or may have been: what goes out is looked after one by one.
        let mut careful = false;
        while sent < self.ends.len() {
            if !self.ensure_open() {
                if !self.persistence.wait() {
                    return self.persistence.given_up((self.ends.len() - sent) as u64);
                }
                continue;
            }
            let is_udp = self.open.as_ref().is_some_and(|open| open.is_udp);
            let asked = (self.ends.len() - sent).min(if careful { 1 } else { MANY });
            let failed = match self.send(sent, careful) {
                Ok((count, false)) if count == asked => {
                    sent += count;
                    careful = false;
                    continue;
                }
                Ok((count, refused)) => {
                    sent += count;
                    match is_udp {
                        // An error that ends such a call early is not told, and may be about the one before.
                        true => sent = sent.saturating_sub(1),
                        false => continue,
                    }
                    if !std::mem::replace(&mut careful, true) || !refused {
                        continue;
                    }
                    Errno::CONNREFUSED.into()
                }
                Err(error) if is_busy(&error) => {
                    std::thread::sleep(BUSY);
                    continue;
                }
                Err(error) if Errno::from_io_error(&error) == Some(Errno::MSGSIZE) => {
                    self.persistence.lost(1, "too long for a datagram here");
                    sent += 1;
                    continue;
                }
                Err(error) if is_udp && error.kind() == ErrorKind::ConnectionRefused => {
                    // Of one that was sent earlier.
                    sent = sent.saturating_sub(1);
                    if !std::mem::replace(&mut careful, true) {
                        continue;
                    }
                    error
                }
                Err(error) => {
                    self.open = None;
                    error
                }
            };
            self.persistence.failed(&failed.into());
            if !self.persistence.may_try() || !self.persistence.wait() {
                return self.persistence.given_up((self.ends.len() - sent) as u64);
            }
        }
        self.persistence.went_well();
        Ok(())
    }

    /// Adds the datagram of a record, or those.
    fn add(&mut self, record: &Record<'_>, limit: usize) {
        let start = self.bytes.len();
        let text = record.message();
        self.payload.write(record, text, &mut self.bytes);
        if self.bytes.len() - start <= limit {
            return self.ends.push(self.bytes.len());
        }
        let too_long = format!("too long for a datagram of {limit} bytes (--oversize)");
        self.bytes.truncate(start);
        match self.oversize {
            Oversize::Drop => self.persistence.lost(1, &too_long),
            Oversize::Truncate => match self.fit(record, text, MARK, limit) {
                0 => self.persistence.lost(1, &too_long),
                _ => self.changed += 1,
            },
            Oversize::Split => {
                self.changed += 1;
                let mut rest = text;
                while !rest.is_empty() {
                    match self.fit(record, rest, b"", limit) {
                        0 => return self.persistence.lost(1, &too_long),
                        length => rest = &rest[length..],
                    }
                }
            }
        }
    }

    /// Adds a datagram of as much of `text` as fits, and `mark`; how much that is, 0 if there is no room at all.
    fn fit(&mut self, record: &Record<'_>, text: &[u8], mark: &[u8], limit: usize) -> usize {
        let mut length = boundary(text, limit);
        let start = self.bytes.len();
        while length > 0 {
            let marked = [&text[..length], mark].concat();
            self.payload.write(record, &marked, &mut self.bytes);
            let over = (self.bytes.len() - start).saturating_sub(limit);
            if over == 0 {
                self.ends.push(self.bytes.len());
                return length;
            }
            self.bytes.truncate(start);
            length = boundary(text, length.saturating_sub(over));
        }
        0
    }
}

/// The largest length up to `most` at which no character of UTF-8 is cut through.
fn boundary(text: &[u8], most: usize) -> usize {
    if most >= text.len() {
        return text.len();
    }
    let inside = |byte: &u8| byte & 0xC0 == 0x80;
    (0..=3).filter_map(|back| most.checked_sub(back)).find(|at| !inside(&text[*at])).unwrap_or(most)
}

impl Handler for DatagramHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.bytes.clear();
        self.ends.clear();
        self.payload.begin();
        // The limit is the socket's to tell.
        while !self.ensure_open() {
            if !self.persistence.wait() {
                return self.persistence.given_up(batch.count());
            }
        }
        let limit = self.open.as_ref().map_or(0, |open| open.limit);
        let mut assembly = std::mem::take(&mut self.assembly);
        assembly.each(batch, |record| self.add(record, limit));
        self.assembly = assembly;
        self.deliver()
    }

    fn flush(&mut self) -> Result<()> {
        match self.persistence.take_loss() {
            Some(why) => bail!(Lost { records: 0, why }),
            None => Ok(()),
        }
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        let split = self.oversize == Oversize::Split;
        let cut = self.payload.take_cut() + if split { 0 } else { self.changed };
        if split && self.changed > 0 {
            let why = format_args!("{} too long for a datagram were split", self.changed);
            self.context.report.warn(&self.name, why);
        }
        if cut > 0 {
            self.context.report.error(&self.name, format_args!("{cut} too long were cut"));
        }
        self.persistence.close();
        Ok(())
    }

    /// HUP: to where the name leads now.
    fn control(&mut self, control: Control) -> Result<()> {
        if control == Control::Reopen {
            self.open = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_cut_through() {
        for (most, length) in [(0, 0), (1, 1), (2, 1), (3, 3), (4, 3), (5, 3), (6, 6), (9, 6)] {
            assert_eq!(boundary("aé日".as_bytes(), most), length, "{most}");
        }
        assert_eq!(boundary(&[0x80; 9], 7), 7);
    }
}
