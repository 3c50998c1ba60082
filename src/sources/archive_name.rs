//! Which names look like those of archives, whoever rotated: Python, logrotate, savelog, rotatelogs, cronolog, multilog,
//! svlogd, s6-log, log4j, lumberjack, or this program.
//!
//! `rotation::naming` knows the one pattern by which it named its archives, and deletes by it. Here nothing is deleted,
//! and who rotated is not known.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

mod order;
mod tag;
mod time;

pub use order::{Order, oldest_first, sort_oldest_first};

/// What an archive's name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveName {
    /// The name that its log has if this reading is right.
    pub base: OsString,
    pub order: Order,
    pub compressed: Option<Compression>,
}

impl ArchiveName {
    /// Whether `name`, of which this is a reading, may as well be that of another log: web.2.log of a second process,
    /// access.log.8080 of a port.
    pub fn is_doubtful(&self, name: &OsStr) -> bool {
        const PORTS: u32 = 1000;
        let follows_the_log = name.as_bytes().starts_with(self.base.as_bytes());
        matches!(self.order, Order::Number(number) if !follows_the_log || number >= PORTS)
    }
}

/// What may stand between a log's name and what tells its archives apart.
const SEPARATORS: &[u8] = b".-_";

/// How an archive is compressed, as far as its name tells: svlogd and s6-log leave the name as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Other,
}

/// The endings that compression appends.
const COMPRESSIONS: [(&[u8], Compression); 6] = [
    (b".gz", Compression::Gzip),
    (b".bz2", Compression::Other),
    (b".xz", Compression::Other),
    (b".zst", Compression::Other),
    (b".lz4", Compression::Other),
    (b".Z", Compression::Other),
];

/// Extensions of what somebody is still writing, or has given up.
const TEMPORARY: [&[u8]; 5] = [b".tmp", b".temp", b".part", b".partial", b".swp"];

/// All readings of `name` as an archive of some log, the shortest base first.
///
/// A reading is only a supposition: `web-1.log` and `web-2.log` read as archives of `web.log`, and are mostly the logs of
/// two processes. Believe one only if its base is a log: one that is read, or a file beside it.
pub fn readings(name: &OsStr) -> Vec<ArchiveName> {
    let whole = name.as_bytes();
    let (plain, compressed) = split_compression(whole);
    let mut found: Vec<(Vec<u8>, Order)> = Vec::new();
    if compressed.is_some() {
        found.push((plain.to_owned(), Order::Unknown));
    }
    if let Some(label) = tai64n(plain) {
        found.push((b"current".to_vec(), Order::Tai64n(label)));
    }
    // app.log.1
    found.extend(split_tag(plain).into_iter().map(|(log, order)| (log.to_owned(), order)));
    // app.1.log
    if let Some((front, extension)) = split_extension(plain) {
        found.extend(split_tag(front).into_iter().map(|(stem, order)| ([stem, extension].concat(), order)));
    }
    found.retain(|(base, _)| !matches!(&base[..], b"" | b"." | b".."));
    found.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
    let read = |(base, order)| ArchiveName { base: OsString::from_vec(base), order, compressed };
    found.into_iter().map(read).collect()
}

fn split_compression(name: &[u8]) -> (&[u8], Option<Compression>) {
    let mut endings = COMPRESSIONS.iter();
    let found = endings.find_map(|(ending, compression)| Some((name.strip_suffix(*ending)?, *compression)));
    found.map_or((name, None), |(plain, compression)| (plain, Some(compression)))
}

/// `@`, 24 hexadecimal digits, and what became of the file: finished, not finished (a crash's), or being processed.
fn tai64n(name: &[u8]) -> Option<u128> {
    let (label, state) = name.strip_prefix(b"@")?.split_at_checked(24)?;
    let valid = matches!(state, b".s" | b".u" | b".t") && label.iter().all(u8::is_ascii_hexdigit);
    u128::from_str_radix(std::str::from_utf8(label).ok().filter(|_| valid)?, 16).ok()
}

/// Every beginning of `text` that a tag follows.
fn split_tag(text: &[u8]) -> Vec<(&[u8], Order)> {
    let mut found = Vec::new();
    // What is behind a separator within a time tells nothing: 2026-11-20 is not number 20.
    let mut within = tag::parse(text).map_or(0, |tag| tag.whole);
    for at in (1..text.len()).filter(|at| SEPARATORS.contains(&text[*at])) {
        if at < within {
            continue;
        }
        if let Some(tag) = tag::parse(&text[at + 1..]) {
            found.push((&text[..at], tag.order));
            within = at + 1 + tag.whole;
        }
    }
    found
}

/// A log's extension, with its dot. No name that is hidden has one that could be told from a temporary file's.
fn split_extension(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let (front, extension) = name.split_at(dot);
    let letters = &extension[1..];
    let is_one = letters.first().is_some_and(|byte| !byte.is_ascii_digit())
        && letters.iter().all(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        && !TEMPORARY.contains(&extension);
    (is_one && !name.starts_with(b".")).then_some((front, extension))
}

#[cfg(test)]
mod tests;
