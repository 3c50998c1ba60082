//! Parity with Python: the same scenarios through `logging.handlers` and through loghand give the same files with the
//! same bytes, except where [`DIFFERENCES`] says so.
//!
//! LOGHAND_PYTHON names the interpreter; else the newest that is found counts. What the clock decides is compared with
//! 3.13 or later, and left out without one, unless LOGHAND_PEERS=required.

mod random;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use loghand::clock::{Clock, Zone};
use loghand::handlers::base_rotating::{BaseRotatingHandler, Rules};
use loghand::handlers::file::FileOptions;
use loghand::handlers::rotating_file::SizeRule;
use loghand::handlers::timed_rotating_file::TimeRule;
use loghand::progress::Progress;
use loghand::report::{Report, Verbosity};
use loghand::rotation::archives::Layout;
use loghand::rotation::backups::Retention;
use loghand::rotation::budget::Budget;
use loghand::rotation::housekeeper::Duties;
use loghand::rotation::mover::Mover;
use loghand::rotation::naming::Naming;
use loghand::rotation::when::{When, parse_at_time};
use loghand::stop::{Stop, Waker};
use loghand::stream::batch::Batch;
use loghand::stream::context::Context;
use loghand::stream::handler::Handler;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

// The differences

/// Where loghand deliberately does something else than Python.
struct Difference {
    /// How the driver calls it.
    key: &'static str,
    sentence: &'static str,
    /// Shows what either does.
    shown: fn(&mut Python),
    /// Whether Python 3.13 is needed to show it.
    timed: bool,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        key: "limit",
        sentence: "A file may reach --max-bytes and never exceeds it; Python rolls over before it is reached, so its \
                   maxBytes N+1 is our N.",
        shown: the_limit_may_be_reached,
        timed: false,
    },
    Difference {
        key: "bytes",
        sentence: "The limit counts bytes; Python counts the characters of the next record.",
        shown: bytes_are_counted,
        timed: false,
    },
    Difference {
        key: "zero keeps all",
        sentence: "--backup-count 0 keeps all archives; Python's RotatingFileHandler then never rolls over.",
        shown: zero_keeps_all,
        timed: false,
    },
    Difference {
        key: "gap",
        sentence: "A gap in the numbered chain is filled: only what must move is renamed; Python carries the gap along.",
        shown: a_gap_is_filled,
        timed: false,
    },
    Difference {
        key: "surplus",
        sentence: "Archives beyond --backup-count are deleted whatever their number and at the start already; Python \
                   deletes them at a rollover, and numbers above backupCount never.",
        shown: surplus_is_deleted,
        timed: false,
    },
    Difference {
        key: "torn line",
        sentence: "A file that ends in mid-line, as a killed writer leaves it, gets a line end before the next line; \
                   Python continues the torn line.",
        shown: a_torn_line_is_ended,
        timed: false,
    },
    Difference {
        key: "last line end",
        sentence: "Bytes stay as they are, a missing last line end included; Python ends every record with one.",
        shown: a_missing_line_end_stays_missing,
        timed: false,
    },
    Difference {
        key: "in the way",
        sentence: "A folder or symlink in an archive's place is stepped over; Python renames it along, and where it \
                   cannot, fails and loses the record.",
        shown: what_is_in_the_way_is_stepped_over,
        timed: false,
    },
    Difference {
        key: "symlink",
        sentence: "A log that is a symlink is refused; Python renames the link and leaves the file behind it to grow.",
        shown: a_symlink_is_refused,
        timed: false,
    },
    Difference {
        key: "mode",
        sentence: "--mode w begins with an empty file with --max-bytes too; Python then appends all the same.",
        shown: mode_w_is_obeyed,
        timed: false,
    },
    Difference {
        key: "empty file",
        sentence: "An empty file is never rolled over, and its period begins with its first look; Python's timed handler \
                   (before 3.13 the other too) makes an empty archive.",
        shown: an_empty_file_is_not_rolled,
        timed: true,
    },
    Difference {
        key: "on time",
        sentence: "The roll happens on time even when no line comes; Python waits for the next record.",
        shown: the_roll_is_on_time,
        timed: true,
    },
    Difference {
        key: "birth",
        sentence: "A file's period begins when it was made, so short-lived jobs roll too; Python counts from its last \
                   modification.",
        shown: a_period_begins_with_the_file,
        timed: true,
    },
    Difference {
        key: "taken name",
        sentence: "A taken name is never overwritten and never stops rotation: the next free number is appended; Python \
                   writes on in the old file.",
        shown: a_taken_name_is_numbered,
        timed: true,
    },
    Difference {
        key: "true start",
        sentence: "An archive is named for the true start of its period; Python shifts it by an hour when daylight \
                   saving has changed since, or by a day.",
        shown: archives_bear_the_true_start,
        timed: true,
    },
    Difference {
        key: "zone rules",
        sentence: "Civil time follows the rules of the zone; Python takes every change of the clock for one hour forward \
                   in summer, which is wrong for Lord Howe (half an hour) and Dublin (back in winter).",
        shown: the_rules_of_the_zone_count,
        timed: true,
    },
    Difference {
        key: "clock set back",
        sentence: "A clock that is set back by more than a period, or a file from the future, begins the schedule anew; \
                   Python waits for the old time to come round.",
        shown: a_clock_set_back_begins_anew,
        timed: true,
    },
    Difference {
        key: "no date",
        sentence: "A name whose digits are no date is no archive; Python deletes it as one.",
        shown: what_is_no_date_is_no_archive,
        timed: true,
    },
];

/// One at a time: while one test starts a process, that process holds for a moment what another has open and locked.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn every_difference_is_real() {
    let _alone = alone();
    let mut python = Python::start();
    let timed = python.speaks_of_time();
    for difference in DIFFERENCES {
        if timed || !difference.timed {
            println!("{}: {}", difference.key, difference.sentence);
            (difference.shown)(&mut python);
        }
    }
}

