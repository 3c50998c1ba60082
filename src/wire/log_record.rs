//! An event as Python sees it: the attributes of a LogRecord, in the order of its `__dict__` (3.13).
//!
//! SocketHandler pickles them and HTTPHandler makes a form of them. What Python has no attribute for (the host, syslog's
//! facility) stays behind. Numbers are always numbers, because a receiver that
//! formats `%(lineno)d` loses the record if it is None.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

use super::event::Event;
use crate::level::Level;

/// What a LogRecord says of the program that made it, and an event doesn't.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// When the program started: `relativeCreated` counts from here.
    pub started: DateTime<Utc>,
    /// `pathname` where neither a source file nor a log file is known.
    pub pathname: &'a str,
    /// `processName`.
    pub process_name: &'a str,
}

impl Caller<'_> {
    /// Python's own names for a program from standard input.
    pub fn new(started: DateTime<Utc>) -> Self {
        Self { started, pathname: "<stdin>", process_name: "MainProcess" }
    }
}

/// The attributes that every LogRecord has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    Name,
    Msg,
    Args,
    LevelName,
    LevelNo,
    Pathname,
    Filename,
    Module,
    ExcInfo,
    ExcText,
    StackInfo,
    LineNo,
    FuncName,
    Created,
    Msecs,
    RelativeCreated,
    Thread,
    ThreadName,
    ProcessName,
    Process,
    TaskName,
}

/// What an attribute is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    None,
    Int(i64),
    Float(f64),
    /// Text that need not be UTF-8.
    Text(Cow<'a, [u8]>),
    /// Something that came along with the event.
    Json(&'a Json),
}

impl Attribute {
    /// In Python's order.
    pub const ALL: [Self; 21] = [
        Self::Name,
        Self::Msg,
        Self::Args,
        Self::LevelName,
        Self::LevelNo,
        Self::Pathname,
        Self::Filename,
        Self::Module,
        Self::ExcInfo,
        Self::ExcText,
        Self::StackInfo,
        Self::LineNo,
        Self::FuncName,
        Self::Created,
        Self::Msecs,
        Self::RelativeCreated,
        Self::Thread,
        Self::ThreadName,
        Self::ProcessName,
        Self::Process,
        Self::TaskName,
    ];

    /// Python's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Msg => "msg",
            Self::Args => "args",
            Self::LevelName => "levelname",
            Self::LevelNo => "levelno",
            Self::Pathname => "pathname",
            Self::Filename => "filename",
            Self::Module => "module",
            Self::ExcInfo => "exc_info",
            Self::ExcText => "exc_text",
            Self::StackInfo => "stack_info",
            Self::LineNo => "lineno",
            Self::FuncName => "funcName",
            Self::Created => "created",
            Self::Msecs => "msecs",
            Self::RelativeCreated => "relativeCreated",
            Self::Thread => "thread",
            Self::ThreadName => "threadName",
            Self::ProcessName => "processName",
            Self::Process => "process",
            Self::TaskName => "taskName",
        }
    }

    /// What it is for `event`. An event without a time is from 1970, one without a level is NOTSET. `args` is None,
    /// since the message is merged.
    pub fn of<'a>(self, event: &'a Event<'_>, caller: &Caller<'a>) -> Value<'a> {
        let text = |text: &'a Option<Cow<'_, str>>| text.as_deref().map_or(Value::None, Value::text);
        let time = event.time.map_or(DateTime::UNIX_EPOCH, |time| time.to_utc());
        let level = event.level.unwrap_or(Level::NOTSET);
        // What has no field of its own may have come along from another program's LogRecord.
        let extra = || event.extra.as_deref().and_then(|extra| extra.get(self.name())).map(Value::Json);
        let number = || extra().filter(|value| matches!(value, Value::Json(Json::Number(_))));
        match self {
            Self::Name => event.name.as_deref().map_or(Value::text("root"), Value::text),
            Self::Msg => Value::Text(Cow::Borrowed(&event.message)),
            Self::Args | Self::ExcInfo => Value::None,
            Self::LevelName => match level.name() {
                Cow::Borrowed(name) => Value::text(name),
                Cow::Owned(name) => Value::Text(Cow::Owned(name.into_bytes())),
            },
            Self::LevelNo => Value::Int(level.0.into()),
            Self::Pathname => Value::Text(Cow::Borrowed(pathname(event, caller))),
            Self::Filename => Value::Text(Cow::Borrowed(basename(pathname(event, caller)))),
            Self::Module => {
                extra().unwrap_or_else(|| Value::Text(Cow::Borrowed(stem(basename(pathname(event, caller))))))
            }
            Self::ExcText => text(&event.exception),
            Self::LineNo => Value::Int(event.line.unwrap_or(0).into()),
            Self::FuncName => text(&event.function),
            Self::Created => Value::Float(nanos(time) as f64 / 1e9),
            // A leap second counts on beyond 999.
            Self::Msecs => Value::Float(f64::from(time.timestamp_subsec_millis().min(999))),
            Self::RelativeCreated => {
                number().unwrap_or_else(|| Value::Float((nanos(time) - nanos(caller.started)) as f64 / 1e6))
            }
            Self::Thread => number().unwrap_or(Value::Int(0)),
            Self::ThreadName => event.thread.as_deref().map_or(Value::text("MainThread"), Value::text),
            Self::ProcessName => extra().unwrap_or(Value::text(caller.process_name)),
            Self::Process => Value::Int(event.pid.unwrap_or(0).into()),
            Self::StackInfo | Self::TaskName => extra().unwrap_or(Value::None),
        }
    }
}

impl<'a> Value<'a> {
    fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text.as_bytes()))
    }
}

/// What came along with `event` beyond the attributes of every LogRecord, as `extra` of Python's logging calls; what
/// Python refuses there, because Formatters write it, is left out.
pub fn extras<'a>(event: &'a Event<'_>) -> impl Iterator<Item = (&'a str, &'a Json)> {
    let known = |key: &str| {
        matches!(key, "message" | "asctime") || Attribute::ALL.iter().any(|attribute| attribute.name() == key)
    };
    let extra = event.extra.as_deref().into_iter().flatten();
    extra.map(|(key, value)| (key.as_str(), value)).filter(move |(key, _)| !known(key))
}

fn pathname<'a>(event: &'a Event<'_>, caller: &Caller<'a>) -> &'a [u8] {
    match (&event.file, &event.filename) {
        (Some(file), _) => file.as_bytes(),
        (None, Some(filename)) => filename,
        (None, None) => caller.pathname.as_bytes(),
    }
}

/// `os.path.basename`.
fn basename(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// `os.path.splitext(…)[0]`: dots in front are no extension.
fn stem(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if name[..dot].iter().any(|byte| *byte != b'.') => &name[..dot],
        _ => name,
    }
}

/// Nanoseconds since 1970; more than 64 bits for the years chrono has.
fn nanos(time: DateTime<Utc>) -> i128 {
    let since: TimeDelta = time - DateTime::UNIX_EPOCH;
    i128::from(since.num_seconds()) * 1_000_000_000 + i128::from(since.subsec_nanos())
}

#[cfg(test)]
pub mod random;
