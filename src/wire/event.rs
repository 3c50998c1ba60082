//! One record as the network sees it: Python's LogRecord and a syslog message in one, everything optional.
//!
//! What is sent is made of a [`Record`] and of what is known about its sender ([`Event::of`]); what is received
//! (a pickle, a syslog message, JSON) fills in what it has.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};

use super::syslog::{Facility, Severity};
use crate::level::Level;
use crate::record::Record;

/// A record with all that came with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// When it was made; without that, when it arrived.
    pub time: Option<DateTime<FixedOffset>>,
    pub level: Option<Level>,
    /// Syslog's severity where one came along. It is finer than the level: Python has nothing above CRITICAL. It counts
    /// before the level.
    pub severity: Option<Severity>,
    /// The name of the logger (Python's `name`).
    pub name: Option<Cow<'a, str>>,
    /// The text, without a line end behind it.
    pub message: Cow<'a, [u8]>,
    pub host: Option<Cow<'a, str>>,
    /// The program (syslog's APP-NAME or TAG).
    pub app: Option<Cow<'a, str>>,
    pub pid: Option<u32>,
    pub facility: Option<Facility>,
    pub msgid: Option<Cow<'a, str>>,
    /// RFC 5424's STRUCTURED-DATA as it stands in a message.
    pub structured_data: Option<Cow<'a, str>>,
    /// The source file (Python's `pathname`), its line and its function.
    pub file: Option<Cow<'a, str>>,
    pub line: Option<u32>,
    pub function: Option<Cow<'a, str>>,
    /// The name of the thread.
    pub thread: Option<Cow<'a, str>>,
    /// The traceback (Python's `exc_text`).
    pub exception: Option<Cow<'a, str>>,
    /// The log file that the record was read from, as the bytes of its name.
    pub filename: Option<Cow<'a, [u8]>>,
    /// Who sent it.
    pub peer: Option<Cow<'a, str>>,
    /// In what form it came.
    pub dialect: Option<Cow<'a, str>>,
    /// Everything else that came along.
    pub extra: Option<Cow<'a, Map<String, Value>>>,
}

impl<'a> Event<'a> {
    /// An event of nothing but a text.
    pub fn text(message: &'a [u8]) -> Self {
        Self { message: Cow::Borrowed(message), ..Self::default() }
    }

    /// `record`, and from `defaults` (the time of arrival, this host, this program, …) what it doesn't know itself.
    /// Nothing is copied.
    pub fn of(record: &Record<'a>, defaults: &'a Event<'_>) -> Self {
        let info = record.info;
        let level = info.and_then(|info| info.level);
        Self {
            time: info.and_then(|info| info.time).or(defaults.time),
            level: level.or(defaults.level),
            severity: defaults.severity.filter(|_| level.is_none()),
            name: info.and_then(|info| info.name.as_deref()).map(Cow::Borrowed).or_else(|| lend(&defaults.name)),
            message: Cow::Borrowed(record.message()),
            filename: record.filename().map(|name| Cow::Borrowed(&**name)).or_else(|| lend(&defaults.filename)),
            ..defaults.lent()
        }
    }

    /// The same event without a copy of its texts.
    pub fn lent(&self) -> Event<'_> {
        Event {
            time: self.time,
            level: self.level,
            severity: self.severity,
            name: lend(&self.name),
            message: Cow::Borrowed(&self.message),
            host: lend(&self.host),
            app: lend(&self.app),
            pid: self.pid,
            facility: self.facility,
            msgid: lend(&self.msgid),
            structured_data: lend(&self.structured_data),
            file: lend(&self.file),
            line: self.line,
            function: lend(&self.function),
            thread: lend(&self.thread),
            exception: lend(&self.exception),
            filename: lend(&self.filename),
            peer: lend(&self.peer),
            dialect: lend(&self.dialect),
            extra: lend(&self.extra),
        }
    }
}

fn lend<'s, B: ToOwned + ?Sized>(field: &'s Option<Cow<'_, B>>) -> Option<Cow<'s, B>> {
    field.as_deref().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::record::RecordInfo;

    #[test]
    fn what_a_record_knows_counts_before_the_defaults() {
        let time = DateTime::parse_from_rfc3339("2026-11-20T12:00:00+01:00").unwrap();
        let defaults = Event {
            time: Some(time),
            level: Some(Level::INFO),
            name: Some("root".into()),
            host: Some("web-1".into()),
            filename: Some(Cow::Borrowed(b"<stdin>")),
            pid: Some(7),
            severity: Some(Severity::NOTICE),
            ..Event::default()
        };
        let bare = Record { bytes: b"hello\r\n", info: None, file: None };
        let event = Event::of(&bare, &defaults);
        assert_eq!(event, Event { message: Cow::Borrowed(b"hello\r"), ..defaults.clone() });

        let later = time + chrono::TimeDelta::seconds(1);
        let file: Arc<[u8]> = Arc::from(&b"app.log"[..]);
        let info = RecordInfo {
            time: Some(later),
            level: Some(Level::ERROR),
            name: Some("app.db".into()),
            ..RecordInfo::default()
        };
        let known = Record { bytes: b"hello", info: Some(&info), file: Some(&file) };
        let expected = Event {
            time: Some(later),
            level: Some(Level::ERROR),
            severity: None,
            name: Some("app.db".into()),
            message: Cow::Borrowed(b"hello"),
            filename: Some(Cow::Borrowed(b"app.log")),
            ..defaults.clone()
        };
        assert_eq!(Event::of(&known, &defaults), expected);
    }
}
