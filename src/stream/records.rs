//! Python's Filter and Formatter: looks into each record, passes on those of the wanted level, and writes them anew.
//!
//! This is where a batch stops being plain, so it stands in a line's way only when a flag needs it.

use std::sync::Arc;

use crate::clock::Clock;
use crate::format::{FormatContext, Template};
use crate::level::{Level, LevelRegex, recognise};
use crate::record::{Record, RecordInfo};

use super::chunk::Chunk;
use super::mapped::Map;

/// What is asked of every record.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Pass on this level and above.
    pub level: Option<Level>,
    /// The level of records that show none.
    pub default_level: Level,
    /// Where to look for the level, instead of everywhere.
    pub level_regex: Option<LevelRegex>,
    pub format: Option<Template>,
    /// What ends a record instead of its line end.
    pub terminator: Option<Vec<u8>>,
    /// The logger's name for records that have none.
    pub name: Option<Arc<str>>,
    /// Somebody behind this wants to know the levels (a MemoryHandler).
    pub annotate: bool,
}

/// Filter and Formatter.
pub struct Records {
    options: RecordOptions,
    format_context: FormatContext,
    clock: Clock,
    /// Whether the record that goes on in the next batch is passed on.
    passing: bool,
}

impl Records {
    pub fn new(options: RecordOptions, format_context: FormatContext, clock: Clock) -> Self {
        Self { options, format_context, clock, passing: true }
    }

    fn level_of(&self, record: &Record<'_>) -> Level {
        let known = record.info.and_then(|info| info.level);
        let found = known.or_else(|| match &self.options.level_regex {
            Some(regex) => regex.find(record.message()),
            None => recognise(record.message()),
        });
        found.unwrap_or(self.options.default_level)
    }

    fn write(&mut self, record: &Record<'_>, level: Option<Level>, starts: bool, ends: bool, out: &mut Chunk) {
        let mut info = RecordInfo { level, ..record.to_info() };
        if info.name.is_none() {
            info.name.clone_from(&self.options.name);
        }
        let Self { options, format_context, .. } = self;
        let described = Record { bytes: record.bytes, info: Some(&info), file: record.file };
        let template = options.format.as_mut().filter(|_| starts);
        let terminator = options.terminator.as_deref();
        let reshaped = template.is_some() || terminator.is_some();
        let write = |out: &mut Vec<u8>| {
            match template {
                Some(template) => template.render(&described, format_context, out),
                None if reshaped => out.extend_from_slice(described.message()),
                None => out.extend_from_slice(described.bytes),
            }
            // A formatted record always ends; one that is passed on as it is may lack its last line end.
            if reshaped && ends {
                out.extend_from_slice(terminator.unwrap_or(b"\n"));
            }
        };
        out.push_with(info.clone(), write);
    }
}

impl Map for Records {
    fn begin(&mut self) {
        if self.options.format.is_some() {
            self.format_context.now = self.clock.now();
        }
    }

    fn map(&mut self, record: &Record<'_>, starts: bool, ends: bool, out: &mut Chunk) {
        let mut level = None;
        if starts {
            if self.options.level.is_some() || self.options.format.is_some() || self.options.annotate {
                level = Some(self.level_of(record));
            }
            self.passing = self.options.level.is_none_or(|least| level.is_some_and(|level| level >= least));
        }
        if !self.passing {
            return;
        }
        self.write(record, level, starts, ends, out);
    }

    /// It is as grave as lines can be, whatever they were.
    fn map_notice(&mut self, notice: &Record<'_>, out: &mut Chunk) {
        self.write(notice, Some(Level::CRITICAL), true, true, out);
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use crate::stream::batch::Batch;

    use super::*;

    #[test]
    fn lines_and_notices_show_the_file_they_are_from() {
        let options = RecordOptions {
            level: None,
            default_level: Level::INFO,
            level_regex: None,
            format: Some(Template::parse("{filename} {message}", None).unwrap()),
            terminator: None,
            name: None,
            annotate: false,
        };
        let mut records = Records::new(options, FormatContext::new(Utc::now()), Clock::system());
        let file = Arc::from(&b"app.log"[..]);
        let lines = Batch::plain(b"one\n");
        let mut out = Chunk::new();
        for batch in [lines.with_filename(Some(&file)), lines] {
            for record in batch.records() {
                records.map(&record, true, true, &mut out);
                records.map_notice(&record, &mut out);
            }
        }
        assert_eq!(out.batch().bytes(), b"app.log one\napp.log one\n<stdin> one\n<stdin> one\n");
        let names: Vec<_> = out.batch().records().map(|record| record.filename().cloned()).collect();
        assert_eq!(names, [Some(Arc::clone(&file)), Some(file), None, None]);
    }
}
