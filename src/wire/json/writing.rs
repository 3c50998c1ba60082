//! Records to JSON.

use std::borrow::Cow;
use std::io::Write;

use chrono::{DateTime, FixedOffset};

use crate::wire::event::Event;
use crate::wire::{base64, timestamp};

/// Appends `event` as one object on one line, without a line end.
///
/// What isn't UTF-8 has U+FFFD in its place; of the message the bytes then follow as `message_base64`.
pub fn write(event: &Event<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut object = Object(out);
    object.time(event.time.as_ref());
    object.text("level", event.level.map(|level| level.name()));
    object.text("name", event.name.as_deref());
    let message = String::from_utf8_lossy(&event.message);
    object.text("message", Some(&*message));
    if matches!(message, Cow::Owned(_)) {
        object.raw("message_base64", |out| {
            out.push(b'"');
            base64::encode(&event.message, out);
            out.push(b'"');
        });
    }
    object.text("host", event.host.as_deref());
    object.text("app", event.app.as_deref());
    object.number("pid", event.pid);
    object.text("facility", event.facility.map(|facility| facility.name()));
    object.text("msgid", event.msgid.as_deref());
    object.text("structured_data", event.structured_data.as_deref());
    object.text("file", event.file.as_deref());
    object.number("line", event.line);
    object.text("function", event.function.as_deref());
    object.text("thread", event.thread.as_deref());
    object.text("exception", event.exception.as_deref());
    object.text("filename", event.filename.as_deref().map(String::from_utf8_lossy));
    object.text("peer", event.peer.as_deref());
    object.text("dialect", event.dialect.as_deref());
    if let Some(extra) = event.extra.as_deref().filter(|extra| !extra.is_empty()) {
        // Writing into a vector cannot fail, here and below.
        object.raw("extra", |out| drop(serde_json::to_writer(out, extra)));
    }
    object.end();
}

/// An object that is being written: every value has a comma behind it until the end.
struct Object<'o>(&'o mut Vec<u8>);

impl Object<'_> {
    fn raw(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let _ = write!(self.0, "\"{key}\":");
        value(self.0);
        self.0.push(b',');
    }

    fn text(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.raw(key, |out| drop(serde_json::to_writer(out, value.as_ref())));
        }
    }

    /// A year that RFC 3339 cannot write is as good as none.
    fn time(&mut self, time: Option<&DateTime<FixedOffset>>) {
        let Some(time) = time else { return };
        let start = self.0.len();
        self.0.extend_from_slice(b"\"time\":\"");
        if timestamp::rfc3339(time, self.0) {
            self.0.extend_from_slice(b"\",");
        } else {
            self.0.truncate(start);
        }
    }

    fn number(&mut self, key: &str, value: Option<u32>) {
        if let Some(value) = value {
            self.raw(key, |out| drop(write!(out, "{value}")));
        }
    }

    /// There is a message in every object, so there is a comma to replace.
    fn end(self) {
        self.0.pop();
        self.0.push(b'}');
    }
}
