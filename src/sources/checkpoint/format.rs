//! A checkpoint as JSON that a person can read, and back. What is read may have been torn, edited or be something else
//! altogether: whatever bytes it is, the answer is a checkpoint that may be worked with, or what is wrong with it.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::error::Category;
use thiserror::Error;

use crate::inode::FileId;
use crate::sources::position::{PRINT, Position, Print};
use crate::sources::state::{FileState, LogState};

use super::instant::{from_utc, to_utc};
use super::layout::Layout;
use super::{Saved, escape, instant};

/// Of the format. A new key is a new version: an older program must not go on without what it says.
const VERSION: u64 = 1;

/// What is wrong with a file that should be a checkpoint.
#[derive(Debug, Error)]
pub enum Flaw {
    #[error("it is empty")]
    Empty,
    #[error("it was cut off")]
    Torn,
    #[error("it is longer than any checkpoint")]
    TooLong,
    #[error("it is no checkpoint of loghand")]
    Foreign,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("a newer loghand wrote it, in version {0} of the format, and this one knows {VERSION}")]
    Newer(u64),
}

impl Flaw {
    /// `why` may quote the file, which shall not get at the terminal.
    fn damaged(why: impl Display) -> Self {
        Self::Damaged(why.to_string().replace(char::is_control, "\u{fffd}"))
    }
}

/// Adds the text of a checkpoint to `text`.
///
/// # Errors
/// None that could be foreseen.
pub fn write(text: &mut Vec<u8>, logs: &[LogState], written: DateTime<Utc>) -> io::Result<()> {
    let whole = Whole { version: VERSION, written, logs: logs.iter().map(Log::from).collect() };
    whole.serialize(&mut serde_json::Serializer::with_formatter(&mut *text, Layout::default()))?;
    text.write_all(b"\n")
}

/// Reads a checkpoint.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &[u8]) -> Result<Saved, Flaw> {
    if text.is_empty() {
        return Err(Flaw::Empty);
    }
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Flaw::Foreign);
    }
    // The version first: what a newer one looks like is not known here.
    match serde_json::from_slice(text).map_err(flaw)? {
        Mark { version: Some(VERSION) } => {}
        Mark { version: Some(newer) } if newer > VERSION => return Err(Flaw::Newer(newer)),
        Mark { .. } => return Err(Flaw::Foreign),
    }
    let whole: Whole = serde_json::from_slice(text).map_err(Flaw::damaged)?;
    let logs = whole.logs.into_iter().map(LogState::try_from).collect::<Result<_, Flaw>>()?;
    Ok(Saved { written: whole.written, logs })
}

fn flaw(error: serde_json::Error) -> Flaw {
    match error.classify() {
        Category::Eof => Flaw::Torn,
        // JSON, but not an object of that kind.
        Category::Data => Flaw::Foreign,
        Category::Syntax | Category::Io => Flaw::damaged(error),
    }
}

#[derive(Deserialize)]
struct Mark {
    #[serde(rename = "loghand_checkpoint")]
    version: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<'a> {
    #[serde(rename = "loghand_checkpoint")]
    version: u64,
    #[serde(with = "instant")]
    written: DateTime<Utc>,
    logs: Vec<Log<'a>>,
}

/// A [`LogState`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log<'a> {
    #[serde(with = "escape")]
    path: Cow<'a, Path>,
    #[serde(default, with = "instant::optional", skip_serializing_if = "Option::is_none")]
    since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<File<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    done: Vec<File<'a>>,
}

/// A [`FileState`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(with = "escape")]
    place: Cow<'a, Path>,
    device: u64,
    inode: u64,
    #[serde(default, with = "instant::optional", skip_serializing_if = "Option::is_none")]
    born: Option<DateTime<Utc>>,
    #[serde(with = "instant")]
    modified: DateTime<Utc>,
    offset: u64,
    seen: u64,
    #[serde(default, skip_serializing_if = "is_false")]
    gzip: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    cut: bool,
    #[serde(with = "PrintForm")]
    head: Print,
    #[serde(with = "PrintForm")]
    before: Print,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Print", deny_unknown_fields)]
