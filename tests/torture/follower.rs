//! A run of `loghand tee --follow` whose lines a test waits for, and programs whose logs it reads.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use crate::harness::{Place, Random, Run, each_line, push_line, read_line, wait_until};

/// Follows into a file, in one run or several.
pub struct Follower<'a> {
    place: &'a Place,
    words: String,
    pub out: PathBuf,
    pub run: Run,
}

impl<'a> Follower<'a> {
    /// `words` are the flags of `tee` beside `--follow`; `FILE` is the log.
    pub fn start(place: &'a Place, words: &str) -> Self {
        let words = format!("tee --follow {words}");
        Self::of(place, place.loghand(&words), words)
    }

    /// The same behind another program, as in `prlimit … loghand …`.
    pub fn start_under(place: &'a Place, before: &[&str], words: &str) -> Self {
        let words = format!("tee --follow {words}");
        Self::of(place, place.loghand_under(before, &words), words)
    }

    fn of(place: &'a Place, command: Command, words: String) -> Self {
        let out = place.aside("out");
        Self { place, words, run: run_into(command, &out), out }
    }

    /// Once more, after it was stopped.
    pub fn start_again(&mut self) {
        self.run = run_into(self.place.loghand(&self.words), &self.out);
    }

    /// TERM; all must have gone well without a word.
    pub fn stop(&mut self) {
        wait_until("it can be told to stop", || self.catches_term());
        self.run.signal(Signal::SIGTERM);
        self.run.wait().assert_quiet_success();
    }

    /// How many bytes have come.
    pub fn len(&self) -> u64 {
        fs::metadata(&self.out).map_or(0, |metadata| metadata.len())
    }

    pub fn text(&self) -> Vec<u8> {
        fs::read(&self.out).unwrap()
    }

    pub fn wait_for(&self, len: u64) {
        let begun = std::time::Instant::now();
        while self.len() < len {
            let (has, said) = (self.len(), self.run.said());
            assert!(begun.elapsed().as_secs() < 100, "{has} bytes of {len} have come, and it said:\n{said}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Waits for the end of `expected`, stops, and holds against it all that came.
    #[track_caller]
    pub fn assert_all(&mut self, expected: &[u8]) {
        self.wait_for(expected.len() as u64);
        self.stop();
        assert_same(&self.text(), expected);
    }

    /// Waits for `counts[writer]` lines of each writer: each must come once, whole, and in its order.
    #[track_caller]
    pub fn assert_each(&mut self, counts: &[u64]) {
        self.wait_for(length(counts));
        self.stop();
        assert_each(&self.text(), counts);
    }

    /// The most memory that it ever had, in bytes.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:").trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    fn catches_term(&self) -> bool {
        let caught = u64::from_str_radix(&self.status("SigCgt:"), 16).unwrap();
        caught & 1 << (Signal::SIGTERM as u64 - 1) != 0
    }

    fn status(&self, field: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.run.id())).unwrap();
        status.lines().find_map(|line| line.strip_prefix(field)).unwrap().trim().to_owned()
    }
}

fn run_into(mut command: Command, out: &Path) -> Run {
    let out = OpenOptions::new().create(true).append(true).open(out).unwrap();
    command.stdin(Stdio::null()).stdout(out);
    Run::start(command)
}

/// How many bytes so many lines of each writer are.
pub fn length(counts: &[u64]) -> u64 {
    let mut line = Vec::new();
    let mut length = 0;
    for (writer, count) in counts.iter().enumerate() {
        for seq in 0..*count {
            line.clear();
            push_line(&mut line, writer as u64, seq);
            length += line.len() as u64;
        }
    }
    length
}

#[track_caller]
pub fn assert_same(found: &[u8], expected: &[u8]) {
    if found == expected {
        return;
    }
    let at = each_line(found).zip(each_line(expected)).position(|(found, expected)| found != expected);
    let shown = |text: &[u8]| {
        let lines = each_line(text).skip(at.unwrap_or(0)).take(2).flatten().copied().collect::<Vec<_>>();
        String::from_utf8_lossy(&lines).into_owned()
    };
    let (found_len, len) = (found.len(), expected.len());
    panic!(
        "{found_len} bytes instead of {len}, line {at:?} is another\n--- expected\n{}\n--- found\n{}",
        shown(expected),
        shown(found)
    );
}

#[track_caller]
pub fn assert_each(text: &[u8], counts: &[u64]) {
    let mut next = vec![0; counts.len()];
    for line in each_line(text) {
        let Some((writer, seq)) = read_line(line) else { panic!("torn: {:?}", String::from_utf8_lossy(line)) };
        assert_eq!(seq, next[writer as usize], "writer {writer}");
        next[writer as usize] += 1;
    }
    assert_eq!(next, counts);
}

/// A program that writes its log itself, and notices when that was moved, as Python's WatchedFileHandler does.
pub struct Writer {
    path: PathBuf,
    file: File,
    random: Random,
    waiting: Vec<u8>,
    pub seq: u64,
    /// Bytes of whole lines that were written.
    pub bytes: u64,
    /// Makes a new file itself; else it waits until there is one.
    makes_files: bool,
    /// Goes on with the old file for so many lines, as one does that is told by a signal.
    holds: u64,
    held: u64,
    /// How often it opened another file, and what was written before.
    pub opened: (u64, u64),
}

impl Writer {
    pub fn new(path: &Path, makes_files: bool, holds: u64) -> Self {
        let (path, random) = (path.to_owned(), Random::seeded(holds));
        let file = open(&path, true).unwrap();
        Self { path, file, random, waiting: Vec::new(), seq: 0, bytes: 0, makes_files, holds, held: 0, opened: (0, 0) }
    }

    /// Writes up to twenty lines, sometimes in two pieces.
    pub fn write(&mut self) {
        let count = 1 + self.random.below(20);
        if !self.is_under_its_name() {
            self.held += count;
            if self.held > self.holds
                && let Ok(file) = open(&self.path, self.makes_files)
            {
                self.file = file;
                self.held = 0;
                self.opened = (self.opened.0 + 1, self.bytes);
            }
        }
        self.waiting.clear();
        (self.seq..self.seq + count).for_each(|seq| push_line(&mut self.waiting, 0, seq));
        let (front, back) = self.waiting.split_at(self.random.below(self.waiting.len() as u64) as usize);
        self.file.write_all(front).unwrap();
        self.file.write_all(back).unwrap();
        self.seq += count;
        self.bytes += self.waiting.len() as u64;
    }

    fn is_under_its_name(&self) -> bool {
        let ours = self.file.metadata().unwrap();
        fs::metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
    }
}

fn open(path: &Path, make: bool) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(make).open(path)
}

/// A program that writes to its log what it reads, and ends when that does.
pub struct Piped(Child);

impl Piped {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn finish(mut self) {
        drop(self.0.stdin.take());
        wait_until("the writer has ended", || self.0.try_wait().unwrap().is_some_and(|status| status.success()));
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
