//! `kill -9` at any moment, and then a run on what it left.
//!
//! The model is one text: what all runs so far wrote, in order. A killed run may have added any beginning of its own
//! lines; nothing that once stood there may change, whatever the next runs roll over, compress or clear away.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::harness::{Place, Random, Run, feed, is_installed, left_out, lines, oldest_first, read_line, read_whole};

/// All that was ever written.
struct Model {
    text: Vec<u8>,
    runs: u64,
    /// How many of the youngest archives must be there in any case; None when all must.
    keeps: Option<usize>,
}

impl Model {
    fn new(place: &Place, keeps: Option<usize>) -> Self {
        Self { text: place.text(), runs: 0, keeps }
    }

    /// Holds what is there against the model, after a run that may have written any beginning of its lines.
    #[track_caller]
    fn check_killed(&mut self, place: &Place) {
        let (run, text) = (self.runs, place.text());
        self.runs += 1;
        for name in place.names() {
            // Half an archive would be worse than none, also beside the plain file.
            if name.ends_with(".gz") {
                read_whole(&place.logs.join(name));
            }
        }
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (kept, torn) = text.split_at(whole);
        let last = kept.strip_suffix(b"\n").map(|kept| kept.rsplit(|byte| *byte == b'\n').next().unwrap());
        let mut expected = self.text.clone();
        let written = match last.and_then(read_line_without_end) {
            Some((writer, seq)) if writer == run => seq + 1,
            _ => 0,
        };
        let begins_anew = !expected.is_empty() && !expected.ends_with(b"\n");
        if begins_anew && (written > 0 || text.len() > expected.len() || torn.is_empty() && !text.is_empty()) {
            expected.push(b'\n');
        }
        expected.extend(lines(run, 0..written));
        if expected.ends_with(b"\n") || expected.is_empty() {
            assert!(lines(run, written..written + 1).starts_with(torn), "{:?}", String::from_utf8_lossy(torn));
            expected.extend(torn);
        }
        self.text = expected;
        self.compare(place, &text);
    }

    /// A run that ended well has written all of these lines, and tidied up.
    #[track_caller]
    fn check_ended(&mut self, place: &Place, count: u64) {
        if !self.text.is_empty() && !self.text.ends_with(b"\n") {
            self.text.push(b'\n');
        }
        self.text.extend(lines(self.runs, 0..count));
        self.runs += 1;
        self.compare(place, &place.text());
        place.assert_nothing_temporary();
        let names = place.names();
        let twin = names.iter().find(|name| names.contains(&format!("{name}.gz")));
        assert_eq!(twin, None, "{names:?}");
    }

    #[track_caller]
    fn compare(&self, place: &Place, text: &[u8]) {
        let Some(keeps) = self.keeps else { return self.compare_all(place, text) };
        let files = oldest_first(&place.logs, "app.log");
        let (older, youngest) = files.split_at(files.len().saturating_sub(keeps));
        let youngest: Vec<u8> = youngest.iter().flat_map(|path| read_whole(path)).collect();
        assert!(self.text.ends_with(&youngest), "run {}: {:?}", self.runs - 1, place.names());
        // What is about to be deleted need not be the oldest of it first, but is whole.
        let mut rest = &self.text[..];
        for path in older {
            let text = read_whole(path);
            let at = memchr::memmem::find(rest, &text);
            rest = &rest[at.unwrap_or_else(|| panic!("{}: other lines than were written", path.display()))..];
        }
    }

    #[track_caller]
    fn compare_all(&self, place: &Place, text: &[u8]) {
        if self.text != text {
            let at = self.text.iter().zip(text).position(|(a, b)| a != b);
            let shown = |text: &[u8]| {
                let from = at.unwrap_or(0).saturating_sub(80);
                String::from_utf8_lossy(&text[from.min(text.len())..(from + 240).min(text.len())]).into_owned()
            };
            panic!(
                "run {}: {} bytes instead of {}, other than expected from {at:?} on in {:?}\n--- expected\n{}\n--- found\n{}",
                self.runs - 1,
                text.len(),
                self.text.len(),
                place.names(),
                shown(&self.text),
                shown(text)
            );
        }
    }
}

