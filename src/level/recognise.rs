//! Finds the level of a line where logs write it, and nowhere else.
//!
//! JSON and logfmt have fields, syslog has its `<PRI>`, a few lines are told by how they begin; all else is taken for a
//! header with a message behind it. No regular expressions and no allocation: this runs once per line.

use memchr::{memchr, memmem};

use super::{Level, fields, header, words};

/// How far into a line of text a level may stand.
const LOOK: usize = 256;

/// The level that `line` carries, if it carries one where logs do.
///
/// Lines by which a program dies without naming a level count too: Python's `Traceback`, Java's `Exception in thread`
/// (ERROR), Go's `panic:` and Rust's `panicked at` (CRITICAL). The lines that follow them are indented and have none.
pub fn recognise(line: &[u8]) -> Option<Level> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Levels of four letters are often aligned to the right of five; deeper indentation continues a record.
    let line = match line {
        [b' ', rest @ ..] if rest.first().is_some_and(|b| b.is_ascii_uppercase() || *b == 0x1b) => rest,
        _ => line,
    };
    match *line.first()? {
        b' ' | b'\t' => return None,
        b'{' => return fields::json(line),
        b'<' if line.get(1).is_some_and(u8::is_ascii_digit) => return priority(line),
        _ => {}
    }
    let window = &line[..line.len().min(LOOK)];
    if memchr(0x1b, window).is_some() {
        let mut plain = [0; LOOK];
        let length = without_colours(window, &mut plain);
        return text(&plain[..length], &plain[..length]);
    }
    text(window, line)
}

fn text(window: &[u8], line: &[u8]) -> Option<Level> {
    fixed_start(window).or_else(|| header::level(window, line))
}

/// Syslog's and the kernel's `<PRI>`.
fn priority(line: &[u8]) -> Option<Level> {
    let end = memchr(b'>', &line[..line.len().min(5)])?;
    let number: u8 = std::str::from_utf8(&line[1..end]).ok()?.parse().ok()?;
    (number < 192).then(|| Level::from_severity(number & 7))
}

/// Copies `text` without its ANSI escape sequences; returns the length of the copy.
fn without_colours(text: &[u8], plain: &mut [u8; LOOK]) -> usize {
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        if text[from] == 0x1b && text.get(from + 1) == Some(&b'[') {
            from += 2;
            while text.get(from).is_some_and(|b| !(0x40..=0x7e).contains(b)) {
                from += 1;
            }
        } else if let Some(place) = plain.get_mut(to) {
            *place = text[from];
            to += 1;
        }
        from += 1;
    }
    to
}

/// Lines that are told by their first bytes alone.
pub(super) fn fixed_start(text: &[u8]) -> Option<Level> {
    match *text.first()? {
        b'T' if text.starts_with(b"Traceback (most recent call last):") => Some(Level::ERROR),
        b'E' if text.starts_with(b"Exception in thread \"") => Some(Level::ERROR),
        b't' if text.starts_with(b"thread '") => memmem::find(text, b"' panicked at ").map(|_| Level::CRITICAL),
        b'f' | b'F' if text[1..].starts_with(b"atal error: ") => Some(Level::CRITICAL),
        b'P' => php(text.strip_prefix(b"PHP ")?),
        b'n' => npm(text.strip_prefix(b"npm ")?),
        b'=' => {
            let rest = &text[1..];
            let word = &rest[..memmem::find(rest, b" REPORT=")?];
            if word == b"CRASH" { Some(Level::ERROR) } else { words::capitals(word) }
        }
        // Cisco: %FACILITY-SEVERITY-MNEMONIC:
        b'%' => {
            let head = &text[..memchr(b':', text)?];
            let dash = memchr(b'-', head)?;
            match &head[dash..] {
                [b'-', severity @ b'0'..=b'7', b'-', b'A'..=b'Z', ..] => Some(Level::from_severity(severity - b'0')),
                _ => None,
            }
        }
        _ => None,
    }
}

fn php(text: &[u8]) -> Option<Level> {
    let kind = &text[..memchr(b':', text)?];
    match kind {
        b"Fatal error" | b"Parse error" | b"Recoverable fatal error" => Some(Level::CRITICAL),
        b"Warning" => Some(Level::WARNING),
        b"Deprecated" | b"Notice" => Some(Level::NOTICE),
        _ => None,
    }
}

fn npm(text: &[u8]) -> Option<Level> {
    match &text[..memchr(b' ', text)?] {
        b"ERR!" | b"error" => Some(Level::ERROR),
        b"WARN" | b"warn" => Some(Level::WARNING),
        _ => None,
    }
}