struct PrintForm {
    bytes: u64,
    #[serde(with = "hexadecimal")]
    hash: u64,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl<'a> From<&'a LogState> for Log<'a> {
    fn from(log: &'a LogState) -> Self {
        Self {
            path: Cow::Borrowed(&log.path),
            since: log.since.map(to_utc),
            files: log.files.iter().map(File::from).collect(),
            done: log.done.iter().map(File::from).collect(),
        }
    }
}

impl<'a> From<&'a FileState> for File<'a> {
    fn from(file: &'a FileState) -> Self {
        let &FileState { id, ref place, born, modified, gzip, cut, position } = file;
        Self {
            place: Cow::Borrowed(place),
            device: id.device,
            inode: id.inode,
            born: born.map(to_utc),
            modified: to_utc(modified),
            offset: position.offset,
            seen: position.seen,
            gzip,
            cut,
            head: position.head,
            before: position.before,
        }
    }
}

impl TryFrom<Log<'_>> for LogState {
    type Error = Flaw;

    fn try_from(log: Log<'_>) -> Result<Self, Flaw> {
        let files = |files: Vec<_>| files.into_iter().map(FileState::try_from).collect::<Result<_, Flaw>>();
        let since = log.since.and_then(from_utc);
        Ok(Self { path: log.path.into_owned(), since, files: files(log.files)?, done: files(log.done)? })
    }
}

impl TryFrom<File<'_>> for FileState {
    type Error = Flaw;

    fn try_from(file: File<'_>) -> Result<Self, Flaw> {
        // No file is longer than the kernel can count. And a print is read into memory when it is compared.
        let longest_print = |reaches: u64| if file.gzip { PRINT } else { PRINT.min(reaches) };
        let prints = file.head.bytes <= longest_print(file.offset.max(file.seen))
            && file.before.bytes <= longest_print(file.offset);
        let may_be = file.offset.max(file.seen) <= i64::MAX as u64 && prints;
        let Some(modified) = from_utc(file.modified).filter(|_| may_be) else {
            return Err(Flaw::damaged(format_args!("{}: a position that cannot be", file.place.display())));
        };
        let seen = file.seen.max(file.offset);
        Ok(Self {
            id: FileId { device: file.device, inode: file.inode },
            place: file.place.into_owned(),
            born: file.born.and_then(from_utc),
            modified,
            gzip: file.gzip,
            cut: file.cut,
            position: Position { offset: file.offset, seen, head: file.head, before: file.before },
        })
    }
}