// Python

/// Python's handlers, behind a pipe.
struct Python {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    version: (u32, u32),
}

struct Answer {
    hits: BTreeSet<String>,
    lost: u64,
}

impl Python {
    fn start() -> Self {
        let (program, version) = interpreter();
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/driver.py");
        let mut command = Command::new(&program);
        command.args(["-B", driver]).env("PYTHONUTF8", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output, version }
    }

    /// False where the interpreter is too old to be compared with.
    fn speaks_of_time(&self) -> bool {
        let new_enough = self.version >= (3, 13);
        if !new_enough {
            let (major, minor) = self.version;
            let why =
                format!("what the clock decides is compared with Python 3.13 or later, and this is {major}.{minor}");
            assert!(env::var("LOGHAND_PEERS").as_deref() != Ok("required"), "{why}");
            println!("skipped: {why}");
        }
        new_enough
    }

    fn run(&mut self, scenario: &Value) -> Answer {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{scenario}").unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("Python failed in {scenario}"));
        let hits = answer["hits"].as_array().unwrap().iter().map(|hit| hit.as_str().unwrap().to_owned()).collect();
        Answer { hits, lost: answer["lost"].as_u64().unwrap() }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// LOGHAND_PYTHON, or the newest that the path or pyenv has.
fn interpreter() -> (PathBuf, (u32, u32)) {
    if let Some(python) = env::var_os("LOGHAND_PYTHON") {
        let version = version(Path::new(&python)).expect("LOGHAND_PYTHON is a Python 3");
        return (python.into(), version);
    }
    let mut candidates: Vec<PathBuf> = (13..20).rev().map(|minor| format!("python3.{minor}").into()).collect();
    candidates.push("python3".into());
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    if let Some(root) = pyenv.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv"))) {
        let versions = fs::read_dir(root.join("versions")).into_iter().flatten().flatten();
        candidates.extend(versions.map(|version| version.path().join("bin/python3")));
    }
    let found = candidates.into_iter().filter_map(|python| version(&python).map(|version| (python, version)));
    found.max_by_key(|(_, version)| *version).expect("these tests need a Python 3")
}

fn version(python: &Path) -> Option<(u32, u32)> {
    let output = Command::new(python).args(["-c", "import sys; print(*sys.version_info[:2])"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

// Folders

/// Every name in `folder` with its bytes; folders and symlinks by what they are.
fn listing(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        let content = match () {
            () if kind.is_dir() => "(a folder)".to_owned(),
            () if kind.is_symlink() => format!("-> {}", fs::read_link(&path).unwrap().display()),
            () => String::from_utf8(fs::read(&path).unwrap()).unwrap(),
        };
        files.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), content);
    }
    files
}

fn files<const N: usize>(expected: [(&str, &str); N]) -> BTreeMap<String, String> {
    expected.into_iter().map(|(name, content)| (name.to_owned(), content.to_owned())).collect()
}

/// What happens to a folder before a run.
#[derive(Clone, Debug)]
enum Action {
    Write(String, String),
    /// With the time of its last modification.
    WriteAt(String, String, f64),
    Folder(String),
    Link(String, String),
    Remove(String),
}

impl Action {
    fn write(name: &str, content: &str) -> Self {
        Self::Write(name.to_owned(), content.to_owned())
    }

    fn json(&self) -> Value {
        match self {
            Self::Write(name, content) => json!(["write", name, content]),
            Self::WriteAt(name, content, at) => json!(["write", name, content, at]),
            Self::Folder(name) => json!(["mkdir", name]),
            Self::Link(name, target) => json!(["link", name, target]),
            Self::Remove(name) => json!(["remove", name]),
        }
    }

    fn perform(&self, folder: &Path) {
        match self {
            Self::Write(name, content) => fs::write(folder.join(name), content).unwrap(),
            Self::WriteAt(name, content, at) => {
                fs::write(folder.join(name), content).unwrap();
                touch(&folder.join(name), *at);
            }
            Self::Folder(name) => fs::create_dir(folder.join(name)).unwrap(),
            Self::Link(name, target) => std::os::unix::fs::symlink(target, folder.join(name)).unwrap(),
            Self::Remove(name) => drop(fs::remove_file(folder.join(name))),
        }
    }
}

fn touch(path: &Path, at: f64) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(at)).unwrap();
}

/// A folder for each of the two.
struct Folders {
    _root: TempDir,
    python: PathBuf,
    loghand: PathBuf,
}

impl Folders {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let root = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let root = root.unwrap();
        let (python, loghand) = (root.path().join("python"), root.path().join("loghand"));
        fs::create_dir(&python).unwrap();
        fs::create_dir(&loghand).unwrap();
        Self { _root: root, python, loghand }
    }

    fn listings(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        (listing(&self.python), listing(&self.loghand))
    }
}

/// Which differences random scenarios met.
#[derive(Default)]
struct Tally {
    scenarios: Cell<u32>,
    plain: Cell<u32>,
    hits: RefCell<BTreeMap<String, u32>>,
}

impl Tally {
    fn count(&self, hits: &BTreeSet<String>) {
        self.scenarios.set(self.scenarios.get() + 1);
        self.plain.set(self.plain.get() + u32::from(hits.is_empty()));
        for hit in hits {
            assert!(DIFFERENCES.iter().any(|difference| difference.key == hit), "'{hit}' is no documented difference");
            *self.hits.borrow_mut().entry(hit.clone()).or_default() += 1;
        }
    }

    fn say(&self) {
        let (plain, scenarios) = (self.plain.get(), self.scenarios.get());
        println!("{plain} of {scenarios} scenarios are Python's to the byte; differences: {:?}", self.hits.borrow());
    }
}

// By size

