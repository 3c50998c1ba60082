//! What is sent for each record: its text as it is, JSON, or a pickle (SocketHandler's `makePickle`).

use chrono::{DateTime, FixedOffset, Utc};

use crate::clock::{Clock, Zone};
use crate::level::recognise;
use crate::record::Record;
use crate::wire::event::Event;
use crate::wire::frame::{Embedded, Framing};
use crate::wire::log_record::Caller;
use crate::wire::{json, pickle};

/// Turns records into what is sent, without a frame.
pub trait Payload: Send {
    /// Called before the records of each batch.
    fn begin(&mut self) {}

    /// Appends what is sent for the first bytes of `record`'s text, `text`; all of it unless it had to be cut.
    fn write(&mut self, record: &Record<'_>, text: &[u8], out: &mut Vec<u8>);

    /// Whether that is the text itself, so that lines may be sent as they came.
    fn is_plain(&self) -> bool {
        false
    }

    /// How many texts were cut since this was last asked, because there was a limit to them.
    fn take_cut(&mut self) -> u64 {
        0
    }
}

/// The text and nothing else.
pub struct Raw;

impl Payload for Raw {
    fn write(&mut self, _record: &Record<'_>, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn is_plain(&self) -> bool {
        true
    }
}

/// What is known of every record: the time of its arrival, this host, its level by its looks.
pub struct Arrival {
    clock: Clock,
    zone: Zone,
    host: String,
    now: DateTime<FixedOffset>,
}

impl Arrival {
    pub fn new(clock: Clock, zone: Zone) -> Self {
        let now = zone.civil(clock.now());
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { clock, zone, host, now }
    }

    pub fn begin(&mut self) {
        self.now = self.zone.civil(self.clock.now());
    }

    /// When the batch came.
    pub fn now(&self) -> DateTime<FixedOffset> {
        self.now
    }

    /// What is known of `record` beside what it knows itself.
    fn event(&self, record: &Record<'_>) -> Event<'_> {
        let known = record.info.is_some_and(|info| info.level.is_some());
        Event {
            time: Some(self.now),
            level: if known { None } else { recognise(record.message()) },
            host: Some(self.host.as_str().into()),
            ..Event::default()
        }
    }
}

/// One object a record, in the schema of [`json`].
pub struct Json(pub Arrival);

impl Payload for Json {
    fn begin(&mut self) {
        self.0.begin();
    }

    fn write(&mut self, record: &Record<'_>, text: &[u8], out: &mut Vec<u8>) {
        let defaults = self.0.event(record);
        json::write(&Event { message: text.into(), ..Event::of(record, &defaults) }, out);
    }
}

/// Python's LogRecord.
pub struct Pickle {
    arrival: Arrival,
    started: DateTime<Utc>,
}

impl Pickle {
    pub fn new(arrival: Arrival) -> Self {
        Self { started: arrival.clock.now(), arrival }
    }
}

impl Payload for Pickle {
    fn begin(&mut self) {
        self.arrival.begin();
    }

    fn write(&mut self, record: &Record<'_>, text: &[u8], out: &mut Vec<u8>) {
        let defaults = self.arrival.event(record);
        let event = Event { message: text.into(), ..Event::of(record, &defaults) };
        pickle::encode(&event, &Caller::new(self.started), out);
    }
}

/// With the length before it, as in a stream: so Python's DatagramHandler sends its pickles.
pub struct Framed(pub Box<dyn Payload>);

impl Payload for Framed {
    fn begin(&mut self) {
        self.0.begin();
    }

    fn write(&mut self, record: &Record<'_>, text: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        // What has no length in four bytes is too long for any datagram as well, and found to be so by its own length.
        if Framing::Length.encode(Embedded::Leave, out, |out| self.0.write(record, text, out)).is_err() {
            out.truncate(start);
        }
    }
}
