use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

use super::*;
use crate::level::Level;
use crate::wire::event::Event;
use crate::wire::python;
use crate::wire::syslog::Facility;

fn shown(event: &Event<'_>) -> String {
    let mut out = Vec::new();
    write(event, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn keys_stand_in_their_order_and_absent_ones_do_not() {
    assert_eq!(shown(&Event::default()), r#"{"message":""}"#);
    let all = Event {
        time: Some(DateTime::parse_from_rfc3339("2026-11-20T12:00:00.123456789+01:00").unwrap()),
        level: Some(Level(35)),
        severity: None,
        name: Some("app.db".into()),
        message: Cow::Borrowed(b"caf\xe9 \"\n"),
        host: Some("web-1".into()),
        app: Some("app".into()),
        pid: Some(7),
        facility: Some(Facility::USER),
        msgid: Some("ID".into()),
        structured_data: Some("[a@1]".into()),
        file: Some("/a.py".into()),
        line: Some(42),
        function: Some("f".into()),
        thread: Some("MainThread".into()),
        exception: Some("Traceback".into()),
        filename: Some(Cow::Borrowed(b"app\xff.log")),
        peer: Some("127.0.0.1:9".into()),
        dialect: Some("pickle".into()),
        extra: json!({"b": [1, null], "a": {"deep": 1.5}}).as_object().cloned().map(Cow::Owned),
    };
    assert_eq!(
        shown(&all),
        concat!(
            r#"{"time":"2026-11-20T12:00:00.123456+01:00","level":"Level 35","name":"app.db","#,
            r#""message":"caf"#,
            "\u{fffd}",
            r#" \"\n","message_base64":"Y2Fm6SAiCg==","host":"web-1","app":"app","pid":7,"facility":"user","#,
            r#""msgid":"ID","structured_data":"[a@1]","file":"/a.py","line":42,"function":"f","thread":"MainThread","#,
            r#""exception":"Traceback","filename":"app"#,
            "\u{fffd}",
            r#".log","peer":"127.0.0.1:9","dialect":"pickle","extra":{"a":{"deep":1.5},"b":[1,null]}}"#,
        )
    );
}

#[test]
fn a_year_that_cannot_be_written_is_left_out() {
    let time = DateTime::from_timestamp(253_402_300_800, 0).map(|time| time.fixed_offset());
    assert_eq!(shown(&Event { time, ..Event::text(b"hi") }), r#"{"message":"hi"}"#);
}

#[test]
fn what_others_call_it_is_understood() {
    let event = read(
        br#"{"@timestamp":"2026-11-20T12:00:00Z","levelname":"warn","logger":"x","msg":"hi","hostname":"h","k":1}"#,
    );
    let event = event.unwrap();
    assert_eq!(event.time, DateTime::parse_from_rfc3339("2026-11-20T12:00:00Z").ok());
    assert_eq!((event.level, event.name.as_deref(), &*event.message), (Some(Level::WARNING), Some("x"), &b"hi"[..]));
    assert_eq!((event.host.as_deref(), event.extra.unwrap().into_owned()), (Some("h"), object(json!({"k": 1}))));
}

#[test]
fn a_number_is_a_time_or_a_level() {
    for (text, micros) in
        [("1763640000.25", 1_763_640_000_250_000), ("1763640000250", 1_763_640_000_250_000), ("-1", -1_000_000)]
    {
        let event = read(format!("{{\"ts\":{text},\"level\":30}}").as_bytes()).unwrap();
        assert_eq!(event.time.unwrap().timestamp_micros(), micros);
        assert_eq!(event.level, Some(Level::WARNING));
    }
}

#[test]
fn what_is_not_understood_is_kept() {
    let text = r#"{"time":"noon","timestamp":1,"level":"loud","message":["a"],"message_base64":"?","pid":-1,"line":"7",
                   "facility":99,"host":null,"thread":140,"name":false,"filename":{},"extra":[1]}"#;
    let event = read(text.as_bytes()).unwrap();
    assert_eq!(event.time.unwrap().timestamp(), 1, "the next name is tried");
    assert_eq!((event.line, event.thread.as_deref(), event.name.as_deref()), (Some(7), Some("140"), Some("false")));
    let rest = json!({"time":"noon","level":"loud","message":["a"],"message_base64":"?","pid":-1,"facility":99,"filename":{},"extra":[1]});
    assert_eq!(event.extra.unwrap().into_owned(), object(rest));
    assert!(event.message.is_empty());
}

#[test]
fn only_an_object_is_a_record() {
    for text in ["", "1", "[]", "\"a\"", "{", "{} {}", "{\"a\":\"\u{1}\"}", "null"] {
        let message = read(text.as_bytes()).unwrap_err().to_string();
        assert!(message.starts_with("no JSON object: "), "{message}");
    }
    assert!(read(b"{\"message\":\"\xff\"}").is_err());
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn text() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    prop::option::of("(\\PC|[\0-\u{1f}\"\\\\/\u{7f}\u{2028}]){0,12}".prop_map(Cow::Owned))
}

prop_compose! {
    fn events()(
        micros in prop::option::of(-62_000_000_000_000_000i64..253_000_000_000_000_000), minutes in -1439i32..1440,
        level in prop::option::of(any::<i32>()), facility in prop::option::of(0u8..24),
        (name, host, app, msgid, structured_data) in (text(), text(), text(), text(), text()),
        (file, function, thread, exception, peer, dialect) in (text(), text(), text(), text(), text(), text()),
        (pid, line) in any::<(Option<u32>, Option<u32>)>(),
        message in prop_oneof![prop::collection::vec(any::<u8>(), 0..40), "\\PC{0,40}".prop_map(String::into_bytes)],
        filename in text(),
        extra in prop::option::of(prop::collection::btree_map("(\\PC){0,5}|time|message|extra", any::<i64>(), 1..4)),
    ) -> Event<'static> {
        let time = micros.map(|micros| {
            let offset = FixedOffset::east_opt(minutes * 60).unwrap();
            DateTime::from_timestamp_micros(micros).unwrap().with_timezone(&offset)
        });
        Event {
            time, level: level.map(Level), severity: None, name, message: Cow::Owned(message), host, app, pid,
            facility: facility.and_then(Facility::new), msgid, structured_data, file, line, function, thread, exception,
            filename: filename.map(|name| Cow::Owned(name.into_owned().into_bytes())), peer, dialect,
            extra: extra.map(|extra| Cow::Owned(extra.into_iter().map(|(key, value)| (key, value.into())).collect())),
        }
    }
}

proptest! {
    #[test]
    fn a_record_comes_back(event in events()) {
        let text = shown(&event);
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(read(text.as_bytes()).unwrap(), event);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), number in any::<f64>(), key in "[a-z@_]{1,9}|time|ts|level|pid|line|facility") {
        let _ = read(&bytes);
        let _ = read(format!("{{\"{key}\":{number:e},\"ts\":{number}}}").as_bytes());
    }
}

/// Reads objects line by line and answers with what its own library writes of them.
const PYTHON: &str = r"
import base64, datetime, json, sys
keys = '''time level name message message_base64 host app pid facility msgid structured_data file line function thread
exception filename peer dialect extra'''.split()
sys.stdout.reconfigure(encoding='utf-8')
for line in sys.stdin.buffer.read().split(b'\n')[:-1]:
    record = json.loads(line)
    assert list(record) == [key for key in keys if key in record], record
    if 'time' in record:
        time = datetime.datetime.fromisoformat(record['time'])
        assert time.isoformat(timespec='microseconds') == record['time'], record
    if 'message_base64' in record:
        assert base64.b64decode(record['message_base64'], validate=True).decode(errors='replace') == record['message']
    print(json.dumps(record))
";

#[test]
fn python_reads_what_was_written() {
    let (mut runner, strategy) = (proptest::test_runner::TestRunner::default(), events());
    let records: Vec<Event<'_>> =
        std::iter::repeat_with(|| strategy.new_tree(&mut runner).unwrap().current()).take(1000).collect();
    let mut input = Vec::new();
    for record in &records {
        write(record, &mut input);
        input.push(b'\n');
    }
    let Some(answer) = python::ask(PYTHON, &input) else { return };
    let lines: Vec<&[u8]> = answer.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), records.len());
    for (line, record) in lines.iter().zip(&records) {
        assert_eq!(read(line).unwrap(), *record);
    }
}
