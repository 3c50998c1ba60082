use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;

use super::*;
use crate::level::Level;
use crate::wire::event::Event;

fn at(text: &str) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::parse_from_rfc3339(text).unwrap())
}

fn sender(form: Form) -> Options {
    Options {
        form,
        facility: "local4".parse().unwrap(),
        host: Some("web-1".into()),
        app: Some("app".into()),
        pid: Some(4711),
        ..Options::default()
    }
}

fn encode(options: Options, event: &Event<'_>) -> String {
    let mut out = Vec::new();
    assert_eq!(Encoder::new(options).encode(event, &mut out), 0);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_three_forms() {
    let event =
        Event { time: at("2026-11-03T07:08:09.123456789+01:00"), level: Some(Level::ERROR), ..Event::text(b"hi") };
    for (form, text) in [
        (Form::Local, "<163>Nov  3 07:08:09 app[4711]: hi"),
        (Form::Rfc3164, "<163>Nov  3 07:08:09 web-1 app[4711]: hi"),
        (Form::Rfc5424, "<163>1 2026-11-03T07:08:09.123456+01:00 web-1 app 4711 - - hi"),
    ] {
        assert_eq!(encode(sender(form), &event), text);
    }
}

#[test]
fn what_is_not_known_is_nil_or_left_out() {
    let event = Event::text(b"hi");
    for (form, text) in
        [(Form::Local, "<13>-: hi"), (Form::Rfc3164, "<13>-: hi"), (Form::Rfc5424, "<13>1 - - - - - - hi")]
    {
        assert_eq!(encode(Options { form, ..Options::default() }, &event), text);
        assert!(encode(sender(form), &event).starts_with("<165>"), "logger's notice");
    }
    assert_eq!(encode(sender(Form::Rfc3164), &event), "<165>app[4711]: hi", "a host alone would be taken for the tag");
    assert_eq!(encode(Options::default(), &Event::default()), "<13>1 - - - - - -", "no text, no space before it");
}

#[test]
fn what_an_event_knows_counts_before_the_options() {
    let event = Event {
        time: at("2026-11-03T07:08:09Z"),
        level: Some(Level::CRITICAL),
        severity: Severity::new(0),
        facility: Some(Facility::KERN),
        host: Some("db 2".into()),
        app: Some("kernel:".into()),
        msgid: Some("TCPIN".into()),
        structured_data: Some("[a@1 v=\"x]\"]".into()),
        ..Event::text(b"hi")
    };
    let options = Options { structured_data: "[b@1]".parse().ok(), ..sender(Form::Rfc5424) };
    let text = "<0>1 2026-11-03T07:08:09.000000+00:00 db_2 kernel: 4711 TCPIN [a@1 v=\"x\\]\"] hi";
    assert_eq!(encode(options.clone(), &event), text);
    let broken = Event { structured_data: Some("[a".into()), ..event.clone() };
    assert!(encode(options.clone(), &broken).contains(" TCPIN - hi"));
    let without = Event { structured_data: None, ..event.clone() };
    assert!(encode(options, &without).contains(" TCPIN [b@1] hi"));
    assert_eq!(encode(sender(Form::Rfc3164), &event), "<0>Nov  3 07:08:09 db_2 kernel_[4711]: hi");
}

#[test]
fn the_time_is_written_anew_when_it_or_its_offset_changes() {
    for form in [Form::Local, Form::Rfc3164, Form::Rfc5424] {
        let times =
            [at("2026-11-03T07:08:09Z"), at("2026-11-03T08:08:09+01:00"), None, None, at("2026-11-03T07:08:09Z")];
        let mut encoder = Encoder::new(sender(form));
        for time in times {
            let event = Event { time, ..Event::text(b"hi") };
            let mut out = Vec::new();
            encoder.encode(&event, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), encode(sender(form), &event));
        }
    }
}

