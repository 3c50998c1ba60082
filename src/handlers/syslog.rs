//! SysLogHandler: records as syslog messages. Sending them is a stream's or a datagram's work ([`super::socket`],
//! [`super::datagram`]).

use crate::level::recognise;
use crate::record::Record;
use crate::wire::event::Event;
use crate::wire::syslog::{Encoder, Facility, Options, Pri};

use super::payload::{Arrival, Payload};

/// A syslog message for each record.
///
/// A `<PRI>` at its start says its priority and is taken off; else its level does, as far as it shows one.
pub struct Syslog {
    encoder: Encoder,
    facility: Facility,
    arrival: Arrival,
    cut: u64,
}

impl Syslog {
    pub fn new(options: Options, arrival: Arrival) -> Self {
        Self { facility: options.facility, encoder: Encoder::new(options), arrival, cut: 0 }
    }
}

impl Payload for Syslog {
    fn begin(&mut self) {
        self.arrival.begin();
    }

    fn write(&mut self, record: &Record<'_>, text: &[u8], out: &mut Vec<u8>) {
        let (pri, text) = match Pri::take(text) {
            Some((pri, rest)) => (Some(pri.or_facility(self.facility)), rest),
            None => (None, text),
        };
        let known = record.info.and_then(|info| info.level);
        let time = record.info.and_then(|info| info.time).unwrap_or(self.arrival.now());
        let event = Event {
            time: Some(time),
            level: known.or_else(|| recognise(text)),
            severity: pri.map(|pri| pri.severity),
            facility: pri.map(|pri| pri.facility),
            message: text.into(),
            ..Event::default()
        };
        self.cut += u64::from(self.encoder.encode(&event, out) > 0);
    }

    fn take_cut(&mut self) -> u64 {
        std::mem::take(&mut self.cut)
    }
}
