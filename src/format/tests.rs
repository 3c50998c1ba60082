use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::{FixedOffset, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::record::{Record, RecordInfo};

const MESSAGE: &str = "naïve \"quotes\" it's 日本 a\u{301}\tb\\c \u{7f}\u{a0}\u{1F600}";

/// 2025-11-20 12:00:00.123456789 UTC, 1.5 s after the start.
fn context() -> FormatContext {
    let now = DateTime::from_timestamp_nanos(1_763_640_000_123_456_789);
    FormatContext {
        now,
        zone: Zone::utc(),
        default_level: Level::WARNING,
        name: "app.db".into(),
        hostname: "web-1".into(),
        process: 4711,
        filename: Arc::from(&b"app.log"[..]),
        ..FormatContext::new(now - chrono::TimeDelta::milliseconds(1500))
    }
}

fn render(template: &str, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut template = Template::parse(template, None).unwrap();
    template.render(&Record { bytes: message, info: None, file: None }, &context(), &mut out);
    out
}

fn shown(template: &str) -> String {
    String::from_utf8(render(template, b"hello\n")).unwrap()
}

#[test]
fn both_styles_render_the_same() {
    for (percent, brace, text) in [
        ("%(message)s", "{message}", "hello"),
        ("%(levelname)s:%(name)s:%(message)s", "{levelname}:{name}:{message}", "WARNING:app.db:hello"),
        ("%(asctime)s %(message)s", "{asctime} {message}", "2025-11-20 12:00:00,123 hello"),
        ("[%(levelname)-8s]", "[{levelname:<8}]", "[WARNING ]"),
        ("%(levelno)05d", "{levelno:05d}", "00030"),
        ("%(created).3f", "{created:.3f}", "1763640000.123"),
        ("%(created)f", "{created:f}", "1763640000.123457"),
        ("%(msecs)03d", "{msecs:03.0f}", "123"),
        ("%(msecs)s", "{msecs}", "123.0"),
        ("%(relativeCreated)s", "{relativeCreated}", "1500.0"),
        ("%(message).3s|", "{message:.3}|", "hel|"),
        ("%(hostname)s %(process)d %(processName)s", "{hostname} {process} {processName}", "web-1 4711 MainProcess"),
        ("%(filename)s", "{filename}", "app.log"),
        ("100%% %(message)r", "100% {message!r}", "100% 'hello'"),
        ("{%(message)s}", "{{{message}}}", "{hello}"),
        (r"a\tb\n\\n\x %(message)s", r"a\tb\n\\n\x {message}", "a\tb\n\\n\\x hello"),
    ] {
        assert_eq!(shown(percent), text, "{percent}");
        assert_eq!(shown(brace), text, "{brace}");
    }
}

#[test]
fn what_the_record_knows_goes_first() {
    let info = RecordInfo {
        end: 2,
        time: Some(FixedOffset::east_opt(3600).unwrap().with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap()),
        level: Some(Level(35)),
        name: Some("peer".into()),
        filename: Some(b"own.log"[..].into()),
    };
    let mut template = Template::parse("{asctime} {name} {levelname} {levelno} {filename} {message}", None).unwrap();
    let mut out = b"> ".to_vec();
    template.render(&Record { bytes: b"x\n", info: Some(&info), file: None }, &context(), &mut out);
    assert_eq!(out, b"> 2026-01-02 02:04:05,000 peer Level 35 35 own.log x");
    out.clear();
    let whole = b"all.log"[..].into();
    template.render(&Record { bytes: b"x\n", info: None, file: Some(&whole) }, &context(), &mut out);
    assert!(out.ends_with(b" all.log x"));
}

#[test]
fn bytes_that_are_no_text_go_through_and_count_one_each() {
    assert_eq!(render("{message}", b"caf\xe9\r\n"), b"caf\xe9\r");
    assert_eq!(render("{message:>6}|", b"caf\xe9\n"), b"  caf\xe9|");
    assert_eq!(render("{message:.4}|", b"caf\xe9s\n"), b"caf\xe9|");
    assert_eq!(render("%(message)-6s|", "café\n".as_bytes()), "café  |".as_bytes());
    assert_eq!(render("{message:é^7}", "caf".as_bytes()), "éécaféé".as_bytes());
    assert_eq!(render("{message!r}", b"caf\xe9\n"), b"'caf\\xe9'");
    assert_eq!(render("{message}", b"a\0b"), b"a\0b");
}

#[test]
fn nonsense_is_refused_when_it_is_parsed() {
    for (template, word) in [
        ("hello", "has no field"),
        ("", "has no field"),
        ("{msg}", "the fields are asctime, created"),
        ("%(msg)s", "the fields are asctime, created"),
        ("%(lineno)d", "not known for piped lines"),
        ("{funcName}", "not known for piped lines"),
        ("{thread}", "not known for piped lines"),
        ("%(message)s 100%", "%%"),
        ("%(message)s %d", "%%"),
        ("%(message", "closing parenthesis"),
        ("%(message)", "before its type"),
        ("%(message)-8", "before its type"),
        ("%(message)d", "a text takes"),
        ("%(message)k", "the types are"),
        ("%(message)*s", "*"),
        ("%(created)x", "only an integer"),
        ("%(message)99999999s", "65535"),
        ("{message", "closing brace"),
        ("{message} }", "}}"),
        ("{}", "has a name"),
        ("{0}", "no field '0'"),
        ("{message.x}", "no field 'message.x'"),
        ("{message:{width}}", "cannot hold another"),
        ("{message:d}", "a text takes"),
        ("{message:+}", "no sign"),
        ("{message:=9}", "="),
        ("{message:,}", "no thousands"),
        ("{message!x}", "!s, !r and !a"),
        ("{levelno:.2}", "no precision"),
        ("{levelno:s}", "an integer takes"),
        ("{created:d}", "a float takes"),
        ("{created:.}", "precision"),
        ("{message:<<<}", "a text takes"),
    ] {
        let message = Template::parse(template, None).unwrap_err().to_string();
        assert!(message.contains(word), "{template}: {message}");
    }
}

fn at(datefmt: &str, context: &FormatContext, template: &mut Option<Template>) -> String {
    let template = template.get_or_insert_with(|| Template::parse("{asctime}", Some(datefmt)).unwrap());
    let mut out = Vec::new();
    template.render(&Record { bytes: b"", info: None, file: None }, context, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_date_format_is_strftime() {
    for (datefmt, text) in [
        ("%H:%M", "12:00"),
        ("%d/%b/%Y:%H:%M:%S %z", "20/Nov/2025:12:00:00 +0000"),
        ("%s", "1763640000"),
        ("%H:%M:%S%.3f", "12:00:00.123"),
        ("%%", "%"),
        ("", "2025-11-20 12:00:00,123"),
    ] {
        assert_eq!(at(datefmt, &context(), &mut None), text, "{datefmt}");
    }
}

#[test]
fn a_date_format_that_cannot_be_written_is_refused() {
    for datefmt in ["%Q", "%", "%H:%M:%", "%#z"] {
        let error = Template::parse("{message}", Some(datefmt)).unwrap_err();
        assert_eq!(error, FormatError::Date(datefmt.to_owned()));
    }
}

#[test]
fn the_kept_second_follows_the_clock_and_the_zone() {
    for (datefmt, first, later, next, east) in [
        (
            "",
            "2025-11-20 12:00:00,123",
            "2025-11-20 12:00:00,623",
            "2025-11-20 12:00:01,123",
            "2025-11-20 17:30:01,123",
        ),
        ("%H:%M:%S", "12:00:00", "12:00:00", "12:00:01", "17:30:01"),
        ("%H:%M:%S.%3f", "12:00:00.123", "12:00:00.623", "12:00:01.123", "17:30:01.123"),
    ] {
        let (mut context, mut template) = (context(), None);
        assert_eq!(at(datefmt, &context, &mut template), first);
        context.now += chrono::TimeDelta::milliseconds(500);
        assert_eq!(at(datefmt, &context, &mut template), later);
        context.now += chrono::TimeDelta::milliseconds(500);
        assert_eq!(at(datefmt, &context, &mut template), next);
        context.zone = Zone::of(FixedOffset::east_opt(19_800).unwrap());
        assert_eq!(at(datefmt, &context, &mut template), east);
    }
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        for hours in [-12, 0, 14] {
            let zone = Zone::of(FixedOffset::east_opt(hours * 3600).unwrap());
            let context = FormatContext { now, zone, ..context() };
            let mut template = Template::parse("{asctime} {created} {msecs} {relativeCreated:.0f}", None).unwrap();
            template.render(&Record { bytes: b"", info: None, file: None }, &context, &mut Vec::new());
        }
    }
}

/// Reads style, date format and template, each ended by NUL, and answers with the text or `!`.
const PYTHON: &str = r"
import logging, sys, time
if sys.version_info < (3, 10):
    sys.exit(3)
sys.stdin.reconfigure(encoding='utf-8', newline='')
sys.stdout.reconfigure(encoding='utf-8', newline='')
message, *parts = sys.stdin.read().split('\0')[:-1]
ct = 1763640000123456789
record = logging.makeLogRecord(dict(
    name='app.db', msg=message, levelno=30, levelname='WARNING', created=ct / 1e9, msecs=123.0,
    relativeCreated=(ct - 1763639998623456789) / 1e6, hostname='web-1', process=4711,
    processName='MainProcess', filename='app.log'))
for style, datefmt, template in zip(parts[0::3], parts[1::3], parts[2::3]):
    try:
        formatter = logging.Formatter(template, datefmt or None, style, validate=False)
        formatter.converter = time.gmtime
        text = formatter.format(record)
    except Exception:
        text = '!'
    sys.stdout.write(text + '\0')
";

/// What Python's Formatter makes of the templates; None where there is no python3 to ask.
fn ask_python(templates: &[(char, &str, String)]) -> Option<Vec<String>> {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut python) = command.spawn() else {
        println!("skipped: there is no python3 here");
        return None;
    };
    let mut input = format!("{MESSAGE}\0");
    for (style, datefmt, template) in templates {
        write!(input, "{style}\0{datefmt}\0{template}\0").unwrap();
    }
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    if output.status.code() == Some(3) {
        println!("skipped: this python3 is older than 3.10");
        return None;
    }
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.split_terminator('\0').map(str::to_owned).collect())
}

