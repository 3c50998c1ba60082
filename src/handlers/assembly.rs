//! Puts records together that come in pieces, for handlers that cannot send a part of one.

use crate::record::Record;
use crate::report::Report;
use crate::stream::batch::Batch;

/// The longest record that is put together, in bytes.
const LONGEST: usize = 8 << 20;

/// The beginning of a record that is not all here yet.
#[derive(Default)]
pub struct Assembly {
    bytes: Vec<u8>,
    /// It was too long, which was said.
    cut: bool,
    voice: Option<(String, Report)>,
}

impl Assembly {
    pub fn new(name: String, report: Report) -> Self {
        Self { voice: Some((name, report)), ..Self::default() }
    }

    /// Hands on each record that is whole, or has become it.
    pub fn each(&mut self, batch: &Batch<'_>, mut hand_on: impl FnMut(&Record<'_>)) {
        let mut rest = *batch;
        while !rest.is_empty() {
            let (first, later) = rest.split_at(rest.first_len());
            rest = later;
            let Some(record) = first.records().next() else { continue };
            if first.starts() && first.ends() {
                hand_on(&record);
                continue;
            }
            if first.starts() {
                self.bytes.clear();
                self.cut = false;
            }
            let room = LONGEST - self.bytes.len();
            self.bytes.extend_from_slice(&record.bytes[..record.bytes.len().min(room)]);
            if record.bytes.len() > room
                && !std::mem::replace(&mut self.cut, true)
                && let Some((name, report)) = &self.voice
            {
                report.error(name, format_args!("a record of more than {} MiB is cut there", LONGEST >> 20));
            }
            if first.ends() {
                let bytes = std::mem::take(&mut self.bytes);
                hand_on(&Record { bytes: &bytes, ..record });
            }
        }
    }
}