#[derive(Clone, Debug)]
struct BySize {
    /// Ours; Python's is one more.
    max_bytes: u64,
    backup_count: u64,
    mode: &'static str,
    runs: Vec<Run>,
}

#[derive(Clone, Debug, Default)]
struct Run {
    before: Vec<Action>,
    lines: Vec<String>,
    /// How many bytes are written at once.
    write: usize,
}

impl BySize {
    fn new(max_bytes: u64, backup_count: u64, lines: &[&str]) -> Self {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let run = Run { before: Vec::new(), lines, write: 4096 };
        Self { max_bytes, backup_count, mode: "a", runs: vec![run] }
    }

    fn with(mut self, before: impl IntoIterator<Item = Action>) -> Self {
        self.runs[0].before.extend(before);
        self
    }

    fn python(&self, python: &mut Python, folder: &Path, adjusted: bool) -> Answer {
        let run = |run: &Run| {
            let before: Vec<Value> = run.before.iter().map(Action::json).collect();
            json!({"before": before, "lines": run.lines})
        };
        python.run(&json!({
            "kind": "size",
            "folder": folder,
            "max_bytes": if self.max_bytes == 0 { 0 } else { self.max_bytes + 1 },
            "backup_count": self.backup_count,
            "mode": self.mode,
            "adjusted": adjusted,
            "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
        }))
    }

    /// The exit codes of the runs.
    fn loghand(&self, folder: &Path) -> Vec<i32> {
        let run = |run: &Run| {
            run.before.iter().for_each(|action| action.perform(folder));
            let mut input = run.lines.join("\n");
            if !run.lines.is_empty() {
                input.push('\n');
            }
            self.pipe(folder, input.as_bytes(), run.write)
        };
        self.runs.iter().map(run).collect()
    }

    fn pipe(&self, folder: &Path, input: &[u8], write: usize) -> i32 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loghand"));
        command.args(["-q", "rotate", "app.log", "--mode", self.mode]).current_dir(folder).stdin(Stdio::piped());
        command.args(["--max-bytes", &self.max_bytes.to_string(), "--backup-count", &self.backup_count.to_string()]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        for part in input.chunks(write.max(1)) {
            // Who refuses the file reads nothing.
            if pipe.write_all(part).is_err() {
                break;
            }
        }
        drop(pipe);
        child.wait().unwrap().code().unwrap()
    }

    /// Python's files as they are, without any adjustment, and ours.
    fn both(&self, python: &mut Python) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let folders = Folders::new();
        self.python(python, &folders.python, false);
        assert!(self.loghand(&folders.loghand).iter().all(|code| *code == 0));
        folders.listings()
    }
}

/// `length` bytes without a line end that tell which line they are of.
fn text(serial: usize, length: usize) -> String {
    let word = format!("{serial}.");
    word.chars().cycle().take(length).collect()
}

fn line_lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![8 => 0usize..30, 1 => Just(0), 1 => 30usize..400];
    prop::collection::vec(length, 0..40)
}

/// What lies in the folder before the first run.
fn found_before() -> impl Strategy<Value = Vec<Action>> {
    let log = prop::option::weighted(0.4, (0usize..120, prop::bool::weighted(0.8)));
    let archives = prop::collection::btree_set(1u32..8, 0..4);
    let neighbours = prop::sample::subsequence(
        vec![
            "app.log.0",
            "app.log.01",
            "app.log.1.bak",
            "app.log.x",
            "app.logs.1",
            "other.log.1",
            "app.log.2012-01-01",
        ],
        0..4,
    );
    (log, prop::option::weighted(0.4, archives), neighbours).prop_map(|(log, archives, neighbours)| {
        let mut before = Vec::new();
        if let Some((length, ended)) = log {
            let end = if ended { "\n" } else { "" };
            before.push(Action::Write("app.log".into(), format!("{}{end}", text(900, length))));
        }
        for number in archives.into_iter().flatten() {
            before.push(Action::Write(format!("app.log.{number}"), format!("old {number}\n")));
        }
        before.extend(neighbours.into_iter().map(|name| Action::write(name, "not ours\n")));
        before
    })
}

fn by_size() -> impl Strategy<Value = BySize> {
    let max_bytes = prop_oneof![1 => Just(0u64), 9 => 1u64..250];
    let backup_count = prop_oneof![1 => Just(0u64), 9 => 1u64..6];
    let removed = prop::collection::vec(1u32..6, 0..2);
    let run = (prop::option::weighted(0.3, removed), line_lengths(), 1usize..200);
    (max_bytes, backup_count, found_before(), prop::collection::vec(run, 1..4)).prop_map(
        |(max_bytes, backup_count, before, runs)| {
            let mut serial = 0;
            let mut scenario = BySize { max_bytes, backup_count, mode: "a", runs: Vec::new() };
            for (removed, lengths, write) in runs {
                let remove = |number| Action::Remove(format!("app.log.{number}"));
                let mut next = |length| {
                    serial += 1;
                    text(serial, length)
                };
                let lines = lengths.into_iter().map(&mut next).collect();
                let before = removed.into_iter().flatten().map(remove).collect();
                scenario.runs.push(Run { before, lines, write });
            }
            scenario.with(before)
        },
    )
}

#[test]
fn by_size_the_files_are_those_of_python() {
    let _alone = alone();
    let tally = Tally::default();
    let python = RefCell::new(Python::start());
    random::check(300, &by_size(), |scenario| {
        let folders = Folders::new();
        let answer = scenario.python(&mut python.borrow_mut(), &folders.python, true);
        let codes = scenario.loghand(&folders.loghand);
        prop_assert!(codes.iter().all(|code| *code == 0), "exit codes {codes:?}");
        let (python, loghand) = folders.listings();
        prop_assert_eq!(python, loghand, "Python is left, loghand right; differences met: {:?}", answer.hits);
        tally.count(&answer.hits);
        Ok(())
    });
    tally.say();
    assert!(tally.plain.get() * 10 > tally.scenarios.get() * 3, "most scenarios are to be without differences");
}