fn agree_with_python(templates: &[(char, &str, String)]) {
    let Some(answers) = ask_python(templates) else { return };
    assert_eq!(answers.len(), templates.len());
    let context = context();
    let mut wrong = String::new();
    let mut refused = 0;
    for ((style, datefmt, template), python) in templates.iter().zip(&answers) {
        let ours = match Template::parse(template, Some(datefmt)) {
            Ok(mut parsed) => {
                let mut out = Vec::new();
                parsed.render(&Record { bytes: MESSAGE.as_bytes(), info: None, file: None }, &context, &mut out);
                String::from_utf8(out).unwrap()
            }
            Err(_) => "!".to_owned(),
        };
        refused += usize::from(ours == "!");
        if ours != *python && wrong.len() < 4000 {
            writeln!(wrong, "{style} {template:?}: {ours:?}, but Python: {python:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(refused < templates.len());
}

#[test]
fn templates_as_people_write_them_agree_with_python() {
    let templates = [
        ('%', "", "%(asctime)s - %(name)s - %(levelname)s - %(message)s"),
        ('%', "", "%(levelname)s:%(name)s:%(message)s"),
        ('%', "", "%(asctime)s,%(msecs)03d %(levelname)-8s [%(process)d] %(message)s"),
        ('%', "%H:%M:%S", "%(asctime)s.%(msecs)03d %(message)s"),
        ('%', "%d/%m/%Y %I:%M:%S %p", "%(asctime)s %(message)s"),
        ('%', "%Y-%m-%dT%H:%M:%S%z", "%(asctime)s %(message)s"),
        ('%', "%a %b %e %j %U %y %%", "%(asctime)30s|"),
        ('%', "", "%(created)f %(created)s %(relativeCreated)d %(relativeCreated)6.1f"),
        ('%', "", "100%% %(message)r %(message)a %(message).10r"),
        ('%', "", "{%(message)s} %(levelno)ld %(levelno)hd"),
        ('{', "", "{asctime} - {name} - {levelname} - {message}"),
        ('{', "", "{asctime:>30}|{levelname:^11}|{levelno:03d}|{message:.8}|"),
        ('{', "%H:%M:%S", "{asctime}.{msecs:03.0f} {message}"),
        ('{', "", "{{{levelname}}} {message!r} {message!a:.20} {levelno!r:>5} 100%"),
        ('{', "", "{created} {created:.2f} {relativeCreated:,.3f} {process:x} {process:#b}"),
        ('{', "", "{message:*<60}{hostname:_>9}{processName:é^20}"),
        ('{', "", "{message} }"),
        ('{', "", "{message"),
        ('{', "", "{nothing}"),
        ('%', "", "%(nothing)s"),
        ('%', "", "%(message)s %"),
    ];
    agree_with_python(&templates.map(|(style, datefmt, template)| (style, datefmt, template.to_owned())));
}

#[test]
fn every_percent_spec_agrees_with_python() {
    let mut templates = Vec::new();
    for field in ["levelname", "levelno", "created", "relativeCreated", "message"] {
        for flags in ["", "-", "0", "+", " ", "#", "-0", "+0", "#0", "+ #"] {
            for width in ["", "1", "15"] {
                for precision in ["", ".", ".0", ".3", ".12"] {
                    for kind in "sradiuxXoeEfFgG".chars() {
                        templates.push(('%', "", format!("<%({field}){flags}{width}{precision}{kind}>")));
                    }
                }
            }
        }
    }
    agree_with_python(&templates);
}

#[test]
fn every_brace_spec_agrees_with_python() {
    let mut templates = Vec::new();
    for field in ["levelname", "process", "created"] {
        for align in ["", "<", "^", "=", "*>", "0=", "é^"] {
            for middle in ["", "+", " ", "-", "#", "0", "+#0"] {
                for width in ["", "25"] {
                    for group in ["", ",", "_"] {
                        for precision in ["", ".0", ".3", ".12"] {
                            for kind in ["", "s", "d", "x", "X", "o", "b", "e", "E", "f", "F", "g", "G", "%", "q"] {
                                let spec = format!("{align}{middle}{width}{group}{precision}{kind}");
                                templates.push(('{', "", format!("<{{{field}:{spec}}}>")));
                            }
                        }
                    }
                }
            }
        }
    }
    agree_with_python(&templates);
}

#[test]
fn a_float_between_two_texts_is_the_even_one() {
    // With ulps this wide, two texts of the least length are as near.
    for (number, text) in [
        (1_763_640_000.0 + 1.0 / 256.0, "1763640000.0039062"),
        (242_594_122_252_022.62, "242594122252022.62"),
        (242_594_122_252_022.88, "242594122252022.88"),
        (-1e22, "-1e+22"),
        (1.5e-5, "1.5e-05"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (f64::MAX, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (9_007_199_254_740_993.0, "9007199254740992.0"),
    ] {
        let mut out = Vec::new();
        Number::Float(number).print(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

proptest! {
    #[test]
    fn no_template_and_no_message_panics(
        template in "([%{}()\\\\:!<>^=+# 0-9.,_-]|message|created|levelno|asctime|[sdfrxegn%]|é){0,30}",
        datefmt in "(%[#.:0_^-]?[0-9]?[a-zA-Z%+]|é| ){0,4}",
        message in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        for template in [template.clone(), format!("{{message:{template}}}"), format!("%(levelno){template}")] {
            if let Ok(mut template) = Template::parse(&template, Some(&datefmt)) {
                template.render(&Record { bytes: &message, info: None, file: None }, &context(), &mut Vec::new());
            }
        }
    }
}
