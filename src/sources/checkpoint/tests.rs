//! What is in the folder before, and what is read from it and left there afterwards.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use proptest::prelude::*;
use tempfile::TempDir;

use super::states::{at, log, logs};
use super::*;
use crate::report::Verbosity;

fn report() -> Report {
    Report::new(Verbosity::Quiet)
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("positions.json");
    (folder, path)
}

fn open(path: &Path) -> (Checkpoint, Option<Saved>) {
    Checkpoint::open(path.to_owned(), &report()).unwrap()
}

/// What the next start reads.
fn read(path: &Path) -> Option<Saved> {
    open(path).1
}

fn failure(path: &Path) -> String {
    Checkpoint::open(path.to_owned(), &report()).unwrap_err().to_string()
}

/// The save with this number; each differs from the others.
fn saved(number: u64) -> Saved {
    Saved { written: at(number as i64), logs: vec![log("/var/log/app.log", number)] }
}

fn save(checkpoint: &mut Checkpoint, number: u64) {
    let Saved { written, logs } = saved(number);
    checkpoint.save(&logs, written).unwrap();
}

/// A folder after two saves.
fn saved_twice() -> (TempDir, PathBuf) {
    let (folder, path) = folder();
    let (mut checkpoint, none) = open(&path);
    assert_eq!(none, None);
    save(&mut checkpoint, 1);
    save(&mut checkpoint, 2);
    (folder, path)
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const ALL: [&str; 3] = ["positions.json", "positions.json.lock", "positions.json.previous"];

#[test]
fn what_was_saved_last_is_read() {
    let (_folder, path) = saved_twice();
    assert_eq!(read(&path), Some(saved(2)));
}

#[test]
fn many_saves_leave_the_last_and_the_one_before_and_the_lock() {
    let (folder, path) = folder();
    for start in 0..3 {
        let (mut checkpoint, _) = open(&path);
        (0..20).for_each(|number| save(&mut checkpoint, start * 20 + number));
    }
    assert_eq!(names(&folder), ALL);
    assert_eq!(read(&path), Some(saved(59)));
    fs::remove_file(&path).unwrap();
    assert_eq!(read(&path), Some(saved(58)));
}

#[test]
fn nothing_saved_is_nothing_read_and_only_the_lock_is_left() {
    let (folder, path) = folder();
    assert_eq!(read(&path), None);
    assert_eq!(names(&folder), ["positions.json.lock"]);
}

#[test]
fn a_second_one_is_told_who_has_it() {
    let (_folder, path) = folder();
    let held = open(&path);
    let own = std::process::id();
    match Checkpoint::open(path.clone(), &report()) {
        Err(CheckpointError::InUse { path: named, by }) => assert_eq!((named, by), (path.clone(), Some(own))),
        other => panic!("{other:?}"),
    }
    let message =
        format!("{}: in use by another loghand (process {own}): each needs a checkpoint of its own", path.display());
    assert_eq!(failure(&path), message);
    fs::write(path.with_file_name("positions.json.lock"), "").unwrap();
    assert!(failure(&path).ends_with(": in use by another loghand: each needs a checkpoint of its own"));
    drop(held);
    open(&path);
}

#[test]
fn torn_anywhere_it_is_set_aside_and_the_one_before_serves() {
    let (folder, path) = saved_twice();
    let whole = fs::read(&path).unwrap();
    // Only the last line end can be missed.
    for length in 0..whole.len() - 1 {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(read(&path), Some(saved(1)), "{length}");
        let aside = folder.path().join("positions.json.damaged");
        assert_eq!(fs::read(&aside).unwrap(), whole[..length]);
        fs::remove_file(aside).unwrap();
        assert_eq!(names(&folder), ALL[1..]);
    }
}

#[test]
fn what_cannot_be_used_is_set_aside_and_never_lost() {
    for bad in ["", "{", "[]", "{}", "{\"version\": 3}", "{\"loghand_checkpoint\": 2}", "a line of a log\n"] {
        let (folder, path) = saved_twice();
        for _ in 0..3 {
            fs::write(&path, bad).unwrap();
            assert_eq!(read(&path), Some(saved(1)), "{bad}");
        }
        fs::write(&path, bad).unwrap();
        fs::write(folder.path().join(ALL[2]), "worse").unwrap();
        assert_eq!(read(&path), None, "{bad}");
        assert_eq!(
            names(&folder),
            [
                "positions.json.damaged",
                "positions.json.damaged.2",
                "positions.json.damaged.3",
                "positions.json.damaged.4",
                "positions.json.lock",
                "positions.json.previous.damaged",
            ]
        );
        assert_eq!(fs::read_to_string(folder.path().join("positions.json.damaged.4")).unwrap(), bad);
        assert_eq!(fs::read_to_string(folder.path().join("positions.json.previous.damaged")).unwrap(), "worse");
    }
}

#[test]
fn a_damaged_one_with_none_before_leaves_nothing() {
    let (folder, path) = folder();
    fs::write(&path, "{").unwrap();
    let (mut checkpoint, none) = open(&path);
    assert_eq!(none, None);
    save(&mut checkpoint, 1);
    assert_eq!(names(&folder), ["positions.json", "positions.json.damaged", "positions.json.lock"]);
}

#[test]
fn the_one_before_is_kept_until_a_good_one_has_taken_its_place() {
    let (folder, path) = saved_twice();
    fs::write(&path, "{").unwrap();
    let (mut checkpoint, _) = open(&path);
    save(&mut checkpoint, 3);
    assert_eq!(names(&folder), ["positions.json", "positions.json.damaged", ALL[1], ALL[2]]);
    // Somebody empties it while it is in use.
    fs::write(&path, "").unwrap();
    save(&mut checkpoint, 4);
    drop(checkpoint);
    assert_eq!(read(&path), Some(saved(4)));
    fs::remove_file(&path).unwrap();
    assert_eq!(read(&path), Some(saved(1)));
}

/// What the next start reads after a crash behind each of the first steps of save 3, and after a save on top of that.
fn crash_in_save_three(without_hard_links: bool) {
    for done in 0..=files::STEPS.len() {
        let (folder, path) = saved_twice();
        let (mut checkpoint, _) = open(&path);
        let mut text = Vec::new();
        format::write(&mut text, &saved(3).logs, saved(3).written).unwrap();
        for (number, step) in files::STEPS[..done].iter().enumerate() {
            if without_hard_links && number == 2 {
                fs::rename(&path, folder.path().join(ALL[2])).unwrap();
            } else {
                step(&mut checkpoint.files, &text).unwrap();
            }
        }
        drop(checkpoint);
        let expected = if done < 4 { saved(2) } else { saved(3) };
        let (mut checkpoint, read_now) = open(&path);
        assert_eq!(read_now, Some(expected.clone()), "{done} steps");
        save(&mut checkpoint, 4);
        drop(checkpoint);
        assert_eq!(names(&folder), ALL, "{done} steps");
        assert_eq!(read(&path), Some(saved(4)), "{done} steps");
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&path), Some(expected), "{done} steps");
    }
}