fn the_limit_may_be_reached(python: &mut Python) {
    let folders = Folders::new();
    let scenario = BySize::new(22, 2, &["0123456789", "0123456789"]);
    // As Python counts, with the same number.
    BySize { max_bytes: 21, ..scenario.clone() }.python(python, &folders.python, false);
    scenario.loghand(&folders.loghand);
    let (theirs, ours) = folders.listings();
    assert_eq!(theirs, files([("app.log", "0123456789\n"), ("app.log.1", "0123456789\n")]));
    assert_eq!(ours, files([("app.log", "0123456789\n0123456789\n")]));
}

fn bytes_are_counted(python: &mut Python) {
    let (theirs, ours) = BySize::new(9, 2, &["ää", "ää"]).both(python);
    assert_eq!(theirs, files([("app.log", "ää\nää\n")]));
    assert_eq!(ours, files([("app.log", "ää\n"), ("app.log.1", "ää\n")]));
}

fn zero_keeps_all(python: &mut Python) {
    let (theirs, ours) = BySize::new(2, 0, &["a", "b", "c"]).both(python);
    assert_eq!(theirs, files([("app.log", "a\nb\nc\n")]));
    assert_eq!(ours, files([("app.log", "c\n"), ("app.log.1", "b\n"), ("app.log.2", "a\n")]));
}

fn a_gap_is_filled(python: &mut Python) {
    let before = [Action::write("app.log.2", "old\n")];
    let (theirs, ours) = BySize::new(2, 4, &["a", "b"]).with(before).both(python);
    assert_eq!(theirs, files([("app.log", "b\n"), ("app.log.1", "a\n"), ("app.log.3", "old\n")]));
    assert_eq!(ours, files([("app.log", "b\n"), ("app.log.1", "a\n"), ("app.log.2", "old\n")]));
}

fn surplus_is_deleted(python: &mut Python) {
    let before = [1, 2, 3].map(|number| Action::Write(format!("app.log.{number}"), format!("{number}\n")));
    let (theirs, ours) = BySize::new(9, 2, &["a"]).with(before).both(python);
    assert_eq!(theirs, files([("app.log", "a\n"), ("app.log.1", "1\n"), ("app.log.2", "2\n"), ("app.log.3", "3\n")]));
    assert_eq!(ours, files([("app.log", "a\n"), ("app.log.1", "1\n"), ("app.log.2", "2\n")]));
}

fn a_torn_line_is_ended(python: &mut Python) {
    let (theirs, ours) = BySize::new(9, 2, &["a"]).with([Action::write("app.log", "torn")]).both(python);
    assert_eq!(theirs, files([("app.log", "torna\n")]));
    assert_eq!(ours, files([("app.log", "torn\na\n")]));
}

fn a_missing_line_end_stays_missing(python: &mut Python) {
    let folders = Folders::new();
    let scenario = BySize::new(9, 2, &["a", "b"]);
    scenario.python(python, &folders.python, false);
    assert_eq!(scenario.pipe(&folders.loghand, b"a\nb", 9), 0);
    let (theirs, ours) = folders.listings();
    assert_eq!(theirs, files([("app.log", "a\nb\n")]));
    assert_eq!(ours, files([("app.log", "a\nb")]));
}

fn what_is_in_the_way_is_stepped_over(python: &mut Python) {
    let folders = Folders::new();
    let scenario = BySize::new(2, 1, &["a", "b", "c"]).with([Action::Folder("app.log.1".into())]);
    assert_eq!(scenario.python(python, &folders.python, false).lost, 2);
    scenario.loghand(&folders.loghand);
    let (theirs, ours) = folders.listings();
    assert_eq!(theirs, files([("app.log", "a\n"), ("app.log.1", "(a folder)")]));
    assert_eq!(ours, files([("app.log", "c\n"), ("app.log.1", "(a folder)"), ("app.log.2", "b\n")]));
}

fn a_symlink_is_refused(python: &mut Python) {
    let folders = Folders::new();
    let before = [Action::write("real", "x\n"), Action::Link("app.log".into(), "real".into())];
    let scenario = BySize::new(2, 1, &["a"]).with(before);
    scenario.python(python, &folders.python, false);
    assert_eq!(scenario.loghand(&folders.loghand), [1]);
    let (theirs, ours) = folders.listings();
    assert_eq!(theirs, files([("app.log", "a\n"), ("app.log.1", "-> real"), ("real", "x\n")]));
    assert_eq!(ours, files([("app.log", "-> real"), ("real", "x\n")]));
}

fn mode_w_is_obeyed(python: &mut Python) {
    let scenario = BySize::new(9, 2, &["a"]).with([Action::write("app.log", "old\n")]);
    let (theirs, ours) = BySize { mode: "w", ..scenario }.both(python);
    assert_eq!(theirs, files([("app.log", "old\na\n")]));
    assert_eq!(ours, files([("app.log", "a\n")]));
}

// By the clock

/// A zone as both know it. The rules stand in TZ, so Python needs no zone files; they hold from 2009 on.
#[derive(Clone, Copy, Debug)]
struct ZoneName {
    tz: &'static str,
    zone: Tz,
    /// Whether Python's single hour in summer is wrong here.
    odd: bool,
}

const NEW_YORK: ZoneName = ZoneName { tz: "EST5EDT,M3.2.0,M11.1.0", zone: Tz::America__New_York, odd: false };
const LORD_HOWE: ZoneName =
    ZoneName { tz: "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", zone: Tz::Australia__Lord_Howe, odd: true };