fn read_line_without_end(line: &[u8]) -> Option<(u64, u64)> {
    read_line(&[line, b"\n"].concat())
}

/// Kills one run after another in a few folders, each time at another moment.
fn kill_at_random_moments(words: &str, kills: u64, salt: u64) {
    const KILLS_IN_A_FOLDER: u64 = 10;
    let mut random = Random::new(salt);
    let mut written = 0;
    let (_, count) = words.split_once("--backup-count ").unwrap();
    let keeps = Some(count.split(' ').next().unwrap().parse().unwrap()).filter(|count| *count > 0);
    for _ in 0..kills / KILLS_IN_A_FOLDER {
        let place = Place::new();
        let mut model = Model::new(&place, keeps);
        for run in 0..KILLS_IN_A_FOLDER {
            let mut victim = place.start(words);
            let mut stdin = victim.stdin.take().unwrap();
            let seed = random.next();
            let feeding = thread::spawn(move || feed(&mut stdin, run, 0..u64::MAX, &mut Random::seeded(seed)));
            // Not to wait for anything: this is the moment.
            thread::sleep(Duration::from_micros(random.below(50_000)));
            victim.kill();
            assert!(feeding.join().unwrap().is_err(), "the victim cannot have read everything");
            model.check_killed(&place);
        }
        written += model.text.len();
        let mut last = place.start(words);
        last.send(&lines(model.runs, 0..5));
        last.finish_well();
        model.check_ended(&place, 5);
        if words.contains("--compress") && !words.contains("--delay-compress") {
            let plain = place.names().into_iter().find(|name| name.starts_with("app.log.") && !name.ends_with(".gz"));
            assert_eq!(plain, None, "not compressed though nobody writes to it");
        }
    }
    assert!(written > 0, "no victim ever wrote");
}

#[test]
fn killed_while_a_chain_moves_up() {
    kill_at_random_moments("rotate FILE --max-bytes 16K --backup-count 0", 50, 1);
}

#[test]
fn killed_while_a_chain_is_compressed() {
    kill_at_random_moments("rotate FILE --max-bytes 64K --backup-count 0 --compress", 60, 2);
}

#[test]
fn killed_while_archives_are_named_by_time_and_compressed() {
    kill_at_random_moments("rotate FILE --max-bytes 32K --when S --backup-count 0 --compress", 50, 3);
}

#[test]
fn killed_while_old_archives_go() {
    kill_at_random_moments("rotate FILE --max-bytes 16K --backup-count 4 --compress=gzip:1 --delay-compress", 40, 4);
}

/// One run under strace that is killed as it enters the `nth` call of `syscall` (of one thread); false when it came to
/// its end before.
fn killed_at(place: &Place, words: &str, input: &[u8], syscall: &str, nth: u32) -> bool {
    let trace = format!("trace={syscall}");
    let inject = format!("inject={syscall}:signal=KILL:when={nth}");
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let mut run = Run::start(place.loghand_under(&strace, words));
    let mut stdin = run.stdin.take().unwrap();
    // Who is killed early does not read it.
    let _ = stdin.write_all(input);
    drop(stdin);
    let ended = run.wait();
    if !ended.was_killed() {
        ended.assert_quiet_success();
    }
    ended.was_killed()
}

/// Kills a run at every single call of each kind, beginning with the same folder each time.
fn kill_at_each_call(words: &str, syscalls: &[&str], count: u64, prepare: impl Fn(&Place)) {
    if !is_installed("strace") {
        return left_out("strace is not installed, so nothing is killed at an exact call");
    }
    for syscall in syscalls {
        let mut kills = 0;
        for nth in 1.. {
            let place = Place::new();
            prepare(&place);
            let mut model = Model::new(&place, None);
            // The folder's own lines are those of no run.
            if !killed_at(&place, words, &lines(0, 0..count), syscall, nth) {
                model.check_ended(&place, count);
                break;
            }
            kills += 1;
            model.check_killed(&place);
            let mut next = place.start(words);
            next.send(&lines(1, 0..3));
            next.finish_well();
            model.check_ended(&place, 3);
        }
        assert!(kills > 0, "{syscall} was never called");
    }
}

