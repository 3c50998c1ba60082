//! The flag groups that every verb shares, by Python's names.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use regex::bytes::Regex;

use crate::cli::Usage;
use crate::encoding::{Encoding, Errors};
use crate::format::Template;
use crate::handlers::file::{FileOptions, Fsync, Mode, OnDiskFull};
use crate::handlers::memory::{MemoryOptions, OnCapacity};
use crate::inode::Owner;
use crate::level::{Level, LevelRegex};
use crate::stream::multiline::MultilineOptions;
use crate::stream::queue::OnFull;
use crate::stream::records::RecordOptions;
use crate::units::{ByteSize, Span, parse_number, parse_positive};

/// What is asked of each record (Python's Filter, Formatter, StreamHandler.terminator).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Records")]
pub struct RecordArgs {
    /// Pass on records of this level and above
    ///
    /// A name (debug, info, warning, error, critical, …) or Python's number. The level is recognised where logs really
    /// carry it: in brackets or as a word in the usual places, level=…, JSON, syslog's <PRI>, klog's letter.
    #[arg(long)]
    pub level: Option<Level>,
    /// The level of records that show none
    #[arg(long, value_name = "LEVEL", default_value = "INFO")]
    pub default_level: Level,
    /// Find the level by the group 'level' of this regular expression, as in '^(?<level>[A-Z]+) '
    #[arg(long, value_name = "RE")]
    pub level_regex: Option<LevelRegex>,
    /// The logger's name, for --format
    #[arg(long)]
    pub name: Option<String>,
    /// Write each record by this template, as in '%(asctime)s %(levelname)s %(message)s' or '{asctime} {message}'
    ///
    /// Fields: asctime, created, msecs, relativeCreated, levelname, levelno, name, message, hostname, process,
    /// processName, filename. Both styles take Python's width and precision.
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// How asctime is written, as in strftime
    #[arg(long, value_name = "FORMAT", requires = "format")]
    pub datefmt: Option<String>,
    /// What ends each record instead of a newline; \n, \r, \t, \0 and \\ are understood
    #[arg(long, value_name = "TEXT")]
    pub terminator: Option<String>,
    /// A line that matches begins a record; the lines up to the next such line belong to it
    #[arg(long, value_name = "RE")]
    pub multiline: Option<Regex>,
    /// Lines in one record at most
    #[arg(long, value_name = "N", default_value = "500", requires = "multiline", value_parser = parse_positive::<NonZeroUsize>)]
    pub multiline_lines: NonZeroUsize,
    /// Bytes in one record at most
    #[arg(long, value_name = "SIZE", default_value = "1M", requires = "multiline")]
    pub multiline_bytes: ByteSize,
    /// How long a record waits for its next line
    #[arg(long, value_name = "DURATION", default_value = "1s", requires = "multiline")]
    pub multiline_wait: Span,
}

impl RecordArgs {
    /// What to look for in records; None when nobody needs a look. `annotate` is for a buffer that flushes by level.
    ///
    /// # Errors
    /// [`Usage`] for a template that cannot be.
    pub fn options(&self, annotate: bool) -> Result<Option<RecordOptions>> {
        let format = self.format.as_deref().map(|format| Template::parse(format, self.datefmt.as_deref()));
        let format = format.transpose().map_err(|error| Usage(format!("--format: {error}")))?;
        let terminator = self.terminator.as_deref().map(unescape);
        let needed = self.level.is_some() || format.is_some() || terminator.is_some() || annotate;
        Ok(needed.then(|| RecordOptions {
            level: self.level,
            default_level: self.default_level,
            level_regex: self.level_regex.clone(),
            format,
            terminator,
            name: self.name.as_deref().map(Arc::from),
            annotate,
        }))
    }