const DUBLIN: ZoneName = ZoneName { tz: "IST-1GMT0,M10.5.0,M3.5.0/1", zone: Tz::Europe__Dublin, odd: true };
const ZONES: [ZoneName; 9] = [
    ZoneName { tz: "UTC0", zone: Tz::UTC, odd: false },
    NEW_YORK,
    ZoneName { tz: "PST8PDT,M3.2.0,M11.1.0", zone: Tz::America__Los_Angeles, odd: false },
    ZoneName { tz: "CET-1CEST,M3.5.0,M10.5.0/3", zone: Tz::Europe__Berlin, odd: false },
    ZoneName { tz: "GMT0BST,M3.5.0/1,M10.5.0", zone: Tz::Europe__London, odd: false },
    ZoneName { tz: "AEST-10AEDT,M10.1.0,M4.1.0/3", zone: Tz::Australia__Sydney, odd: false },
    ZoneName { tz: "<+0545>-5:45", zone: Tz::Asia__Kathmandu, odd: false },
    LORD_HOWE,
    DUBLIN,
];

#[derive(Clone, Debug)]
struct ByClock {
    when: &'static str,
    interval: u32,
    at_time: Option<String>,
    utc: bool,
    zone: ZoneName,
    backup_count: u64,
    before: Vec<Action>,
    start: f64,
    steps: Vec<(Step, f64)>,
}

#[derive(Clone, Debug)]
enum Step {
    Line(String),
    /// What the pump does when a deadline has come.
    Tick,
    Reopen,
}

fn step_of(line: &str) -> Step {
    Step::Line(line.to_owned())
}

impl ByClock {
    fn new(when: &'static str, zone: ZoneName, start: &str, steps: &[(Step, &str)]) -> Self {
        let steps = steps.iter().map(|(step, at)| (step.clone(), seconds(at))).collect();
        let (start, before) = (seconds(start), Vec::new());
        Self { when, interval: 1, at_time: None, utc: false, zone, backup_count: 0, before, start, steps }
    }

    fn python(&self, python: &mut Python, folder: &Path, adjusted: bool) -> Answer {
        let step = |(step, at): &(Step, f64)| match step {
            Step::Line(line) => json!(["line", at, line]),
            Step::Tick => json!(["tick", at]),
            Step::Reopen => json!(["reopen", at]),
        };
        python.run(&json!({
            "kind": "time",
            "folder": folder,
            "when": self.when,
            "interval": self.interval,
            "at_time": self.at_time,
            "utc": self.utc,
            "tz": self.zone.tz,
            "odd_zone": self.zone.odd,
            "backup_count": self.backup_count,
            "before": self.before.iter().map(Action::json).collect::<Vec<_>>(),
            "start": self.start,
            "adjusted": adjusted,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
        }))
    }

    fn loghand(&self, folder: &Path) {
        self.before.iter().for_each(|action| action.perform(folder));
        let clock = Clock::manual(instant(self.start));
        let mut handler = self.open(folder, &clock);
        self.settle(folder);
        let mut written = None;
        for (step, at) in &self.steps {
            clock.set(instant(*at));
            match step {
                Step::Line(line) => {
                    handler.emit(&Batch::plain(format!("{line}\n").as_bytes())).unwrap();
                    written = Some(*at);
                }
                Step::Tick => handler.tick().unwrap(),
                Step::Reopen => {
                    handler.close().unwrap();
                    if let Some(written) = written {
                        touch(&folder.join("app.log"), written);
                    }
                    handler = self.open(folder, &clock);
                }
            }
            self.settle(folder);
        }
        handler.close().unwrap();
    }

    fn when(&self) -> When {
        let zone = if self.utc { Zone::utc() } else { Zone::of(self.zone.zone) };
        let at_time = self.at_time.as_ref().map(|text| parse_at_time(text).unwrap());
        When::new(self.when.parse().unwrap(), NonZeroU32::new(self.interval).unwrap(), at_time, zone)
    }

    fn open(&self, folder: &Path, clock: &Clock) -> Box<dyn Handler> {
        let path = folder.join("app.log");
        let when = self.when();
        let zone = if self.utc { Zone::utc() } else { Zone::of(self.zone.zone) };
        let naming = Naming::new(&path, "{base}.{time}", when.suffix()).unwrap();
        let rules = Rules {
            size: SizeRule { max_bytes: 0 },
            time: Some(TimeRule::new(when, clock.now())),
            mover: Mover::Rename,
            link: None,
            duties: Duties {
                layout: Layout::Renamed(naming),
                retention: Retention { count: self.backup_count, max_age: None },
                compress: None,
                delay_compress: false,
                after_rotate: None,
                budget: Budget::new(None),
                progress: Progress::hidden(),
            },
        };
        let context = Context {
            in_turns: false,
            clock: clock.clone(),
            zone,
            report: Report::new(Verbosity::Quiet),
            stop: Stop::never(),
            waker: Waker::new(|| ()),
        };
        Box::new(
            BaseRotatingHandler::open(path, rules, FileOptions { mend: true, ..FileOptions::default() }, context)
                .unwrap(),
        )
    }

    /// Archives are deleted behind the writer's back, and what is still there decides which names are taken: waits
    /// until no more are left than shall be.
    fn settle(&self, folder: &Path) {
        let width = chrono::DateTime::UNIX_EPOCH.format(self.when().suffix()).to_string().len();
        let is_archive = |name: &str| {
            let Some((date, rest)) = name.strip_prefix("app.log.").and_then(|name| name.split_at_checked(width)) else {
                return false;
            };
            let numbered =
                rest.strip_prefix('.').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            date[..10].parse::<chrono::NaiveDate>().is_ok() && (rest.is_empty() || numbered)
        };
        if self.backup_count == 0 {
            return;
        }
        let give_up = Instant::now() + Duration::from_secs(20);
        loop {
            let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let count = names.filter(|name| is_archive(name)).count() as u64;
            if self.backup_count == 0 || count <= self.backup_count {
                break;
            }
            assert!(Instant::now() < give_up, "{count} archives are never deleted: {:?}", listing(folder));
            std::thread::yield_now();
        }
    }