#[test]
fn a_crash_at_any_step_leaves_the_last_or_the_one_before() {
    crash_in_save_three(false);
}

#[test]
fn a_crash_at_any_step_leaves_one_where_there_are_no_hard_links() {
    crash_in_save_three(true);
}

#[test]
fn a_crash_while_it_was_written_leaves_the_last_one() {
    let (folder, path) = saved_twice();
    let new = folder.path().join(".positions.json.new");
    fs::write(&new, "{\n  \"loghand_che").unwrap();
    let (mut checkpoint, last) = open(&path);
    assert_eq!(last, Some(saved(2)));
    save(&mut checkpoint, 3);
    assert_eq!(names(&folder), ALL);
}

#[test]
fn nothing_is_written_through_a_link_that_lies_in_the_way() {
    let (folder, path) = saved_twice();
    let other = folder.path().join("other");
    fs::write(&other, "another's").unwrap();
    let (mut checkpoint, _) = open(&path);
    symlink(&other, folder.path().join(".positions.json.new")).unwrap();
    save(&mut checkpoint, 3);
    fs::hard_link(&other, folder.path().join(".positions.json.new")).unwrap();
    save(&mut checkpoint, 4);
    assert_eq!(fs::read_to_string(&other).unwrap(), "another's");
    assert_eq!(read_last(checkpoint, &path), saved(4));
}

