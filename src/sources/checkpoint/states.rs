//! States to save, for the tests.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::inode::FileId;
use crate::sources::position::{PRINT, Position, Print};
use crate::sources::state::{FileState, LogState};

/// So many seconds later.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_795_197_000 + seconds)
}

pub fn file(place: &str, number: u64) -> FileState {
    let print = Print { bytes: 1000, hash: 0x0123_4567_89ab_cdef };
    FileState {
        id: FileId { device: 64769, inode: 1_048_576 + number },
        place: place.into(),
        born: Some(UNIX_EPOCH + Duration::from_secs(1_795_190_000)),
        modified: UNIX_EPOCH + Duration::from_secs(1_795_196_956),
        gzip: false,
        cut: false,
        position: Position { offset: 1000, seen: 1234 + number, head: print, before: print },
    }
}

/// A log of so many files that are still to be read.
pub fn log(path: &str, files: u64) -> LogState {
    let name = |number| if number == 0 { path.to_owned() } else { format!("{path}.{number}") };
    let files = (0..files).rev().map(|number| file(&name(number), number)).collect();
    LogState { path: path.into(), since: None, files, done: Vec::new() }
}

/// Any logs.
pub fn logs() -> impl Strategy<Value = Vec<LogState>> {
    let files = || prop::collection::vec(any_file(), 0..3);
    let since = prop::option::of(any_time());
    let log = (any_path(), since, files(), files());
    let log = log.prop_map(|(path, since, files, done)| LogState { path, since, files, done });
    prop::collection::vec(log, 0..4)
}

fn any_path() -> impl Strategy<Value = PathBuf> {
    let bytes = prop_oneof![
        "/var/log/[a-z]{1,8}\\.log".prop_map(String::into_bytes),
        any::<String>().prop_map(String::into_bytes),
        any::<Vec<u8>>()
    ];
    bytes.prop_map(|bytes| OsString::from_vec(bytes).into())
}

fn any_file() -> impl Strategy<Value = FileState> {
    let numbers = (any::<u64>(), any::<u64>(), any::<bool>(), any::<bool>());
    (numbers, any_path(), prop::option::of(any_time()), any_time(), any_position()).prop_map(
        |((device, inode, gzip, cut), place, born, modified, position)| FileState {
            id: FileId { device, inode },
            place,
            born,
            modified,
            gzip,
            cut,
            position,
        },
    )
}

fn any_time() -> impl Strategy<Value = SystemTime> {
    let since = (0..8_000_000_000_000_u64, 0..1_000_000_000_u32);
    (any::<bool>(), since).prop_map(|(before, (seconds, nanoseconds))| {
        let since = Duration::new(seconds, nanoseconds);
        if before { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
    })
}

fn any_position() -> impl Strategy<Value = Position> {
    let length = || prop_oneof![0..5000_u64, 0..=i64::MAX as u64];
    (length(), length(), 0..=PRINT, 0..=PRINT, any::<u64>(), any::<u64>()).prop_map(
        |(one, other, head, before, a, b)| {
            let offset = one.min(other);
            let print = |bytes: u64, hash| Print { bytes: bytes.min(offset), hash };
            Position { offset, seen: one.max(other), head: print(head, a), before: print(before, b) }
        },
    )
}