    fn both(&self, python: &mut Python) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let folders = Folders::new();
        self.python(python, &folders.python, false);
        self.loghand(&folders.loghand);
        folders.listings()
    }
}

fn seconds(at: &str) -> f64 {
    at.parse::<DateTime<Utc>>().unwrap().timestamp_millis() as f64 / 1e3
}

fn instant(seconds: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis((seconds * 1e3) as i64).unwrap()
}

/// Instants from 2009 to 2025, many of them near a night in which clocks change.
fn starts() -> impl Strategy<Value = f64> {
    let nights = prop::sample::select(vec![
        "2012-03-11T07:00:00Z",
        "2012-11-04T06:00:00Z",
        "2013-03-10T10:00:00Z",
        "2013-11-03T09:00:00Z",
        "2019-03-31T01:00:00Z",
        "2019-10-27T01:00:00Z",
        "2021-04-03T15:00:00Z",
        "2021-10-02T16:00:00Z",
    ]);
    let quarters = |range: std::ops::Range<i64>| range.prop_map(|quarters| quarters as f64 / 4.0);
    prop_oneof![
        2 => quarters(1_230_768_000 * 4..1_735_000_000 * 4),
        2 => (nights.clone(), quarters(-4 * 86_400 * 4..86_400 * 4)).prop_map(|(night, apart)| seconds(night) + apart),
        1 => (nights, quarters(-4 * 7_200 * 4..7_200 * 4)).prop_map(|(night, apart)| seconds(night) + apart),
    ]
}

fn by_clock() -> impl Strategy<Value = ByClock> {
    let when = prop::sample::select(vec!["S", "M", "H", "D", "midnight", "midnight", "W0", "W3", "W6"]);
    let interval = prop_oneof![3 => Just(1u32), 2 => 2u32..5];
    let minutes = prop_oneof![Just(0u32), Just(60), Just(90), Just(120), Just(150), Just(180), 0u32..1_440];
    let backup_count = prop_oneof![2 => Just(0u64), 3 => 1u64..5];
    let ahead = prop_oneof![5 => 0u32..400, 3 => 900u32..1_300, 1 => 1_000u32..6_000];
    // Thousandths of a period; now and then the clock is set back.
    let leap = (ahead, prop::bool::weighted(0.2));
    let kind = prop_oneof![8 => Just("line"), 2 => Just("tick"), 1 => Just("reopen")];
    let steps = prop::collection::vec((kind, leap), 1..25);
    // Most scenarios have no ticks and a clock that never goes back: those are to be Python's to the byte.
    let steps = (steps, prop::bool::weighted(0.25), prop::bool::weighted(0.15));
    // The log of an earlier run: its length, and how many thousandths of a period ago it was written.
    let log = prop::option::weighted(
        0.8,
        (prop_oneof![9 => 1usize..40, 1 => Just(0)], prop::bool::weighted(0.9), 0i64..2_500),
    );
    let archives = prop::collection::btree_set(1i64..8, 0..4);
    let schedule = (when, interval, prop::option::weighted(0.5, minutes), prop::bool::weighted(0.2));
    (schedule, prop::sample::select(ZONES.to_vec()), backup_count, starts(), steps, log, archives).prop_map(
        |((when, interval, minutes, utc), zone, backup_count, start, (steps, ticks, turns_back), log, archives)| {
            let unit = match when {
                "S" => 1,
                "M" => 60,
                "H" => 3_600,
                "D" | "midnight" => 86_400,
                _ => 7 * 86_400,
            };
            // In quarters of a second, which both hold exactly.
            let thousandths = |count: i64| (count * unit * i64::from(interval) * 4 / 1_000) as f64 / 4.0;
            let at_time = minutes.map(|minutes| format!("{:02}:{:02}:00", minutes / 60, minutes % 60));
            let mut scenario = ByClock {
                when,
                interval,
                at_time,
                utc,
                zone,
                backup_count,
                before: Vec::new(),
                start,
                steps: Vec::new(),
            };
            if let Some((length, ended, ago)) = log {
                let end = if ended && length > 0 { "\n" } else { "" };
                let content = format!("{}{end}", text(900, length));
                scenario.before.push(Action::WriteAt("app.log".into(), content, start - thousandths(ago)));
            }
            for periods in archives {
                let begun = instant(start) - TimeDelta::seconds(periods * unit * i64::from(interval));
                let name = format!("app.log.{}", begun.format(scenario.when().suffix()));
                scenario.before.push(Action::Write(name, format!("old {periods}\n")));
            }
            for name in ["app.log.bak", "app.log.1", "other.log.2012-01-01", "app.log.2012-01-01x"] {
                scenario.before.push(Action::write(name, "not ours\n"));
            }
            let mut at = start;
            for (serial, (kind, (leap, back))) in steps.into_iter().enumerate() {
                at += thousandths(if back && turns_back { -i64::from(leap) } else { i64::from(leap) });
                let step = match kind {
                    "line" => Step::Line(text(serial, serial % 5)),
                    "tick" if !ticks => continue,
                    "tick" => Step::Tick,
                    _ => Step::Reopen,
                };
                scenario.steps.push((step, at));
            }
            scenario
        },
    )
}

#[test]
fn by_the_clock_the_files_are_those_of_python() {
    let _alone = alone();
    let python = RefCell::new(Python::start());
    if !python.borrow().speaks_of_time() {
        return;
    }
    let tally = Tally::default();
    random::check(600, &by_clock(), |scenario| {
        let folders = Folders::new();
        let answer = scenario.python(&mut python.borrow_mut(), &folders.python, true);
        scenario.loghand(&folders.loghand);
        let (python, loghand) = folders.listings();
        prop_assert_eq!(python, loghand, "Python is left, loghand right; differences met: {:?}", answer.hits);
        tally.count(&answer.hits);
        Ok(())
    });
    tally.say();
    assert!(tally.plain.get() * 10 > tally.scenarios.get() * 3, "most scenarios are to be without differences");
}

