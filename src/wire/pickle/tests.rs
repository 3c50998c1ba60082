use std::borrow::Cow;

use chrono::DateTime;
use serde_json::{Map, json};

use super::*;
use crate::level::Level;
use crate::wire::frame::{Embedded, Framing};
use crate::wire::log_record::random;
use crate::wire::python;

/// Receives as the logging cookbook does, formats every attribute, and answers with each record's dictionary. What a
/// SocketHandler of its own makes of that record must be the same dictionary.
const PYTHON: &str = r"
import io, json, logging, logging.handlers, pickle, pickletools, struct, sys
sys.stdout.reconfigure(encoding='utf-8', newline='')
out = io.TextIOWrapper(io.BytesIO(), encoding='utf-8')
handler = logging.StreamHandler(out)
handler.setFormatter(logging.Formatter('''%(asctime)s %(name)s %(levelno)d %(levelname)s %(pathname)s %(filename)s
%(module)s %(lineno)d %(funcName)s %(created)f %(msecs)03d %(relativeCreated)d %(thread)d %(threadName)s %(process)d
%(processName)s %(taskName)s %(message)s''' ))
handler.formatter.converter = lambda seconds: __import__('time').gmtime(0)
def fail(record):
    raise
handler.handleError = fail
socket_handler = logging.handlers.SocketHandler('localhost', 0)
stream = sys.stdin.buffer
while chunk := stream.read(4):
    data = stream.read(struct.unpack('>L', chunk)[0])
    opcodes = list(pickletools.genops(data))
    assert max(op.proto for op, _, _ in opcodes) <= 1
    assert opcodes[-1][0].name == 'STOP' and opcodes[-1][2] == len(data) - 1
    attributes = pickle.loads(data)
    record = logging.makeLogRecord(attributes)
    handler.handle(record)
    again = pickle.loads(socket_handler.makePickle(record)[4:])
    again.pop('asctime', None)
    assert again == {'taskName': None, **attributes}, (again, attributes)
    assert [type(v) for v in again.values()] == [type(again[k]) for k in again]
    print(json.dumps(attributes))
";

fn attribute(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::None => serde_json::Value::Null,
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Text(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::Json(value) => (*value).clone(),
    }
}

#[test]
fn python_makes_the_same_log_records_of_them() {
    let caller = Caller::new(DateTime::from_timestamp(1_763_640_000, 500).unwrap());
    let events = random::sample(2000);
    let mut stream = Vec::new();
    for event in &events {
        Framing::Length.encode(Embedded::Escape, &mut stream, |out| encode(event, &caller, out)).unwrap();
    }
    let Some(answer) = python::ask(PYTHON, &stream) else { return };
    let lines: Vec<&[u8]> = answer.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), events.len());
    for (line, event) in lines.iter().zip(&events) {
        let mut expected: Map<String, serde_json::Value> = Map::new();
        for known in Attribute::ALL {
            expected.insert(known.name().to_owned(), attribute(&known.of(event, &caller)));
        }
        let extra = event.extra.as_deref().into_iter().flatten();
        expected.extend(extra.map(|(key, value)| (key.clone(), value.clone())));
        let mut answered: Map<String, serde_json::Value> = serde_json::from_slice(line).unwrap();
        if let Some(encoded) = answered.remove("message_base64") {
            assert_eq!(base64::decode(encoded.as_str().unwrap().as_bytes()).unwrap(), *event.message);
            assert!(String::from_utf8(event.message.to_vec()).is_err());
        }
        assert_eq!(serde_json::Value::from(answered), serde_json::Value::from(expected));
    }
}

#[test]
fn the_bytes_of_a_small_one() {
    let mut out = Vec::new();
    json(
        &json!({"a": [0, 255, 256, 65535, 65536, -1, 2147483648u32, u64::MAX, 1.5, true, false, null, "é"]}),
        &mut out,
    );
    let expected: &[u8] = b"}(X\x01\0\0\0a](K\0K\xffM\0\x01M\xff\xffJ\0\0\x01\0J\xff\xff\xff\xffL2147483648L\nL18446744073709551615L\nG?\xf8\0\0\0\0\0\0I01\nI00\nNX\x02\0\0\0\xc3\xa9eu";
    assert_eq!(out, expected);
}

#[test]
fn numbers_are_numbers_where_nothing_is_known() {
    let caller = Caller::new(DateTime::UNIX_EPOCH);
    let event = Event { level: Some(Level::NOTICE), message: Cow::Borrowed(b"100%"), ..Event::default() };
    let value = |attribute: Attribute| attribute.of(&event, &caller);
    for known in [Attribute::LineNo, Attribute::Thread, Attribute::Process] {
        assert_eq!(value(known), Value::Int(0));
    }
    assert_eq!(value(Attribute::LevelName), Value::Text(Cow::Borrowed(b"NOTICE")));
    assert_eq!(value(Attribute::Pathname), Value::Text(Cow::Borrowed(b"<stdin>")));
}