    /// How lines are joined to records, if they are.
    pub fn multiline(&self, in_turns: bool) -> Option<MultilineOptions> {
        self.multiline.as_ref().map(|begins| MultilineOptions {
            begins: begins.clone(),
            lines: self.multiline_lines.get(),
            bytes: usize::try_from(self.multiline_bytes.0).unwrap_or(usize::MAX),
            wait: self.multiline_wait.0,
            in_turns,
        })
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let known = match c {
            '\\' => rest.clone().next().and_then(|next| "nrt0\\".find(next)),
            _ => None,
        };
        match known {
            Some(at) => {
                out.push(b"\n\r\t\0\\"[at]);
                rest.next();
            }
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// Holding records back (BufferingHandler, MemoryHandler).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Buffer (MemoryHandler)")]
pub struct BufferArgs {
    /// Hold up to N records back
    #[arg(long, value_name = "N", value_parser = parse_number::<usize>)]
    pub capacity: Option<usize>,
    /// Hand on what is held when a record of this level comes
    #[arg(long, value_name = "LEVEL", default_value = "ERROR", requires = "capacity")]
    pub flush_level: Level,
    /// What a full buffer does: hand everything on, or forget the oldest record
    #[arg(long, value_name = "WHAT", default_value = "flush", requires = "capacity")]
    pub on_capacity: CapacityChoice,
    /// Hand on what is held every so often
    #[arg(long, value_name = "DURATION", requires = "capacity")]
    pub flush_interval: Option<Span>,
    /// At the end, hand on what is still held (the default, unless --on-capacity forget)
    #[arg(long, requires = "capacity", overrides_with = "no_flush_on_close")]
    pub flush_on_close: bool,
    /// At the end, forget what is still held
    #[arg(long, requires = "capacity", overrides_with = "flush_on_close")]
    pub no_flush_on_close: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CapacityChoice {
    /// Hand everything on, as Python does
    Flush,
    /// A flight recorder: keep the last N, hand them on only at the flush level
    Forget,
}

impl BufferArgs {
    /// The buffer's parameters, if there is to be one.
    ///
    /// # Errors
    /// [`Usage`] for flags that contradict each other.
    pub fn options(&self) -> Result<Option<MemoryOptions>> {
        let Some(capacity) = self.capacity else { return Ok(None) };
        let forget = self.on_capacity == CapacityChoice::Forget;
        if forget && self.flush_interval.is_some() {
            let why = "--flush-interval hands everything on, --on-capacity forget does not: choose one";
            return Err(Usage(why.into()).into());
        }
        Ok(Some(MemoryOptions {
            capacity,
            flush_level: self.flush_level,
            flush_on_close: if forget { self.flush_on_close } else { !self.no_flush_on_close },
            flush_interval: self.flush_interval.map(|span| span.0),
            on_capacity: if forget { OnCapacity::Forget } else { OnCapacity::Flush },
        }))
    }
}

/// Working behind a queue (QueueHandler, QueueListener).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Queue (QueueHandler)")]
pub struct QueueArgs {
    /// Write in a thread of its own, behind a queue of so many bytes [default for outlets behind --, and for those over the network: 8M]
    #[arg(long, value_name = "SIZE")]
    pub queue_size: Option<ByteSize>,
    /// What a full queue does: let the producer wait, or drop lines (counted, said, and noted in the output)
    #[arg(long, value_name = "WHAT", default_value = "block")]
    pub on_full: FullChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FullChoice {
    /// The producer waits, nothing is lost
    Block,
    /// Lines that find no room are dropped
    DropNewest,
    /// The oldest lines make room
    DropOldest,
}

impl QueueArgs {
    const DEFAULT_SIZE: usize = 8 << 20;

    /// The queue's size in bytes and what it does when full; None when there is to be none.
    pub fn options(&self, behind_dashes: bool) -> Option<(usize, OnFull)> {
        let on_full = match self.on_full {
            FullChoice::Block => OnFull::Block,
            FullChoice::DropNewest => OnFull::DropNewest,
            FullChoice::DropOldest => OnFull::DropOldest,
        };
        let wanted = behind_dashes || self.queue_size.is_some() || on_full != OnFull::Block;
        let size = self.queue_size.map_or(Self::DEFAULT_SIZE, |size| usize::try_from(size.0).unwrap_or(usize::MAX));
        wanted.then_some((size, on_full))
    }
}

/// How files are opened and written (FileHandler).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Files (FileHandler)")]
pub struct FileArgs {
    /// a: append; w: begin with an empty file; x: the file must not exist
    #[arg(long, value_name = "MODE", default_value = "a")]
    pub mode: ModeChoice,
    /// Open the file only when the first line comes
    #[arg(long)]
    pub delay: bool,
    /// Write in this encoding instead of the bytes as they come
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<Encoding>,
    /// What becomes of characters that the encoding does not have
    #[arg(long, value_name = "HOW", default_value = "backslashreplace", requires = "encoding")]
    pub errors: Errors,
    /// Exact permission bits, as in 640 (without it the umask decides)
    #[arg(long, value_name = "MODE", value_parser = parse_mode)]
    pub chmod: Option<u32>,
    /// Owner and group, as in user:group
    #[arg(long, value_name = "OWNER")]
    pub chown: Option<Owner>,
    /// Make missing folders
    #[arg(long)]
    pub mkdir: bool,
    /// Force lines to the disk: never, rollover (and at the end), always, or every so often (a duration)
    #[arg(long, value_name = "WHEN", default_value = "never", value_parser = parse_fsync)]
    pub fsync: Fsync,
    /// What happens when there is no space: wait (nothing is lost), drop (counted), or reclaim own archives
    #[arg(long, value_name = "WHAT", default_value = "wait")]
    pub on_disk_full: DiskChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeChoice {
    A,
    W,
    X,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiskChoice {
    /// Wait for space and go on where it stopped; the producer waits, too
    Wait,
    /// Drop the lines that do not fit
    Drop,
    /// Delete the oldest own archives, then wait
    Reclaim,
}

impl FileArgs {
    pub fn options(&self) -> FileOptions {
        FileOptions {
            mode: match self.mode {
                ModeChoice::A => Mode::Append,
                ModeChoice::W => Mode::Truncate,
                ModeChoice::X => Mode::Create,
            },
            delay: self.delay,
            chmod: self.chmod,
            chown: self.chown,
            mkdir: self.mkdir,
            fsync: self.fsync,
            on_disk_full: match self.on_disk_full {
                DiskChoice::Wait => OnDiskFull::Wait,
                DiskChoice::Drop => OnDiskFull::Drop,
                DiskChoice::Reclaim => OnDiskFull::Reclaim,
            },
            preamble: self.encoding.map_or(b"", Encoding::preamble),
            mend: false,
            follow: false,
            claim: false,
        }
    }
}

fn parse_mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| format!("'{text}' are no permission bits: an octal number, as in 640"))
}

fn parse_fsync(text: &str) -> Result<Fsync, String> {
    match text {
        "never" => Ok(Fsync::Never),
        "rollover" => Ok(Fsync::Rollover),
        "always" => Ok(Fsync::Always),
        _ => match text.parse::<Span>() {
            Ok(Span(interval)) if interval > Duration::ZERO => Ok(Fsync::Every(interval)),
            _ => Err(format!("'{text}' is none of never, rollover, always, or a duration, as in 5s")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminator_is_typed_as_in_python() {
        assert_eq!(unescape(r"\r\n"), b"\r\n");
        assert_eq!(unescape(r"\0"), b"\0");
        assert_eq!(unescape(r"a\\n\x"), br"a\n\x");
        assert_eq!(unescape(""), b"");
    }

    #[test]
    fn permission_bits_are_octal() {
        assert_eq!(parse_mode("640"), Ok(0o640));
        assert!(parse_mode("888").is_err());
        assert!(parse_mode("77777").is_err());
    }
}
