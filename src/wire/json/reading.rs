//! JSON to records: the schema, and the names that others use for the same.
//!
//! What cannot be understood is no error but a part of `extra`, under its own name, so that nothing of a record is lost.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::level::Level;
use crate::wire::base64;
use crate::wire::event::Event;

/// Text that is no JSON object.
#[derive(Debug, Error)]
#[error("no JSON object: {0}")]
pub struct JsonError(#[from] serde_json::Error);

/// Reads one object.
///
/// A time may also be a number of seconds since 1970, or of milliseconds; a level Python's number. Where a key is
/// missing, what Python's formatters and common loggers call it is taken: `timestamp`, `@timestamp` or `ts`,
/// `levelname`, `logger`, `msg`, `hostname`.
pub fn read(text: &[u8]) -> Result<Event<'static>, JsonError> {
    let mut object = Object(serde_json::from_slice(text)?);
    let mut event = Event {
        time: object.take(&["time", "timestamp", "@timestamp", "ts"], time),
        level: object.take(&["level", "levelname"], level),
        name: object.text(&["name", "logger"]),
        host: object.text(&["host", "hostname"]),
        app: object.text(&["app"]),
        pid: object.number("pid"),
        facility: object.take(&["facility"], |value| shown(value)?.parse().ok()),
        msgid: object.text(&["msgid"]),
        structured_data: object.text(&["structured_data"]),
        file: object.text(&["file"]),
        line: object.number("line"),
        function: object.text(&["function"]),
        thread: object.text(&["thread"]),
        exception: object.text(&["exception"]),
        filename: object.take(&["filename"], |value| Some(Cow::Owned(shown(value)?.into_bytes()))),
        peer: object.text(&["peer"]),
        dialect: object.text(&["dialect"]),
        ..Event::default()
    };
    let message = object.text(&["message", "msg"]);
    let bytes = object.take(&["message_base64"], |value| base64::decode(value.as_str()?.as_bytes()));
    event.message = match (bytes, message) {
        (Some(bytes), _) => Cow::Owned(bytes),
        (None, Some(message)) => Cow::Owned(message.into_owned().into_bytes()),
        (None, None) => Cow::default(),
    };
    event.extra = object.rest().map(Cow::Owned);
    Ok(event)
}

/// What has not been understood yet.
struct Object(Map<String, Value>);

impl Object {
    /// What `read` makes of the first of `keys` that is there and that it understands.
    fn take<T>(&mut self, keys: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let found = keys.iter().find_map(|key| Some((key, read(self.0.get(*key)?)?)));
        found.map(|(key, value)| {
            self.0.remove(*key);
            value
        })
    }

    fn text(&mut self, keys: &[&str]) -> Option<Cow<'static, str>> {
        self.take(keys, shown).map(Cow::Owned)
    }

    fn number(&mut self, key: &str) -> Option<u32> {
        self.take(&[key], |value| shown(value)?.parse().ok())
    }

    /// All that remains, the content of an object called `extra` beside what should have been in it.
    fn rest(mut self) -> Option<Map<String, Value>> {
        let extra = match self.0.remove("extra") {
            Some(Value::Object(extra)) => extra,
            Some(other) => Map::from_iter([("extra".to_owned(), other)]),
            None => Map::new(),
        };
        self.0.retain(|_, value| !value.is_null());
        self.0.extend(extra);
        (!self.0.is_empty()).then_some(self.0)
    }
}

/// A value that is one text.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn level(value: &Value) -> Option<Level> {
    shown(value)?.parse().ok()
}

fn time(value: &Value) -> Option<DateTime<FixedOffset>> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok(),
        Value::Number(number) => {
            // As seconds this would be the year 5138.
            let number = number.as_f64()?;
            let seconds = if number.abs() >= 1e11 { number / 1e3 } else { number };
            // The cast saturates, and chrono refuses what is out of its range. A float has microseconds at best.
            Some(DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)?.fixed_offset())
        }
        _ => None,
    }
}