const OLD: u64 = 1000;

/// Three archives and a log.
fn plain_archives(place: &Place) {
    for (name, seqs) in [("app.log.3", 0..9), ("app.log.2", 9..18), ("app.log.1", 18..27), ("app.log", 27..30)] {
        fs::write(place.logs.join(name), lines(OLD, seqs)).unwrap();
    }
}

#[test]
fn killed_at_each_step_of_a_rollover() {
    let words = "rotate FILE --max-bytes 400 --backup-count 0";
    kill_at_each_call(words, &["renameat2", "openat", "unlink", "flock", "write"], 16, plain_archives);
}

#[test]
fn killed_at_each_step_of_a_compression() {
    let words = "rotate FILE --max-bytes 10K --backup-count 0 --compress";
    let syscalls = ["renameat2", "unlink", "flock", "fsync", "write", "utimensat", "fchmod", "openat"];
    kill_at_each_call(words, &syscalls, 2, plain_archives);
}

#[test]
fn killed_at_each_step_of_rollover_and_compression_by_time() {
    let words = "rotate FILE --max-bytes 400 --when midnight --backup-count 0 --compress";
    kill_at_each_call(words, &["renameat2", "unlink", "fsync"], 16, |_| {});
}

#[test]
fn killed_at_each_step_with_a_twin_that_a_crash_left() {
    let words = "rotate FILE --max-bytes 400 --backup-count 0 --compress";
    kill_at_each_call(words, &["renameat2", "unlink", "openat"], 16, |place| {
        plain_archives(place);
        let compressed = fs::File::create(place.logs.join("app.log.1.gz")).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(compressed, flate2::Compression::default());
        encoder.write_all(&lines(OLD, 18..27)).unwrap();
        encoder.finish().unwrap();
    });
}

#[test]
fn a_twin_that_a_crash_left_goes_without_compression_too() {
    let place = Place::new();
    plain_archives(&place);
    if !is_installed("strace") {
        return left_out("strace is not installed, so nothing is killed at an exact call");
    }
    let before = place.text();
    let has_twins = |names: &[String]| names.iter().any(|name| names.contains(&format!("{name}.gz")));
    // Nothing is rolled here, so a thread's first rename names a compressed copy, and its second takes the plain file
    // out of the way.
    assert!(killed_at(&place, "rotate FILE --backup-count 0 --compress", b"", "renameat2", 2));
    assert!(has_twins(&place.names()), "{:?}", place.names());
    place.start("rotate FILE --backup-count 0").finish_well();
    assert!(!has_twins(&place.names()), "{:?}", place.names());
    place.assert_nothing_temporary();
    assert_eq!(place.text(), before);
}

#[test]
fn killed_at_each_step_of_copy_and_truncate() {
    if !is_installed("strace") {
        return left_out("strace is not installed, so nothing is killed at an exact call");
    }
    let words = "rotate --once --force --copy-truncate FILE --backup-count 0";
    for syscall in ["renameat2", "openat", "copy_file_range", "fsync", "ftruncate", "unlink"] {
        for nth in 1.. {
            let place = Place::new();
            plain_archives(&place);
            let before = place.text();
            let killed = killed_at(&place, words, b"", syscall, nth);
            place.start(words).finish_well();
            place.assert_nothing_temporary();
            let text = place.text();
            // Between the copy's name and the truncation, its lines stand in both: nothing is lost at least.
            let current = lines(OLD, 27..30);
            assert!(
                text == before || killed && text == [&before[..], &current].concat(),
                "{syscall} {nth}: {:?}",
                place.names()
            );
            if !killed {
                assert!(nth > 1, "{syscall} was never called");
                break;
            }
        }
    }
}
