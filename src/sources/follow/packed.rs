//! Reading a log's packed file a little further, and what to do when it is torn: somebody may still be packing it.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::files::Files;
use super::log::{Tracked, shown};
use super::unpacking::{Unpacked, Unpacking};
use super::visit::{Out, Place, Visit};
use super::watching::Key;

/// A packed file that has not changed for so long is not being packed any more.
const PACKING: Duration = Duration::from_secs(5);

impl Files {
    /// Reads on in the first file of a log, which gzip packed.
    pub(super) fn visit_packed(&mut self, key: Key) -> Visit {
        let ending = self.is_ending();
        let Some(front) = self.logs.get_mut(&key).and_then(|log| log.files.front_mut()) else { return Visit::Idle };
        if self.unpacking.as_ref().is_none_or(|(id, _)| *id != front.state.id) {
            // A fresh descriptor: one that was read from stands somewhere in the middle.
            front.file = None;
            let file = match front.open() {
                Ok(Some(_)) => front.file.take(),
                Ok(None) => None,
                Err(error) => return self.cannot_open(key, &error),
            };
            let id = front.state.id;
            let Some(file) = file else {
                return self.reconcile_in_visit(key, false);
            };
            match Unpacking::open(file, front.state.position.offset, self.progress.clone()) {
                Ok(unpacking) => self.unpacking = Some((id, unpacking)),
                Err(error) => return self.torn_packed(key, &error),
            }
        }
        let Some(front) = self.logs.get_mut(&key).and_then(|log| log.files.front_mut()) else { return Visit::Idle };
        let Some((_, unpacking)) = &mut self.unpacking else { return Visit::Again };
        let unpacked = match unpacking.step(&mut front.state.position) {
            Err(error)
                if error.kind() == ErrorKind::UnexpectedEof && !ending && !unpacking.is_torn() && is_fresh(front) =>
            {
                // Somebody is still packing it.
                self.unpacking = None;
                self.wake_at(key, Instant::now() + PACKING);
                return Visit::Idle;
            }
            Err(error) => {
                let unpacked = unpacking.finish(&mut front.state.position);
                self.context
                    .report
                    .error(shown(&front.state.place), format_args!("cannot be unpacked to its end: {error}"));
                unpacked
            }
            Ok(unpacked) => unpacked,
        };
        match unpacked {
            Unpacked::Lines { starts, ends, open } => {
                let filename = self.logs.get(&key).map(|log| Arc::clone(&log.filename)).unwrap_or_default();
                Visit::Out(Out { place: Place::Unpacked, starts, ends, open, filename })
            }
            Unpacked::Pending => Visit::Again,
            Unpacked::End => {
                self.unpacking = None;
                self.packed_is_done(key);
                Visit::Again
            }
        }
    }

    fn packed_is_done(&mut self, key: Key) {
        if let Some(log) = self.logs.get_mut(&key) {
            log.front_is_done();
            self.changed = true;
        }
    }

    /// It ends before the place up to which it was read.
    fn torn_packed(&mut self, key: Key, error: &io::Error) -> Visit {
        let Some(front) = self.logs.get(&key).and_then(|log| log.files.front()) else { return Visit::Idle };
        if error.kind() == ErrorKind::UnexpectedEof && !self.is_ending() && is_fresh(front) {
            self.wake_at(key, Instant::now() + PACKING);
            return Visit::Idle;
        }
        self.context.report.error(shown(&front.state.place), format_args!("cannot be unpacked: {error}"));
        self.packed_is_done(key);
        Visit::Again
    }
}

/// Whether it was written to a moment ago.
fn is_fresh(tracked: &Tracked) -> bool {
    let modified = std::fs::metadata(&tracked.state.place).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|time| time < PACKING))
}