/// Sixteen digits: not every reader of JSON takes a number of 64 bits.
mod hexadecimal {
    use super::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(hash: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{hash:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        let sixteen = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let hash = u64::from_str_radix(&text, 16).ok().filter(|_| sixteen);
        hash.ok_or_else(|| de::Error::custom("a hash has sixteen hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;
    use crate::sources::checkpoint::states::{at, file, log, logs};

    fn text(logs: &[LogState]) -> String {
        let mut text = Vec::new();
        write(&mut text, logs, at(0)).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_person_can_read_it() {
        let mut app = log("/var/log/app.log", 2);
        app.done = vec![FileState { gzip: true, cut: true, ..file("/var/log/app.log.2.gz", 3) }];
        app.since = Some(UNIX_EPOCH + Duration::from_secs(1_795_189_999));
        app.files[0].born = None;
        app.files[1].modified = UNIX_EPOCH + Duration::from_nanos(1_795_196_956_123_456_789);
        assert_eq!(text(&[app, log("/var/log/gone.log", 0)]), include_str!("example.json"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = text(&[log("/var/log/app.log", 1)]);
        let with = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            good.replacen(from, to, 1)
        };
        for (bad, why) in [
            (String::new(), "it is empty"),
            ("\0\0\0\0".to_owned(), "it is no checkpoint of loghand"),
            ("10:00 a line of a log\n".to_owned(), "it is no checkpoint of loghand"),
            ("[1]".to_owned(), "it is no checkpoint of loghand"),
            ("{}".to_owned(), "it is no checkpoint of loghand"),
            (with("checkpoint\": 1", "checkpoint\": \"1\""), "it is no checkpoint of loghand"),
            (with("checkpoint\": 1", "checkpoint\": 0"), "it is no checkpoint of loghand"),
            (with("checkpoint\": 1", "checkpoint\": 2"), "a newer loghand wrote it, in version 2 of the format"),
            ("{\"loghand_checkpoint\": 3, \"files\": 12}".to_owned(), "a newer loghand wrote it, in version 3"),
            (good[..good.len() / 2].to_owned(), "it was cut off"),
            (format!("{good}{good}"), "it is damaged: trailing characters"),
            (with("\"files\"", "\"flies\""), "it is damaged: unknown field `flies`"),
            (with("\"offset\"", "\"gzip\": false, \"offset\": 0, \"offset\""), "it is damaged: duplicate field"),
            (with("\"offset\": 1000", "\"offset\": 1e3"), "it is damaged: invalid type: floating point"),
            (with("\"offset\": 1000", "\"offset\": -1"), "it is damaged: invalid value: integer `-1`"),
            (
                with("\"offset\": 1000", "\"offset\": 9223372036854775808"),
                "it is damaged: /var/log/app.log: a position",
            ),
            (with("\"offset\": 1000", "\"offset\": 18446744073709551616"), "it is damaged: "),
            (with("\"offset\": 1000", "\"offset\": 999"), "it is damaged: /var/log/app.log: a position"),
            (with("\"bytes\": 1000", "\"bytes\": 4000000000000"), "it is damaged: /var/log/app.log: a position"),
            (with("\"hash\": \"", "\"hash\": \"0"), "it is damaged: a hash has sixteen"),
            (with("\"hash\": \"0", "\"hash\": \"+"), "it is damaged: a hash has sixteen"),
            (with("/var", r"\\var"), "it is damaged: no path"),
            (with("path", r"\u001b[31m"), "it is damaged: unknown field `\u{fffd}[31m`"),
        ] {
            let flaw = read(bad.as_bytes()).unwrap_err().to_string();
            assert!(flaw.starts_with(why), "{flaw}\n{bad}");
        }
    }

    #[test]
    fn a_file_that_was_seen_shorter_than_it_was_read_is_taken_as_long_as_that() {
        let logs = [log("/var/log/app.log", 1)];
        let seen = format!("\"seen\": {}", logs[0].files[0].position.seen);
        let saved = read(text(&logs).replacen(&seen, "\"seen\": 3", 1).as_bytes()).unwrap();
        assert_eq!(saved.logs[0].files[0].position.seen, 1000);
    }

    /// Whether it may be worked with.
    fn is_sound(saved: &Saved) -> bool {
        saved.logs.iter().flat_map(|log| log.files.iter().chain(&log.done)).all(|file| {
            let Position { offset, seen, head, before } = file.position;
            offset <= seen && seen <= i64::MAX as u64 && head.bytes.max(before.bytes) <= PRINT
        })
    }

    proptest! {
        #[test]
        fn every_state_is_read_back(logs in logs()) {
            let saved = read(text(&logs).as_bytes()).unwrap();
            prop_assert_eq!(saved, Saved { written: at(0), logs });
        }

        #[test]
        fn no_bytes_are_too_much(bytes: Vec<u8>, begin in prop_oneof![Just(""), Just("{\"loghand_checkpoint\": 1,")]) {
            let _ = read(&[begin.as_bytes(), &bytes].concat());
        }

        #[test]
        fn a_mutation_is_found_or_harmless(
            logs in logs(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_usize), 1..4),
        ) {
            let mut text = text(&logs).into_bytes();
            for (place, byte, longer) in changes {
                let place = place.index(text.len());
                text.splice(place..(place + 1).min(text.len()), vec![byte; longer]);
            }
            if let Ok(saved) = read(&text) {
                prop_assert!(is_sound(&saved));
            }
        }

        #[test]
        fn other_numbers_are_found_or_harmless(
            logs in logs(),
            place: prop::sample::Index,
            number in prop_oneof!["-?[0-9]{1,40}", "[0-9]{1,3}e[0-9]{1,6}", r"\[{0,300}", "true|null|\"\"|\\{\\}"],
        ) {
            let text = text(&logs);
            let values: Vec<_> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
            let at = *place.get(&values);
            let end = text[at..].find([',', '}']).map_or(text.len(), |length| at + length);
            if let Ok(saved) = read(format!("{}{number}{}", &text[..at], &text[end..]).as_bytes()) {
                prop_assert!(is_sound(&saved));
            }
        }
    }
}
