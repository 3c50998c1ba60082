use std::borrow::Cow;

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::level::Level;
use crate::wire::frame::{Embedded, Framing};
use crate::wire::log_record::random;
use crate::wire::{pickle, python};

fn shown(event: &Event<'_>, caller: &Caller<'_>, fields: &Fields) -> String {
    let mut out = Vec::new();
    encode(event, caller, fields, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn chosen_fields_are_sent_in_the_order_they_were_asked_for() {
    let caller = Caller::new(DateTime::UNIX_EPOCH);
    let event = Event {
        time: DateTime::from_timestamp(1_763_640_000, 123_456_789).map(|time| time.fixed_offset()),
        level: Some(Level::WARNING),
        host: Some("web-1".into()),
        pid: Some(7),
        message: Cow::Borrowed(b"a b&c=d~\xff/"),
        ..Event::default()
    };
    let fields = "levelname, message,created,funcName,hostname,process,args".parse().unwrap();
    assert_eq!(
        shown(&event, &caller, &fields),
        "levelname=WARNING&message=a+b%26c%3Dd~%FF%2F&created=1763640000.1234567&funcName=None&hostname=web-1&process=7&args=%28%29"
    );
    let message = "name,loud".parse::<Fields>().unwrap_err().to_string();
    assert!(
        message.starts_with("there is no field 'loud'") && message.ends_with("taskName, message, hostname"),
        "{message}"
    );
    assert!("".parse::<Fields>().is_err());
}

#[test]
fn a_query_is_added_to_the_one_there_is() {
    assert_eq!(with_query("/log", "a=1"), "/log?a=1");
    assert_eq!(with_query("/log?k=v", "a=1"), "/log?k=v&a=1");
}

#[test]
fn what_came_along_is_shown_as_python_would() {
    let extra = json!({"a": true, "b": null, "c": 1e20, "d": 7, "e": "é", "f": [1, "x"], "message": 1});
    let event = Event { extra: extra.as_object().map(Cow::Borrowed), ..Event::default() };
    let form = shown(&event, &Caller::new(DateTime::UNIX_EPOCH), &Fields::All);
    assert!(form.ends_with("&taskName=None&a=True&b=None&c=1e%2B20&d=7&e=%C3%A9&f=%5B1%2C%22x%22%5D"), "{form}");
}

/// Makes a LogRecord of each pickle as a logging call would have made it, and answers with what HTTPHandler sends of it.
const PYTHON: &str = r"
import logging, logging.handlers, pickle, struct, sys, urllib.parse
handler = logging.handlers.HTTPHandler('localhost', '/')
stream = sys.stdin.buffer
while chunk := stream.read(4):
    attributes = pickle.loads(stream.read(struct.unpack('>L', chunk)[0]))
    record = logging.LogRecord('', 0, '', 0, '', (), None)
    if not hasattr(record, 'taskName'):
        record.taskName = None
    del attributes['args']
    record.__dict__.update(attributes)
    print(urllib.parse.urlencode(handler.mapLogRecord(record)))
";

#[test]
fn python_sends_the_same_form() {
    let caller = Caller::new(DateTime::from_timestamp(1_763_640_000, 500).unwrap());
    let mut events = random::sample(1500);
    // A str of Python's cannot hold the bytes that are sent as they are, and it shows lists in its own way.
    events.retain(|event| {
        let nested = |value: &Json| value.is_array() || value.is_object();
        let texts = [&event.message, event.filename.as_ref().unwrap_or(&Cow::Borrowed(b""))];
        texts.iter().all(|text| std::str::from_utf8(text).is_ok())
            && !event.extra.iter().flat_map(|extra| extra.values()).any(nested)
    });
    assert!(events.len() > 300, "{}", events.len());
    let mut stream = Vec::new();
    for event in &events {
        Framing::Length.encode(Embedded::Escape, &mut stream, |out| pickle::encode(event, &caller, out)).unwrap();
    }
    let Some(answer) = python::ask(PYTHON, &stream) else { return };
    let lines: Vec<_> = std::str::from_utf8(&answer).unwrap().lines().collect();
    assert_eq!(lines.len(), events.len());
    for (line, event) in lines.iter().zip(&events) {
        assert_eq!(shown(event, &caller, &Fields::All), *line);
    }
}

#[test]
fn every_byte_is_quoted_as_python_does() {
    let all: Vec<u8> = (0..=255).collect();
    let script = "import sys, urllib.parse as p; b = sys.stdin.buffer.read(); print(p.quote_plus(b)); print(p.quote(b, safe=''))";
    let Some(answer) = python::ask(script, &all) else { return };
    let mut out = Vec::new();
    quote_plus(&all, &mut out);
    out.push(b'\n');
    quote(&all, &mut out);
    out.push(b'\n');
    assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(answer).unwrap());
}

proptest! {
    #[test]
    fn the_bytes_come_back(event in random::events()) {
        let fields = Fields::Chosen(vec![Field::Message]);
        let form = shown(&event, &Caller::new(DateTime::UNIX_EPOCH), &fields);
        let quoted = form.strip_prefix("message=").unwrap();
        let mut bytes = Vec::new();
        let mut rest = quoted.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                _ => byte,
            });
        }
        prop_assert_eq!(bytes, event.message.into_owned());
    }
}
