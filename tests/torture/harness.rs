//! Starting loghand, feeding it numbered lines, and reading back what became of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Beyond every wait that goes well, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Polls until `condition` gives something; the one place that waits for others.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Whether a test must do without something: says so, or fails where it may not.
pub fn left_out(why: &str) {
    assert!(std::env::var("LOGHAND_PEERS").as_deref() != Ok("required"), "{why}");
    eprintln!("left out: {why}");
}

pub fn is_installed(tool: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
        || Path::new("/usr/sbin").join(tool).is_file()
}

/// Numbers that look random; the seed is printed, and `TORTURE_SEED` sets it.
pub struct Random(u64);

impl Random {
    pub fn new(salt: u64) -> Self {
        let seed = match std::env::var("TORTURE_SEED") {
            Ok(seed) => seed.parse().expect("TORTURE_SEED is a number"),
            Err(_) => std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64,
        };
        eprintln!("TORTURE_SEED={seed}");
        Self::seeded(seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A folder for logs, and one beside it for what must not stand among them.
pub struct Place {
    pub logs: PathBuf,
    aside: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let aside = tempfile::tempdir().unwrap();
        let logs = aside.path().join("logs");
        fs::create_dir(&logs).unwrap();
        Self { logs, aside }
    }

    pub fn log(&self) -> PathBuf {
        self.logs.join("app.log")
    }

    /// A path beside the logs.
    pub fn aside(&self, name: &str) -> PathBuf {
        self.aside.path().join(name)
    }

    /// A run of loghand with these words; `FILE` among them stands for the log.
    pub fn loghand(&self, words: &str) -> Command {
        self.command(Command::new(env!("CARGO_BIN_EXE_loghand")), words)
    }

    /// The same behind another program, as in `strace … loghand …`.
    pub fn loghand_under(&self, before: &[&str], words: &str) -> Command {
        let mut command = Command::new(before[0]);
        command.args(&before[1..]).arg(env!("CARGO_BIN_EXE_loghand"));
        self.command(command, words)
    }

    fn command(&self, mut command: Command, words: &str) -> Command {
        for word in words.split_whitespace() {
            match word {
                "FILE" => command.arg(self.log()),
                _ => command.arg(word),
            };
        }
        command.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::null());
        command
    }

    pub fn start(&self, words: &str) -> Run {
        Run::start(self.loghand(words))
    }

    /// Names in the log folder, sorted.
    pub fn names(&self) -> Vec<String> {
        names(&self.logs)
    }

    pub fn archives(&self) -> usize {
        self.names().iter().filter(|name| name.starts_with("app.log.")).count()
    }

    /// All lines of all files, from the oldest to the youngest, archives unpacked. A file that a crash left in mid-line
    /// may be rolled over as it is: its last line ends with it.
    pub fn text(&self) -> Vec<u8> {
        let mut text: Vec<u8> = Vec::new();
        for path in oldest_first(&self.logs, "app.log") {
            if text.last().is_some_and(|byte| *byte != b'\n') {
                text.push(b'\n');
            }
            text.extend(read_whole(&path));
        }
        text
    }

    pub fn assert_nothing_temporary(&self) {
        let hidden: Vec<String> = self.names().into_iter().filter(|name| name.starts_with('.')).collect();
        assert!(hidden.is_empty(), "left behind: {hidden:?} in {:?}", self.names());
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The files of one log: `app.log.2026-11-20_12-00-01.2`, `app.log.3.gz`, …, `app.log`; a plain file goes before its
/// compressed twin, which a crash may have left beside it, and the twin is left out.
pub fn oldest_first(folder: &Path, log: &str) -> Vec<PathBuf> {
    let mut archives: BTreeMap<(String, i64), PathBuf> = BTreeMap::new();
    let names = names(folder);
    for name in &names {
        let Some(rest) = name.strip_prefix(log).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let plain = rest.strip_suffix(".gz").unwrap_or(rest);
        let key = match plain.split_once('.') {
            Some((time, number)) => (time.to_owned(), number.parse().unwrap()),
            // A chain counts backwards; a time without a number comes before those with one.
            None => match plain.parse::<i64>() {
                Ok(number) => (String::new(), -number),
                Err(_) => (plain.to_owned(), 0),
            },
        };
        archives.entry(key).or_insert_with(|| folder.join(name));
    }
    let current = names.iter().any(|name| name == log).then(|| folder.join(log));
    archives.into_values().chain(current).collect()
}

/// What is in a file; a compressed one must unpack to its end.
pub fn read_whole(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let mut file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match path.extension() == Some(OsStr::new("gz")) {
        true => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut text),
        false => file.read_to_end(&mut text),
    }
    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

/// One process.
pub struct Run {
    child: Child,
    pub stdin: Option<ChildStdin>,
    stderr: PathBuf,
    _folder: TempDir,
}

pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

impl Run {
    pub fn start(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stderr = folder.path().join("stderr");
        let mut child = command.stderr(File::create(&stderr).unwrap()).spawn().unwrap();
        let stdin = child.stdin.take();
        Self { child, stdin, stderr, _folder: folder }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    pub fn wait_until_said(&self, text: &str) {
        let begun = Instant::now();
        while !self.said().contains(text) {
            assert!(begun.elapsed() < DEADLINE, "it never said {text:?}, but:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end, without ending the input.
    pub fn wait(&mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > DEADLINE => panic!("it does not end; it said:\n{}", self.said()),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        Ended { status, stderr: self.said() }
    }

    /// Ends the input and waits for its end.
    pub fn finish(&mut self) -> Ended {
        drop(self.stdin.take());
        self.wait()
    }

    /// Ends the input; all must have gone well without a word.
    pub fn finish_well(&mut self) {
        self.finish().assert_quiet_success();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Ended {
    #[track_caller]
    pub fn assert_quiet_success(&self) {
        assert_eq!(self.stderr, "");
        assert!(self.status.success(), "{}", self.status);
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) {
        assert_eq!(self.status.code(), Some(code), "{}; it said:\n{}", self.status, self.stderr);
    }

    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(Signal::SIGKILL as i32) || self.status.code() == Some(128 + 9)
    }
}

/// Line `seq` of `writer`: nothing in it is left to chance, so a torn one is known.
pub fn push_line(into: &mut Vec<u8>, writer: u64, seq: u64) {
    const PADDING: &[u8; 128] = &[b'x'; 128];
    write!(into, "{writer} {seq} ").unwrap();
    into.extend_from_slice(&PADDING[..(mix(writer << 32 | seq) % 64) as usize]);
    into.extend_from_slice(b".\n");
}

pub fn lines(writer: u64, seqs: std::ops::Range<u64>) -> Vec<u8> {
    let mut text = Vec::new();
    seqs.for_each(|seq| push_line(&mut text, writer, seq));
    text
}

/// Gives the lines to `out` in writes of all sizes, most of which end in mid-line.
pub fn feed(out: &mut impl Write, writer: u64, seqs: std::ops::Range<u64>, random: &mut Random) -> std::io::Result<()> {
    let mut waiting = Vec::new();
    let mut size = 1;
    for seq in seqs {
        push_line(&mut waiting, writer, seq);
        while waiting.len() >= size {
            out.write_all(&waiting[..size])?;
            waiting.drain(..size);
            let power = 4 + random.below(14);
            size = 1 + random.below(1 << power) as usize;
        }
    }
    out.write_all(&waiting)
}

/// What a line says it is; None for one that is torn or not ours.
pub fn read_line(line: &[u8]) -> Option<(u64, u64)> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (writer, seq) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut whole = Vec::new();
    push_line(&mut whole, writer, seq);
    (whole == line).then_some((writer, seq))
}

/// Every line with its end.
pub fn each_line(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// Each writer's lines must be there once each, whole, and in order: `counts[writer]` of them.
#[track_caller]
pub fn assert_all_lines(place: &Place, counts: &[u64]) {
    let mut next = vec![0; counts.len()];
    for path in oldest_first(&place.logs, "app.log") {
        for line in each_line(&read_whole(&path)) {
            let Some((writer, seq)) = read_line(line) else {
                panic!("{}: torn: {:?}", path.display(), String::from_utf8_lossy(line))
            };
            let expected = &mut next[writer as usize];
            assert_eq!(seq, *expected, "{}: writer {writer}", path.display());
            *expected += 1;
        }
    }
    assert_eq!(next, counts);
}
