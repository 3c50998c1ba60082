//! One record: a line, or several lines that belong together, and what is known about it (Python's LogRecord).

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};

use crate::level::Level;

/// What a structured source, or a look inside the line, found out about one record of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordInfo {
    /// The offset in the batch at which the record ends, its line end included.
    pub end: usize,
    /// The time that came with the record; without one the time of its arrival counts.
    pub time: Option<DateTime<FixedOffset>>,
    /// The level that came with the record or was recognised in it.
    pub level: Option<Level>,
    /// The name of the logger (Python's `name`).
    pub name: Option<Arc<str>>,
    /// The file that the record was read from, as the bytes of its name.
    pub filename: Option<Arc<[u8]>>,
}

/// A view of one record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The bytes as they came, the line end included if there is one.
    pub bytes: &'a [u8],
    /// What is known about it; nothing for a line that nobody looked into.
    pub info: Option<&'a RecordInfo>,
    /// The file that its whole batch was read from.
    pub file: Option<&'a Arc<[u8]>>,
}

impl<'a> Record<'a> {
    /// The text without its line end (`\n`, not `\r\n`: a CR belongs to the line).
    pub fn message(&self) -> &'a [u8] {
        self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes)
    }

    /// The file it was read from, as the bytes of its name; none for standard input.
    pub fn filename(&self) -> Option<&'a Arc<[u8]>> {
        self.info.and_then(|info| info.filename.as_ref()).or(self.file)
    }

    /// All that is known about it, for a place where it stands without its batch.
    pub fn to_info(&self) -> RecordInfo {
        RecordInfo { filename: self.filename().cloned(), ..self.info.cloned().unwrap_or_default() }
    }
}
