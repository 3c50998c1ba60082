//! Which keys of a record's JSON travel (what overriding Python's `mapLogRecord` is for).

use std::str::FromStr;

use thiserror::Error;

use crate::wire::event::Event;

/// The keys that may be left out, in the schema's order; the message always travels.
const KEYS: [&str; 18] = [
    "time",
    "level",
    "name",
    "host",
    "app",
    "pid",
    "facility",
    "msgid",
    "structured_data",
    "file",
    "line",
    "function",
    "thread",
    "exception",
    "filename",
    "peer",
    "dialect",
    "extra",
];

/// A key that there is not, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("there is no key '{0}': the keys are {known}, message", known = KEYS.join(", "))]
pub struct KeyError(String);

/// Which keys are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    #[default]
    All,
    /// These, and the message.
    Chosen(Vec<&'static str>),
}

impl FromStr for Keys {
    type Err = KeyError;

    /// Names, with commas between them.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let names = text.split(',').map(str::trim).filter(|name| *name != "message");
        let keys = names.map(|name| {
            let known = KEYS.into_iter().find(|key| *key == name);
            known.ok_or_else(|| KeyError(name.to_owned()))
        });
        keys.collect::<Result<_, _>>().map(Self::Chosen)
    }
}

impl Keys {
    /// `event` without the keys that stay behind.
    pub fn of<'a>(&self, event: Event<'a>) -> Event<'a> {
        let Self::Chosen(keys) = self else { return event };
        let kept = |key: &str| keys.contains(&key);
        Event {
            time: event.time.filter(|_| kept("time")),
            level: event.level.filter(|_| kept("level")),
            severity: None,
            name: event.name.filter(|_| kept("name")),
            message: event.message,
            host: event.host.filter(|_| kept("host")),
            app: event.app.filter(|_| kept("app")),
            pid: event.pid.filter(|_| kept("pid")),
            facility: event.facility.filter(|_| kept("facility")),
            msgid: event.msgid.filter(|_| kept("msgid")),
            structured_data: event.structured_data.filter(|_| kept("structured_data")),
            file: event.file.filter(|_| kept("file")),
            line: event.line.filter(|_| kept("line")),
            function: event.function.filter(|_| kept("function")),
            thread: event.thread.filter(|_| kept("thread")),
            exception: event.exception.filter(|_| kept("exception")),
            filename: event.filename.filter(|_| kept("filename")),
            peer: event.peer.filter(|_| kept("peer")),
            dialect: event.dialect.filter(|_| kept("dialect")),
            extra: event.extra.filter(|_| kept("extra")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::json;

    use super::*;

    #[test]
    fn chosen_keys_alone_are_written_and_the_message() {
        let event =
            Event { name: Some("app".into()), host: Some("web-1".into()), pid: Some(7), ..Event::text(b"hello") };
        for (fields, written) in [
            ("host,message", r#"{"message":"hello","host":"web-1"}"#),
            ("pid, name", r#"{"name":"app","message":"hello","pid":7}"#),
            ("message", r#"{"message":"hello"}"#),
        ] {
            let mut out = Vec::new();
            json::write(&fields.parse::<Keys>().unwrap().of(event.clone()), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written, "{fields}");
        }
        assert!("hosts".parse::<Keys>().unwrap_err().to_string().contains("extra, message"));
    }
}