#[test]
fn a_bom_only_when_asked_and_only_before_utf8() {
    let bom = |message: &[u8]| {
        let mut out = Vec::new();
        let options = Options { bom: true, ..Options::default() };
        Encoder::new(options).encode(&Event::text(message), &mut out);
        out
    };
    assert_eq!(bom("é".as_bytes()), b"<13>1 - - - - - - \xef\xbb\xbf\xc3\xa9");
    assert_eq!(bom(b"\xe9"), b"<13>1 - - - - - - \xe9");
    assert_eq!(bom(b"\xef\xbb\xbfa"), b"<13>1 - - - - - - \xef\xbb\xbfa", "it has one");
    assert_eq!(bom(b""), b"<13>1 - - - - - -");
}

#[test]
fn the_limit_holds_for_the_whole_message() {
    let message = "aé日\n".repeat(20);
    for form in [Form::Local, Form::Rfc3164, Form::Rfc5424] {
        for append_nul in [false, true] {
            for bom in [false, true] {
                let event = Event { time: at("2026-11-03T07:08:09Z"), ..Event::text(message.as_bytes()) };
                let whole = Options { append_nul, bom, ..sender(form) };
                let mut all = Vec::new();
                assert_eq!(Encoder::new(whole.clone()).encode(&event, &mut all), 0);
                assert_eq!(all.ends_with(b"\0"), append_nul);
                let body = all.len() - usize::from(append_nul);
                let mut header = Vec::new();
                Encoder::new(whole.clone())
                    .encode(&Event { message: Cow::Borrowed(b""), ..event.clone() }, &mut header);
                for most in 0..=all.len() + 1 {
                    let options = Options { max_message: Some(most), ..whole.clone() };
                    let mut out = b"before".to_vec();
                    let left_out = Encoder::new(options).encode(&event, &mut out);
                    let cut = &out[6..];
                    assert!(cut.len() <= most.max(header.len()), "{most}: {}", cut.len());
                    assert_eq!(left_out == 0, cut.len() == all.len());
                    assert!(all[..body].starts_with(cut.strip_suffix(b"\0").unwrap_or(cut)));
                    assert_eq!(cut.ends_with(b"\0"), append_nul);
                    assert!(std::str::from_utf8(cut).is_ok());
                }
            }
        }
    }
}

/// A message as the ABNF of RFC 5424, section 6, takes it apart; None where it doesn't fit.
#[derive(Debug, PartialEq)]
struct Parsed<'m> {
    pri: u32,
    time: Option<&'m str>,
    fields: [Option<&'m str>; 4],
    data: Vec<(String, Vec<(String, String)>)>,
    message: Option<&'m [u8]>,
}

fn parse_5424(message: &[u8]) -> Option<Parsed<'_>> {
    let inside = message.strip_prefix(b"<")?;
    let close = inside.iter().position(|byte| *byte == b'>')?;
    let pri = std::str::from_utf8(&inside[..close]).ok()?;
    if !(1..=3).contains(&pri.len())
        || pri.len() > 1 && pri.starts_with('0')
        || !pri.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let pri: u32 = pri.parse().ok().filter(|pri| *pri <= 191)?;
    let mut rest = inside[close + 1..].strip_prefix(b"1 ")?;
    let mut field = |most: usize| {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let text = std::str::from_utf8(&rest[..space]).ok()?;
        let right = (1..=most).contains(&text.len()) && text.bytes().all(|byte| (33..=126).contains(&byte));
        rest = &rest[space + 1..];
        right.then_some((text != "-").then_some(text))
    };
    let time = field(32)?;
    if let Some(time) = time {
        // FULL-DATE "T" FULL-TIME, six digits of a second, an offset; its values are for chrono to check.
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        if !["0000-00-00T00:00:00.000000+00:00", "0000-00-00T00:00:00.000000-00:00"].contains(&shape.as_str()) {
            return None;
        }
        DateTime::parse_from_rfc3339(time).ok()?;
    }
    let fields = [field(255)?, field(48)?, field(128)?, field(32)?];
    let (data, behind) = parse_data(rest)?;
    let message = match behind {
        [] => None,
        [b' ', text @ ..] => Some(text),
        _ => return None,
    };
    Some(Parsed { pri, time, fields, data, message })
}

type Elements = Vec<(String, Vec<(String, String)>)>;