const UTC: ZoneName = ZONES[0];

fn an_empty_file_is_not_rolled(python: &mut Python) {
    let line = (step_of("a"), "2020-01-01T02:00:00Z");
    let (theirs, ours) = ByClock::new("H", UTC, "2020-01-01T00:30:00Z", &[line]).both(python);
    assert_eq!(theirs, files([("app.log", "a\n"), ("app.log.2020-01-01_00", "")]));
    assert_eq!(ours, files([("app.log", "a\n")]));
}

fn the_roll_is_on_time(python: &mut Python) {
    let scenario = ByClock::new("midnight", UTC, "2020-01-01T12:00:00Z", &[(step_of("a"), "2020-01-01T13:00:00Z")]);
    let folders = Folders::new();
    scenario.python(python, &folders.python, false);
    let clock = Clock::manual(instant(scenario.start));
    let mut handler = scenario.open(&folders.loghand, &clock);
    assert!(handler.deadline().is_none(), "nothing is due while the file is empty");
    clock.set(instant(scenario.steps[0].1));
    handler.emit(&Batch::plain(b"a\n")).unwrap();
    let due = handler.deadline().unwrap().duration_since(Instant::now());
    assert!(due > Duration::from_secs(11 * 3_600 - 60) && due <= Duration::from_secs(11 * 3_600), "{due:?}");
    clock.set(instant(seconds("2020-01-02T00:00:00Z")));
    handler.tick().unwrap();
    handler.close().unwrap();
    let (theirs, ours) = folders.listings();
    assert_eq!(theirs, files([("app.log", "a\n")]));
    assert_eq!(ours, files([("app.log", ""), ("app.log.2020-01-01", "a\n")]));
}

fn a_period_begins_with_the_file(python: &mut Python) {
    // Files are born now, whatever the clock of a test says, so this one looks ahead.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64().floor();
    let folders = Folders::new();
    let born = tempfile::NamedTempFile::new_in(&folders.loghand).unwrap();
    if born.as_file().metadata().unwrap().created().is_err() {
        println!("skipped: files here do not know when they were made");
        return;
    }
    drop(born);
    let mut scenario = ByClock::new("H", UTC, "2020-01-01T00:00:00Z", &[]);
    scenario.before = vec![Action::WriteAt("app.log".into(), "a\n".into(), now + 3_000.0)];
    scenario.start = now + 3_100.0;
    scenario.steps = vec![(step_of("b"), now + 3_700.0)];
    scenario.python(python, &folders.python, false);
    scenario.loghand(&folders.loghand);
    let (theirs, ours) = folders.listings();
    assert_eq!(theirs, files([("app.log", "a\nb\n")]));
    assert_eq!((ours.len(), &*ours["app.log"]), (2, "b\n"));
}

fn a_taken_name_is_numbered(python: &mut Python) {
    let steps = [(step_of("a"), "2020-01-01T13:00:00Z"), (step_of("b"), "2020-01-02T13:00:00Z")];
    let mut scenario = ByClock::new("midnight", UTC, "2020-01-01T12:00:00Z", &steps);
    scenario.before = vec![Action::write("app.log.2020-01-01", "mine\n")];
    let (theirs, ours) = scenario.both(python);
    assert_eq!(theirs, files([("app.log", "a\nb\n"), ("app.log.2020-01-01", "mine\n")]));
    assert_eq!(ours, files([("app.log", "b\n"), ("app.log.2020-01-01", "mine\n"), ("app.log.2020-01-01.1", "a\n")]));
}

fn archives_bear_the_true_start(python: &mut Python) {
    // Begun on the 29th of October by the wall, rolled over when winter time has come.
    let steps = [(step_of("a"), "2012-10-29T12:00:00Z"), (step_of("b"), "2012-11-12T12:00:00Z")];
    let (theirs, ours) = ByClock::new("midnight", NEW_YORK, "2012-10-29T11:00:00Z", &steps).both(python);
    assert_eq!(theirs, files([("app.log", "b\n"), ("app.log.2012-10-28", "a\n")]));
    assert_eq!(ours, files([("app.log", "b\n"), ("app.log.2012-10-29", "a\n")]));
}

fn the_rules_of_the_zone_count(python: &mut Python) {
    // 23:45 on the 5th of October 2025 in summer time, which began that night with half an hour.
    let steps = [
        (step_of("a"), "2025-10-04T14:00:00Z"),
        (step_of("b"), "2025-10-05T12:45:00Z"),
        (step_of("c"), "2025-10-05T13:15:00Z"),
    ];
    let (theirs, ours) = ByClock::new("midnight", LORD_HOWE, "2025-10-04T13:31:00Z", &steps).both(python);
    assert_eq!(theirs, files([("app.log", "b\nc\n"), ("app.log.2025-10-05", "a\n")]));
    assert_eq!(ours, files([("app.log", "c\n"), ("app.log.2025-10-05", "a\nb\n")]));
}

fn a_clock_set_back_begins_anew(python: &mut Python) {
    let steps = [
        (step_of("a"), "2030-06-01T13:00:00Z"),
        (step_of("b"), "2020-01-01T13:00:00Z"),
        (step_of("c"), "2020-01-02T13:00:00Z"),
    ];
    let (theirs, ours) = ByClock::new("midnight", UTC, "2030-06-01T12:00:00Z", &steps).both(python);
    assert_eq!(theirs, files([("app.log", "a\nb\nc\n")]));
    assert_eq!(ours, files([("app.log", "c\n"), ("app.log.2020-01-01", "a\nb\n")]));
}