fn read_last(checkpoint: Checkpoint, path: &Path) -> Saved {
    drop(checkpoint);
    read(path).unwrap()
}

#[test]
fn a_save_that_fails_takes_nothing_away_and_the_next_one_succeeds() {
    let (folder, path) = saved_twice();
    let (mut checkpoint, _) = open(&path);
    let trap = folder.path().join(".positions.json.new");
    fs::create_dir(&trap).unwrap();
    assert!(checkpoint.save(&saved(3).logs, at(3)).is_err());
    fs::remove_dir(&trap).unwrap();
    assert_eq!(names(&folder), ALL);
    save(&mut checkpoint, 4);
    assert_eq!(read_last(checkpoint, &path), saved(4));
    fs::remove_file(&path).unwrap();
    assert_eq!(read(&path), Some(saved(2)));
}

#[test]
fn only_its_owner_may_read_it_unless_it_was_allowed() {
    let (_folder, path) = saved_twice();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    save(&mut open(&path).0, 3);
    assert_eq!(mode(), 0o640);
}

#[test]
fn where_no_checkpoint_can_be_it_says_why_and_leaves_nothing() {
    let (folder, path) = folder();
    fs::write(&path, "a file").unwrap();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    for (bad, why) in [
        (path.join("below"), "its folder is a file"),
        (folder.path().join("no/such"), "its folder does not exist: make it first"),
        (folder.path().join("sub"), "not a regular file"),
        (folder.path().join("sub/.."), "that is no name for a file"),
        (link, "a symlink, which a checkpoint must not be: name the file itself"),
    ] {
        assert_eq!(failure(&bad), format!("{}: {why}", bad.display()));
    }
    assert_eq!(names(&folder), ["link", "positions.json", "sub"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
}

#[test]
fn a_lock_that_leads_elsewhere_is_not_followed() {
    let (folder, path) = folder();
    let other = folder.path().join("other");
    fs::write(&other, "another's").unwrap();
    symlink(&other, folder.path().join(ALL[1])).unwrap();
    assert!(failure(&path).contains("positions.json.lock: "));
    assert_eq!(fs::read_to_string(&other).unwrap(), "another's");
}

#[test]
fn a_checkpoint_larger_than_any_is_not_read() {
    let (folder, path) = folder();
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(read(&path), None);
    assert_eq!(names(&folder), ["positions.json.damaged", ALL[1]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_state_is_read_after_a_restart(first in logs(), second in logs()) {
        let (_folder, path) = folder();
        let (mut checkpoint, _) = open(&path);
        for (logs, written) in [(first, at(1)), (second, DateTime::UNIX_EPOCH)] {
            checkpoint.save(&logs, written).unwrap();
            drop(checkpoint);
            let read;
            (checkpoint, read) = open(&path);
            prop_assert_eq!(read, Some(Saved { written, logs }));
        }
    }

    #[test]
    fn any_bytes_are_read_or_set_aside(bytes: Vec<u8>, older: Vec<u8>) {
        let (folder, path) = folder();
        fs::write(&path, &bytes).unwrap();
        fs::write(folder.path().join(ALL[2]), &older).unwrap();
        prop_assert_eq!(read(&path), None);
        prop_assert_eq!(names(&folder), ["positions.json.damaged", ALL[1], "positions.json.previous.damaged"]);
    }
}