fn parse_data(text: &[u8]) -> Option<(Elements, &[u8])> {
    let mut elements = Vec::new();
    let mut rest = text;
    if let Some(behind) = rest.strip_prefix(b"-") {
        return Some((elements, behind));
    }
    while let Some(inside) = rest.strip_prefix(b"[") {
        let name = |text: &[u8]| -> Option<(String, usize)> {
            let end = text.iter().position(|b| !(33..=126).contains(b) || b"=]\"".contains(b))?;
            (1..=32).contains(&end).then(|| (String::from_utf8(text[..end].to_vec()).unwrap(), end))
        };
        let (id, length) = name(inside)?;
        let mut params = Vec::new();
        rest = &inside[length..];
        while let Some(behind) = rest.strip_prefix(b" ") {
            let (key, length) = name(behind)?;
            rest = behind[length..].strip_prefix(b"=\"")?;
            let mut value = Vec::new();
            loop {
                match rest {
                    [b'\\', escaped @ (b'"' | b'\\' | b']'), behind @ ..] => {
                        value.push(*escaped);
                        rest = behind;
                    }
                    [b'"', behind @ ..] => {
                        rest = behind;
                        break;
                    }
                    [b'\\' | b']' | b'\n', ..] | [] => return None,
                    [byte, behind @ ..] => {
                        value.push(*byte);
                        rest = behind;
                    }
                }
            }
            params.push((key, String::from_utf8(value).ok()?));
        }
        rest = rest.strip_prefix(b"]")?;
        if elements.iter().any(|(known, _)| *known == id) {
            return None;
        }
        elements.push((id, params));
    }
    (!elements.is_empty()).then_some((elements, rest))
}

/// PRI, time, host, tag, process id and text of a message in the BSD form.
type Bsd<'m> = (u8, &'m str, Option<&'m str>, &'m str, Option<u32>, &'m [u8]);

fn parse_bsd(message: &[u8], host: bool) -> Option<Bsd<'_>> {
    let (pri, rest) = Pri::take(message)?;
    let (time, rest) = rest.split_at_checked(16)?;
    let time = std::str::from_utf8(time.strip_suffix(b" ")?).ok()?;
    chrono::NaiveDateTime::parse_from_str(&format!("2024 {time}"), "%Y %b %e %H:%M:%S").ok()?;
    let word = |rest: &[u8]| rest.iter().position(|byte| *byte == b' ');
    let (host, rest) = match host {
        true => {
            let end = word(rest)?;
            (Some(std::str::from_utf8(&rest[..end]).ok()?), &rest[end + 1..])
        }
        false => (None, rest),
    };
    let end = word(rest)?;
    let tag = std::str::from_utf8(&rest[..end]).ok()?.strip_suffix(':')?;
    let (tag, pid) = match tag.strip_suffix(']') {
        Some(tag) => {
            let (tag, pid) = tag.split_once('[')?;
            (tag, Some(pid.parse().ok()?))
        }
        None => (tag, None),
    };
    let right = !tag.contains([':', '[', ']']) && tag.bytes().all(|byte| byte.is_ascii_graphic());
    right.then_some((pri.value(), time, host, tag, pid, &rest[end + 1..]))
}

/// A field as it should arrive.
fn cleaned(text: &Option<String>, most: usize, forbidden: &str) -> Option<String> {
    let text = text.as_deref().filter(|text| !text.is_empty())?;
    let clean = |c: char| if c.is_ascii_graphic() && !forbidden.contains(c) { c } else { '_' };
    let text: String = text.chars().map(clean).take(most).collect();
    (text != "-").then_some(text)
}

fn controls(text: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'\t' | 32..=126 | 128.. => vec![*byte],
        _ => format!("#{byte:03o}").into_bytes(),
    };
    text.iter().flat_map(escape).collect()
}

fn field() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof!["[a-z.-]{0,20}", "\\PC{0,300}", "[ -~\n\0é]{0,50}"])
}

