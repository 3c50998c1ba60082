//! Levels in fields: JSON objects (top-level keys only) and logfmt's `key=value`.
//!
//! A JSON object is walked, not parsed: strings are jumped over, nested values are skipped as a whole, nothing is
//! copied. A bare number is read as the library means it that writes it: pino and bunyan count 10 trace … 60 fatal,
//! Monolog 100 … 600, GELF syslog's 0 … 7; Python's own scale holds for `levelno`.

use memchr::memchr2;

use super::{Level, words};

/// How much of an object is looked at: a level may come after a long message.
const JSON_LOOK: usize = 32 * 1024;
/// How much of a logfmt line is looked at.
const LOGFMT_LOOK: usize = 1024;

enum Key {
    /// A name, or a number on the writer's own scale.
    Level,
    /// Python's number.
    LevelNo,
    /// mongod's letter, which comes after its time `t`.
    Letter,
    /// journald's severity.
    Severity,
}

fn key(key: &[u8]) -> Option<Key> {
    const LEVELS: [&str; 12] = [
        "level",
        "severity",
        "levelname",
        "level_name",
        "log.level",
        "loglevel",
        "log_level",
        "lvl",
        "@level",
        "@l",
        "severity_text",
        "severitytext",
    ];
    match key {
        b"s" => return Some(Key::Letter),
        b"levelno" => return Some(Key::LevelNo),
        b"PRIORITY" => return Some(Key::Severity),
        _ => {}
    }
    // Most keys are ruled out by their length and first byte.
    let first = key.first()?.to_ascii_lowercase();
    if !matches!(first, b'l' | b's' | b'@') || key.len() > 13 {
        return None;
    }
    LEVELS.iter().any(|level| key.eq_ignore_ascii_case(level.as_bytes())).then_some(Key::Level)
}

/// The level of the JSON object that begins at the first byte of `text`.
pub fn json(text: &[u8]) -> Option<Level> {
    let text = &text[..text.len().min(JSON_LOOK)];
    let mut number = None;
    let (mut gelf, mut timed) = (false, false);
    let mut at = 1;
    while let Some((name, value, next)) = member(text, at) {
        at = next;
        gelf |= name == b"short_message";
        timed |= name == b"t";
        let Some(kind) = key(name) else { continue };
        let found = match kind {
            Key::Level => {
                number = number.or_else(|| digits(value));
                words::named(value)
            }
            Key::LevelNo => digits(value).map(Level),
            Key::Letter if timed => mongod(value),
            Key::Letter => None,
            Key::Severity => {
                digits(value).and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 8).map(Level::from_severity)
            }
        };
        if found.is_some() {
            return found;
        }
    }
    // Only now, for Python's object would have said `levelno` or `levelname` beside its number.
    number.and_then(|number| on_own_scale(number, gelf))
}

/// The level of a line of `key=value` pairs, the first of which begins at the first byte of `text`.
pub fn logfmt(text: &[u8]) -> Option<Level> {
    let text = &text[..text.len().min(LOGFMT_LOOK)];
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let rest = &text[at..];
        let equals = rest.iter().position(|b| *b == b'=' || b.is_ascii_whitespace() || *b == b'"')?;
        if equals == 0 || rest[equals] != b'=' {
            return None;
        }
        let start = at + equals + 1;
        let (value, next) = if text.get(start) == Some(&b'"') {
            let end = string_end(text, start + 1)?;
            (&text[start + 1..end], end + 1)
        } else {
            let end = text[start..].iter().position(u8::is_ascii_whitespace).map_or(text.len(), |n| start + n);
            (&text[start..end], end)
        };
        let level = match key(&rest[..equals]) {
            Some(Key::Level) => words::named(value).or_else(|| digits(value).and_then(|n| on_own_scale(n, false))),
            Some(Key::LevelNo) => digits(value).map(Level),
            _ => None,
        };
        if level.is_some() {
            return level;
        }
        at = next;
    }
}

/// One member of an object: its key, its value (a string without its quotes, a nested value as nothing), and where the
/// next one begins. None at the end of the object and wherever it isn't JSON.
fn member(text: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let at = at + text.get(at..)?.iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
    if *text.get(at)? != b'"' {
        return None;
    }
    let key_end = string_end(text, at + 1)?;
    let name = &text[at + 1..key_end];
    let colon = key_end + 1 + blanks(text, key_end + 1);
    if *text.get(colon)? != b':' {
        return None;
    }
    let start = colon + 1 + blanks(text, colon + 1);
    match *text.get(start)? {
        b'"' => {
            let end = string_end(text, start + 1)?;
            Some((name, text[start + 1..end].trim_ascii(), end + 1))
        }
        b'{' | b'[' => Some((name, b"", nested_end(text, start)?)),
        _ => {
            let length = text[start..].iter().position(|b| matches!(b, b',' | b'}') || b.is_ascii_whitespace())?;
            Some((name, &text[start..start + length], start + length))
        }
    }
}

fn blanks(text: &[u8], at: usize) -> usize {
    text.get(at..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_whitespace()).count())
}

/// Where the string that began before `at` has its closing quote.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Where the object or array that begins at `at` is over.
fn nested_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match *text.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => at = string_end(text, at + 1)?,
            _ => {}
        }
        at += 1;
    }
}

fn digits(value: &[u8]) -> Option<i32> {
    if value.is_empty() || value.len() > 4 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
}

fn mongod(value: &[u8]) -> Option<Level> {
    match value {
        [b'D', b'1'..=b'5'] => Some(Level::DEBUG),
        [letter @ (b'D' | b'I' | b'W' | b'E' | b'F')] => words::letter(*letter),
        _ => None,
    }
}

/// A number as pino, bunyan, Monolog or GELF mean it. Numbers between theirs are somebody's data, not a level.
fn on_own_scale(number: i32, gelf: bool) -> Option<Level> {
    Some(match number {
        0..=7 if gelf => Level::from_severity(number as u8),
        10 => Level::TRACE,
        20 | 100 => Level::DEBUG,
        30 | 200 => Level::INFO,
        250 => Level::NOTICE,
        40 | 300 => Level::WARNING,
        50 | 400 => Level::ERROR,
        60 | 500 | 550 | 600 => Level::CRITICAL,
        _ => return None,
    })
}
