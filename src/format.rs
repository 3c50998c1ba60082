//! `--format`: Python's Formatter, in the percent style `%(levelname)-8s` and the brace style `{levelname:<8}`.
//!
//! A template is checked as a whole when it is parsed, so that rendering cannot fail. Fields of a piped line that only
//! the calling code could know (its line number, its thread) are refused rather than left empty.

mod asctime;
mod number;
mod spec;
mod template;
mod text;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::clock::Zone;
use crate::level::Level;

pub use number::Number;
pub use template::Template;

/// A template that cannot be, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FormatError {
    /// No such field.
    #[error("there is no field '{0}': the fields are {known}", known = KNOWN)]
    UnknownField(String),
    /// A field of Python's that a line from a pipe doesn't have.
    #[error("the field '{0}' is not known for piped lines: the fields are {known}", known = KNOWN)]
    NotForLines(String),
    /// Nothing but text.
    #[error("the template '{0}' has no field, such as %(message)s or {{message}}")]
    NoField(String),
    /// The two styles' grammar.
    #[error("the template is broken at '{at}': {why}")]
    Syntax { at: String, why: &'static str },
    /// A width, precision or type that doesn't fit its field.
    #[error("'{spec}' does not fit the field '{field}': {why}")]
    Spec { field: String, spec: String, why: &'static str },
    /// A `--datefmt` that chrono's strftime cannot follow.
    #[error("'{0}' is no date format: %Y-%m-%d %H:%M:%S and the like, as in strftime")]
    Date(String),
}

const KNOWN: &str = "asctime, created, msecs, relativeCreated, levelname, levelno, name, message, hostname, process, \
                     processName, filename";

/// What a template needs beside the record. All but `now` is constant for a run.
#[derive(Clone, Debug)]
pub struct FormatContext {
    /// The time of arrival, for records that bring no time of their own; set anew for every batch.
    pub now: DateTime<Utc>,
    /// When the program started: `relativeCreated` counts from here.
    pub started: DateTime<Utc>,
    /// The zone in which `asctime` is written.
    pub zone: Zone,
    /// The level of records that have none.
    pub default_level: Level,
    /// The logger's name for records that have none.
    pub name: Arc<str>,
    /// `hostname`.
    pub hostname: Arc<str>,
    /// `process`, the process id.
    pub process: u32,
    /// `processName`.
    pub process_name: Arc<str>,
    /// `filename` for records that were read from no file they know of, as the bytes of its name.
    pub filename: Arc<[u8]>,
}

impl FormatContext {
    /// A context with Python's defaults (logger `root`, process `MainProcess`, file `<stdin>`), INFO, local time, and
    /// this process's id. The host's name is for the caller to set.
    pub fn new(started: DateTime<Utc>) -> Self {
        Self {
            now: started,
            started,
            zone: Zone::local(),
            default_level: Level::INFO,
            name: "root".into(),
            hostname: "localhost".into(),
            process: std::process::id(),
            process_name: "MainProcess".into(),
            filename: Arc::from(&b"<stdin>"[..]),
        }
    }
}

/// The fields a template may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Asctime,
    Created,
    Msecs,
    RelativeCreated,
    LevelName,
    LevelNo,
    Name,
    Message,
    Hostname,
    Process,
    ProcessName,
    Filename,
}

/// What Python type a field has, which decides what specs fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Int,
    Float,
}

impl Field {
    fn parse(name: &str) -> Result<Self, FormatError> {
        Ok(match name {
            "asctime" => Self::Asctime,
            "created" => Self::Created,
            "msecs" => Self::Msecs,
            "relativeCreated" => Self::RelativeCreated,
            "levelname" => Self::LevelName,
            "levelno" => Self::LevelNo,
            "name" => Self::Name,
            "message" => Self::Message,
            "hostname" => Self::Hostname,
            "process" => Self::Process,
            "processName" => Self::ProcessName,
            "filename" => Self::Filename,
            "lineno" | "funcName" | "module" | "pathname" | "thread" | "threadName" | "taskName" => {
                return Err(FormatError::NotForLines(name.to_owned()));
            }
            _ => return Err(FormatError::UnknownField(name.to_owned())),
        })
    }

    fn kind(self) -> Type {
        match self {
            Self::Created | Self::Msecs | Self::RelativeCreated => Type::Float,
            Self::LevelNo | Self::Process => Type::Int,
            _ => Type::Text,
        }
    }
}

#[cfg(test)]
mod tests;