prop_compose! {
    fn events()(
        nanos in prop::option::of(0i64..4_000_000_000_000_000_000), minutes in -840i32..=840,
        level in prop::option::of(-5i32..60), facility in prop::option::of(0u8..24),
        (host, app, msgid) in (field(), field(), field()), pid in any::<Option<u32>>(),
        message in prop_oneof![prop::collection::vec(any::<u8>(), 0..80), "\\PC{0,80}".prop_map(String::into_bytes)],
        values in prop::option::of(prop::collection::vec("(\\PC|[\"\\\\\\]\n]){0,9}", 0..3)),
    ) -> (Event<'static>, [Option<String>; 3], Option<Vec<String>>) {
        let time = nanos.map(|nanos| {
            DateTime::from_timestamp_nanos(nanos).with_timezone(&FixedOffset::east_opt(minutes * 60).unwrap())
        });
        let data = values.as_ref().map(|values| {
            let mut text = "[id@32473".to_owned();
            for value in values {
                text += &format!(" v=\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""));
            }
            (text + "][other]").into()
        });
        let event = Event {
            time,
            level: level.map(Level),
            facility: facility.and_then(Facility::new),
            host: host.clone().map(Cow::Owned),
            app: app.clone().map(Cow::Owned),
            msgid: msgid.clone().map(Cow::Owned),
            pid,
            structured_data: data,
            message: message.into(),
            ..Event::default()
        };
        (event, [host, app, msgid], values)
    }
}

proptest! {
    #[test]
    fn rfc_5424_reads_what_was_written((event, [host, app, msgid], values) in events()) {
        let mut out = Vec::new();
        prop_assert_eq!(Encoder::new(Options::default()).encode(&event, &mut out), 0);
        let parsed = parse_5424(&out);
        prop_assert!(parsed.is_some(), "{}", out.escape_ascii());
        let parsed = parsed.unwrap();
        let severity = event.level.map_or(5, |level| u32::from(level.severity()));
        prop_assert_eq!(parsed.pri, event.facility.map_or(1, |facility| u32::from(facility.code())) * 8 + severity);
        let micros = |time: DateTime<FixedOffset>| (time.timestamp_micros(), time.offset().local_minus_utc());
        let time = parsed.time.map(|time| micros(DateTime::parse_from_rfc3339(time).unwrap()));
        prop_assert_eq!(time, event.time.map(micros));
        let expected = [cleaned(&host, 255, ""), cleaned(&app, 48, ""), event.pid.map(|pid| pid.to_string()), cleaned(&msgid, 32, "")];
        prop_assert_eq!(parsed.fields.map(|field| field.map(str::to_owned)), expected);
        let data = values.map_or(Vec::new(), |values| {
            let text = |value: &String| String::from_utf8(controls(value.as_bytes())).unwrap();
            let params = values.iter().map(|value| ("v".to_owned(), text(value))).collect();
            vec![("id@32473".to_owned(), params), ("other".to_owned(), Vec::new())]
        });
        prop_assert_eq!(parsed.data, data);
        prop_assert_eq!(parsed.message.unwrap_or_default(), controls(&event.message));
    }

    #[test]
    fn the_bsd_forms_read_what_was_written((event, [host, app, _], _) in events(), over_network in any::<bool>()) {
        let event = Event { time: event.time.or(at("2026-11-03T07:08:09Z")), ..event };
        let form = if over_network { Form::Rfc3164 } else { Form::Local };
        let mut out = Vec::new();
        prop_assert_eq!(Encoder::new(Options { form, ..Options::default() }).encode(&event, &mut out), 0);
        let parsed = parse_bsd(&out, over_network);
        prop_assert!(parsed.is_some(), "{}", out.escape_ascii());
        let (pri, time, parsed_host, tag, pid, message) = parsed.unwrap();
        prop_assert_eq!(pri & 7, event.level.map_or(5, Level::severity));
        prop_assert_eq!(time, event.time.unwrap().format("%b %e %H:%M:%S").to_string());
        let named = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
        prop_assert_eq!(parsed_host.map(str::to_owned), over_network.then(|| named(cleaned(&host, 255, ""))));
        prop_assert_eq!(tag, named(cleaned(&app, if over_network { 32 } else { 255 }, ":[]")));
        prop_assert_eq!(pid, event.pid);
        prop_assert_eq!(message, controls(&event.message));
    }
}