fn what_is_no_date_is_no_archive(python: &mut Python) {
    let steps = [(step_of("a"), "2020-01-01T13:00:00Z"), (step_of("b"), "2020-01-02T13:00:00Z")];
    let mut scenario = ByClock::new("midnight", UTC, "2020-01-01T12:00:00Z", &steps);
    scenario.backup_count = 1;
    scenario.before = vec![Action::write("app.log.2019-02-30", "mine\n")];
    let (theirs, ours) = scenario.both(python);
    assert_eq!(theirs, files([("app.log", "b\n"), ("app.log.2020-01-01", "a\n")]));
    assert_eq!(ours, files([("app.log", "b\n"), ("app.log.2019-02-30", "mine\n"), ("app.log.2020-01-01", "a\n")]));
}

// What CPython's own tests say of the handlers (test_logging.py), where no interpreter is needed to say it again

/// Runs a scenario in a folder of its own and gives the files afterwards.
fn after(scenario: &ByClock) -> BTreeMap<String, String> {
    let folders = Folders::new();
    scenario.loghand(&folders.loghand);
    listing(&folders.loghand)
}

#[test]
fn test_rollover_at_midnight_and_at_weekday() {
    let _alone = alone();
    // Friday the 3rd of January 2020 at noon; the file was last written so many days ago.
    for (when, days_ago, archive) in [
        ("midnight", 0, None),
        ("midnight", 1, Some("app.log.2020-01-02")),
        ("midnight", 2, Some("app.log.2020-01-01")),
        // Fridays end at midnight, so the week of a file from Friday ends on that day, any other a week later.
        ("W4", 0, None),
        ("W4", 6, None),
        ("W4", 7, Some("app.log.2019-12-21")),
        ("W4", 14, Some("app.log.2019-12-14")),
    ] {
        let at = ["2020-01-03T12:00:00Z", "2020-01-03T12:00:01Z"];
        let mut scenario = ByClock::new(when, UTC, at[0], &[(step_of("new1"), at[0]), (step_of("new2"), at[1])]);
        let written = scenario.start - f64::from(days_ago) * 86_400.0;
        scenario.before = vec![Action::WriteAt("app.log".into(), "old\n".into(), written)];
        let expected = match archive {
            None => files([("app.log", "old\nnew1\nnew2\n")]),
            Some(archive) => files([("app.log", "new1\nnew2\n"), (archive, "old\n")]),
        };
        assert_eq!(after(&scenario), expected, "{when}, {days_ago} days ago");
    }
}

#[test]
fn test_compute_files_to_delete() {
    let _alone = alone();
    // Ten archives each of five logs side by side: of the own log the three oldest go, and of no other any.
    let archives = |prefix: &str, suffix: &str| -> Vec<String> {
        (0..10).map(|hour| format!("{prefix}2016-10-05_{hour:02}{suffix}")).collect()
    };
    let others = [
        archives("a.b.", ""),
        archives("a.b.c.", ""),
        archives("d.e.", ".log"),
        archives("d.e.f.", ".log"),
        archives("g", ".oldlog"),
    ];
    let mut scenario = ByClock::new("H", UTC, "2016-10-05T12:00:00Z", &[]);
    scenario.backup_count = 7;
    let others: Vec<String> = others.concat();
    for name in archives("app.log.", "").iter().chain(&others) {
        scenario.before.push(Action::write(name, "x\n"));
    }
    let kept: BTreeSet<String> = after(&scenario).into_keys().collect();
    let own = archives("app.log.", "").split_off(3);
    assert_eq!(kept, own.into_iter().chain(others).chain(["app.log".to_owned()]).collect());
}

#[test]
fn test_compute_files_to_delete_same_filename_different_extensions() {
    let _alone = alone();
    // Beside the log app.log lies the log app.log.b with its own archives.
    let mut scenario = ByClock::new("D", UTC, "2016-10-15T12:00:00Z", &[]);
    scenario.backup_count = 1;
    let days = 1..=9;
    let others = days.clone().flat_map(|day| {
        [format!("app.log.b.2016-10-{day:02}"), format!("app.log.2016-10-{day:02}.c"), format!("app.2016-10-{day:02}")]
    });
    let others: Vec<String> = others.collect();
    let own = days.map(|day| format!("app.log.2016-10-{day:02}"));
    for name in own.chain(others.clone()) {
        scenario.before.push(Action::Write(name, "x\n".into()));
    }
    let kept: BTreeSet<String> = after(&scenario).into_keys().collect();
    let expected = others.into_iter().chain(["app.log".to_owned(), "app.log.2016-10-09".to_owned()]);
    assert_eq!(kept, expected.collect());
}

#[test]
fn test_should_rollover_and_max_bytes() {
    let _alone = alone();
    let run = |scenario: &BySize| {
        let folders = Folders::new();
        assert_eq!(scenario.loghand(&folders.loghand), [0]);
        listing(&folders.loghand)
    };
    let long = "x".repeat(200);
    let long_line = format!("{long}\n");
    for (limit, lines, expected) in [
        // An empty file never rolls, even with a limit of one.
        (1, vec!["message"], files([("app.log", "message\n")])),
        (0, vec!["message", &*long], files([("app.log", &*format!("message\n{long_line}"))])),
        (1, vec!["", "m"], files([("app.log", "m\n"), ("app.log.1", "\n")])),
        (100, vec!["small"], files([("app.log", "small\n")])),
        (100, vec![&*long], files([("app.log", &*long_line)])),
        (100, vec!["small", &*long], files([("app.log", &*long_line), ("app.log.1", "small\n")])),
        // With two archives a third never appears.
        (2, vec!["1", "2", "3", "4"], files([("app.log", "4\n"), ("app.log.1", "3\n"), ("app.log.2", "2\n")])),
    ] {
        assert_eq!(run(&BySize::new(limit, 2, &lines)), expected, "{limit} {lines:?}");
    }
}
