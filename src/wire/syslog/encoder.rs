//! One event to one syslog message, in any of the three forms (SysLogHandler's `emit`, without the sending).
//!
//! Most messages of a run differ in their time, their PRI and their text alone, so the rest of the header is written
//! once, and the time once for all events that have the same.

use chrono::{DateTime, FixedOffset};

use super::field::{self, Names};
use super::message::{self, Controls};
use super::{Facility, Pri, Severity, StructuredData, local, rfc3164, rfc5424};
use crate::wire::event::Event;
use crate::wire::timestamp;

/// How a message is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As glibc's syslog(3) writes it to /dev/log: for the log of this machine.
    Local,
    /// The BSD form, with the host.
    Rfc3164,
    /// With a full timestamp and structured data.
    #[default]
    Rfc5424,
}

/// What is the same for all messages of a run. Where an event knows its own host, app, and so on, that counts.
#[derive(Clone, Debug)]
pub struct Options {
    pub form: Form,
    pub facility: Facility,
    /// For events with neither a severity nor a level.
    pub severity: Severity,
    pub host: Option<String>,
    /// APP-NAME, or the TAG of the older forms (SysLogHandler's `ident`).
    pub app: Option<String>,
    pub pid: Option<u32>,
    pub msgid: Option<String>,
    pub structured_data: Option<StructuredData>,
    /// Begin texts that are UTF-8 with a BOM, as RFC 5424 asks of a sender that knows them to be (6.4). Off: lines from a
    /// pipe are MSG-ANY, in which UTF-8 is just as welcome, and most receivers show the BOM as a part of the text.
    pub bom: bool,
    pub controls: Controls,
    /// End every message with a NUL, as SysLogHandler does by default (bpo-12168).
    pub append_nul: bool,
    /// The most bytes of a message, from PRI to NUL. The text is cut to fit; a header is never cut.
    pub max_message: Option<usize>,
}

impl Default for Options {
    /// RFC 5424, user.notice as logger has it, nothing known of the sender, control characters escaped.
    fn default() -> Self {
        Self {
            form: Form::default(),
            facility: Facility::USER,
            severity: Severity::NOTICE,
            host: None,
            app: None,
            pid: None,
            msgid: None,
            structured_data: None,
            bom: false,
            controls: Controls::default(),
            append_nul: false,
            max_message: None,
        }
    }
}

/// Writes messages. It keeps the time it last wrote, so writing needs it mutable.
#[derive(Clone, Debug)]
pub struct Encoder {
    options: Options,
    /// The header behind the time for events that know nothing of the sender.
    header: Vec<u8>,
    /// `stamped`, as it is written.
    stamp: Vec<u8>,
    stamped: Option<DateTime<FixedOffset>>,
}

impl Encoder {
    pub fn new(options: Options) -> Self {
        let mut encoder = Self { options, header: Vec::new(), stamp: Vec::new(), stamped: None };
        let mut header = Vec::new();
        encoder.write_header(&Event::default(), true, &mut header);
        encoder.header = header;
        encoder
    }

    /// Appends the message for `event`, without a frame. Returns how many bytes of its text did not fit.
    ///
    /// The older forms have no zone, so hand over local time for them. An event without a time goes without one; over
    /// the network the receiver then adds its own.
    pub fn encode(&mut self, event: &Event<'_>, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        self.pri(event).write(out);
        let timed = self.write_time(event.time, out);
        let anonymous = event.host.is_none()
            && event.app.is_none()
            && event.pid.is_none()
            && event.msgid.is_none()
            && event.structured_data.is_none();
        if anonymous && timed {
            out.extend_from_slice(&self.header);
        } else {
            self.write_header(event, timed, out);
        }
        let left_out = self.write_text(&event.message, start, out);
        if self.options.append_nul {
            out.push(0);
        }
        left_out
    }

    fn pri(&self, event: &Event<'_>) -> Pri {
        let severity = event.severity.or_else(|| event.level.map(Severity::from));
        Pri {
            facility: event.facility.unwrap_or(self.options.facility),
            severity: severity.unwrap_or(self.options.severity),
        }
    }

    /// Appends all that stands between PRI and the rest of the header. Whether that includes a time, or its place.
    fn write_time(&mut self, time: Option<DateTime<FixedOffset>>, out: &mut Vec<u8>) -> bool {
        // Equal times may have different offsets.
        let fresh = self.stamped.is_some() && self.stamped.map(whole) == time.map(whole);
        if !fresh {
            self.stamp.clear();
            match (self.options.form, &time) {
                (Form::Rfc5424, time) => {
                    self.stamp.extend_from_slice(rfc5424::VERSION);
                    if !time.is_some_and(|time| timestamp::rfc3339(&time, &mut self.stamp)) {
                        self.stamp.push(field::NIL);
                    }
                    self.stamp.push(b' ');
                }
                (_, Some(time)) => {
                    timestamp::bsd(time, &mut self.stamp);
                    self.stamp.push(b' ');
                }
                (_, None) => {}
            }
            self.stamped = time;
        }
        out.extend_from_slice(&self.stamp);
        self.options.form == Form::Rfc5424 || time.is_some()
    }

    fn write_header(&self, event: &Event<'_>, timed: bool, out: &mut Vec<u8>) {
        let Options { host, app, pid, msgid, structured_data, .. } = &self.options;
        let names = Names {
            host: event.host.as_deref().or(host.as_deref()),
            app: event.app.as_deref().or(app.as_deref()),
            pid: event.pid.or(*pid),
            msgid: event.msgid.as_deref().or(msgid.as_deref()),
            structured_data: event.structured_data.as_deref().or(structured_data.as_ref().map(StructuredData::as_str)),
        };
        match self.options.form {
            Form::Local => local::header(&names, out),
            Form::Rfc3164 if timed => rfc3164::header(&names, out),
            Form::Rfc3164 => rfc3164::untimed(&names, out),
            Form::Rfc5424 => rfc5424::header(&names, out),
        }
    }

    /// Appends the text to the message that begins at `start`; how much of it did not fit.
    fn write_text(&self, text: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
        let mut room = match self.options.max_message {
            Some(most) => most.saturating_sub(out.len() - start + usize::from(self.options.append_nul)),
            None => usize::MAX,
        };
        if self.options.form == Form::Rfc5424 && !text.is_empty() {
            let bom = self.options.bom && !text.starts_with(rfc5424::BOM) && std::str::from_utf8(text).is_ok();
            let lead = if bom { 1 + rfc5424::BOM.len() } else { 1 };
            if lead > room {
                return text.len();
            }
            room -= lead;
            out.push(b' ');
            if bom {
                out.extend_from_slice(rfc5424::BOM);
            }
        }
        text.len() - message::append(text, self.options.controls, room, out)
    }
}

/// All of a time: two are equal only if they are written alike.
fn whole(time: DateTime<FixedOffset>) -> (DateTime<FixedOffset>, i32) {
    (time, time.offset().local_minus_utc())
}
