//! A strict stage for the real binary: every call runs in a folder of its own, and stdout, stderr, exit code and the
//! whole folder afterwards are compared. What a test does not mention must be empty.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// Longer than anything takes on a machine that is busy with other things; nothing depends on its length.
const DEADLINE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(5);

pub const LOGHAND: &str = env!("CARGO_BIN_EXE_loghand");

/// Waits until `reached` says so: the one place in which a test waits for something that it cannot be told of.
#[track_caller]
pub fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !reached() {
        assert!(Instant::now() < end, "never came: {what}");
        thread::sleep(GLANCE);
    }
}

/// 2024-03-10 15:30:45 UTC, a Sunday: the past in which files were written.
pub fn the_past() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_710_084_645)
}

/// A folder, and what lies in it.
pub struct World {
    _folder: TempDir,
    root: PathBuf,
}

impl World {
    pub fn new() -> Self {
        static INT: Once = Once::new();
        // Tests in the background of a script are started with INT ignored, and so would everything be that they start;
        // what is caught here, and does what it did before, is not ignored there.
        INT.call_once(|| {
            let as_before = Arc::new(AtomicBool::new(true));
            signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, as_before).unwrap();
        });
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        Self { _folder: folder, root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file, and the folders that it needs.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes a file that was last written at `time`.
    pub fn put_at(&self, name: &str, content: impl AsRef<[u8]>, time: SystemTime) -> &Self {
        self.put(name, content);
        File::options().write(true).open(self.path(name)).unwrap().set_modified(time).unwrap();
        self
    }

    pub fn append(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        File::options().append(true).create(true).open(self.path(name)).unwrap().write_all(text.as_ref()).unwrap();
        self
    }

    pub fn folder(&self, name: &str) -> &Self {
        fs::create_dir_all(self.path(name)).unwrap();
        self
    }

    pub fn symlink(&self, name: &str, target: &str) -> &Self {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
        self
    }

    pub fn fifo(&self, name: &str) -> &Self {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
        self
    }

    pub fn chmod(&self, name: &str, mode: u32) -> &Self {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    pub fn modified(&self, name: &str) -> SystemTime {
        fs::metadata(self.path(name)).unwrap().modified().unwrap()
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path(name)).is_ok()
    }

    /// Waits until the file holds exactly this.
    #[track_caller]
    pub fn until_holds(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        until(&format!("{:?} in {name}", String::from_utf8_lossy(content.as_ref())), || {
            fs::read(&path).is_ok_and(|found| found == content.as_ref())
        });
    }

    /// All names in the folder, with `ls -F`'s marks.
    pub fn names(&self) -> Vec<String> {
        self.contents().into_keys().collect()
    }

    /// A call of loghand: words that hold no blank; [`Call::arg`] takes any other.
    pub fn loghand(&self, words: &str) -> Call<'_> {
        let mut call = self.call(LOGHAND);
        call.command.args(words.split_whitespace());
        call
    }

    /// A shell script in which `loghand` is found by its name.
    pub fn shell(&self, script: &str) -> Call<'_> {
        let mut call = self.call("sh");
        call.command.arg("-c").arg(script);
        call
    }

    fn call(&self, program: &str) -> Call<'_> {
        let mut command = Command::new(program);
        let tools = std::env::var("PATH").unwrap_or_default();
        let own = Path::new(LOGHAND).parent().unwrap().display();
        command.env_clear().env("PATH", format!("{own}:{tools}")).env("TZ", "UTC").current_dir(&self.root);
        // A group of its own: a signal to all of a pipeline reaches nobody else.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Call { world: self, command, stdin: Vec::new(), expected: Expected::default() }
    }

    /// Everything in the folder: folders only if they are empty, with `ls -F`'s marks behind what is no plain file, and
    /// `.gz` unpacked.
    fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let mut contents = BTreeMap::new();
        self.gather(&self.root, &mut contents);
        contents
    }

    fn gather(&self, folder: &Path, contents: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let name = path.strip_prefix(&self.root).unwrap().display().to_string();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                let before = contents.len();
                self.gather(&path, contents);
                if contents.len() == before {
                    contents.insert(format!("{name}/"), Vec::new());
                }
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap().display().to_string();
                contents.insert(format!("{name}@"), self.shortened(&target).into_bytes());
            } else if kind.is_fifo() {
                contents.insert(format!("{name}|"), Vec::new());
            } else if name.ends_with(".gz") {
                contents.insert(name, unpack(&path));
            } else {
                contents.insert(name, fs::read(&path).unwrap());
            }
        }
    }

    /// The folder's own path is written `{dir}`.
    fn shortened(&self, text: &str) -> String {
        text.replace(&self.root.display().to_string(), "{dir}")
    }
}

/// A member of a gzip file.
pub fn packed(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn unpack(path: &Path) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let packed = File::open(path).unwrap();
    let outcome = flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut unpacked);
    assert!(outcome.is_ok(), "{} is no whole gzip file", path.display());
    unpacked
}

enum Text {
    Exactly(Vec<u8>),
    /// For texts that are partly somebody else's (clap's).
    Has(Vec<String>),
}

struct Expected {
    stdout: Text,
    stderr: Text,
    code: i32,
}

impl Default for Expected {
    fn default() -> Self {
        Self { stdout: Text::Exactly(Vec::new()), stderr: Text::Exactly(Vec::new()), code: 0 }
    }
}

impl Text {
    #[track_caller]
    fn compare(&self, what: &str, found: &[u8]) {
        match self {
            Self::Exactly(text) if text == found => {}
            Self::Exactly(text) => panic!("{what} is\n{}\nand should be\n{}", shown(found), shown(text)),
            Self::Has(parts) => {
                // Wrapped for the terminal's width, which is not what is tested.
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                let found = words(&String::from_utf8_lossy(found));
                for part in parts {
                    assert!(found.contains(&words(part)), "{what} lacks {part:?}:\n{found}");
                }
            }
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 3000;
    match bytes.len() {
        0..=MOST => format!("{:?}", String::from_utf8_lossy(bytes)),
        len => format!("{:?}... ({len} bytes)", String::from_utf8_lossy(&bytes[..MOST])),
    }
}

/// A call that is not made yet, and what must come of it.
#[must_use = "a call is made by leaves(), leaves_nothing() or start()"]
pub struct Call<'w> {
    world: &'w World,
    command: Command,
    stdin: Vec<u8>,
    expected: Expected,
}

impl<'w> Call<'w> {
    pub fn arg(mut self, word: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().to_vec();
        self
    }

    /// Reads something else than a pipe from the test.
    pub fn stdin_from(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Writes to something that the test reads itself, or does not.
    pub fn stdout_to(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    pub fn stdout(mut self, text: impl AsRef<[u8]>) -> Self {
        self.expected.stdout = Text::Exactly(text.as_ref().to_vec());
        self
    }

    pub fn stdout_has<S: Into<String>>(mut self, parts: impl IntoIterator<Item = S>) -> Self {
        self.expected.stdout = Text::Has(parts.into_iter().map(Into::into).collect());
        self
    }

    /// One message without its `loghand: `.
    pub fn says(self, message: &str) -> Self {
        self.stderr(format!("loghand: {message}\n"))
    }

    pub fn stderr(mut self, text: impl AsRef<[u8]>) -> Self {
        self.expected.stderr = Text::Exactly(text.as_ref().to_vec());
        self
    }

    pub fn stderr_has<S: Into<String>>(mut self, parts: impl IntoIterator<Item = S>) -> Self {
        self.expected.stderr = Text::Has(parts.into_iter().map(Into::into).collect());
        self
    }

    pub fn code(mut self, code: i32) -> Self {
        self.expected.code = code;
        self
    }

    /// Makes the call; afterwards the folder holds these files and no others. A `#` in a name is any digit.
    #[track_caller]
    pub fn leaves<N: AsRef<str>, C: AsRef<[u8]>>(mut self, files: impl IntoIterator<Item = (N, C)>) {
        let input = std::mem::take(&mut self.stdin);
        let mut running = self.start();
        if let Some(mut stdin) = running.stdin.take() {
            // Whoever leaves early breaks the pipe, which is for the exit code to judge.
            running.writers.push(thread::spawn(move || drop(stdin.write_all(&input))));
        }
        running.leaves(files);
    }

    #[track_caller]
    pub fn leaves_nothing(self) {
        self.leaves::<&str, &str>([]);
    }

    /// Makes the call and goes on while it runs.
    pub fn start(mut self) -> Running<'w> {
        let mut child = self.command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = Stream::read(child.stdout.take());
        let stderr = Stream::read(child.stderr.take());
        let Self { world, expected, .. } = self;
        Running { world, child, stdin, stdout, stderr, expected, writers: Vec::new(), status: None }
    }
}

/// What a process has written so far.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(source: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let reader = source.map(|mut source| {
            let text = Arc::clone(&text);
            thread::spawn(move || {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = source.read(&mut buffer) {
                    text.lock().unwrap().extend_from_slice(&buffer[..length]);
                }
            })
        });
        Self { text, reader }
    }

    fn so_far(&self) -> Vec<u8> {
        self.text.lock().unwrap().clone()
    }

    fn read_to_end(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// A process that the test talks to.
#[must_use = "how it ends is to be compared by leaves()"]
pub struct Running<'w> {
    world: &'w World,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
    expected: Expected,
    writers: Vec<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

impl Running<'_> {
    /// Writes to its stdin.
    pub fn hears(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.stdin.as_mut().unwrap().write_all(text.as_ref()).unwrap();
        self
    }

    /// Writes all of its stdin, and ends it.
    pub fn feed(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.hears(text);
        drop(self.stdin.take());
        self
    }

    /// For a test that writes more than a pipe holds.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().unwrap()
    }

    /// Waits until the file holds exactly this.
    #[track_caller]
    pub fn wrote(&mut self, name: &str, content: impl AsRef<[u8]>) -> &mut Self {
        self.world.until_holds(name, content);
        self
    }

    #[track_caller]
    pub fn until_stdout(&mut self, text: &str) -> &mut Self {
        let stream = &self.stdout;
        let end = Instant::now() + DEADLINE;
        while stream.so_far() != text.as_bytes() {
            let so_far = || String::from_utf8_lossy(&stream.so_far()).into_owned();
            assert!(Instant::now() < end, "never came: {text:?} on stdout, but {:?}", so_far());
            thread::sleep(GLANCE);
        }
        self
    }

    pub fn has_said(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.stderr.so_far()).contains(text)
    }

    #[track_caller]
    pub fn until_stderr_has(&mut self, text: &str) -> &mut Self {
        let stream = &self.stderr;
        until(&format!("{text:?} on stderr"), || String::from_utf8_lossy(&stream.so_far()).contains(text));
        self
    }

    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        kill_process(self.pid(), signal).unwrap();
        self
    }

    /// As a terminal does: to the whole pipeline.
    pub fn signal_all(&mut self, signal: Signal) -> &mut Self {
        kill_process_group(self.pid(), signal).unwrap();
        self
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it waits for its input, where the system tells.
    #[track_caller]
    pub fn until_it_sleeps(&mut self) -> &mut Self {
        let stat = format!("/proc/{}/stat", self.child.id());
        until("its sleep", || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") S ")));
        self
    }

    /// Sends the signal again and again until it leaves.
    #[track_caller]
    pub fn signal_until_it_leaves(&mut self, signal: Signal) -> &mut Self {
        let pid = self.pid();
        until("its end", || {
            self.status = self.child.try_wait().unwrap();
            if self.status.is_none() {
                kill_process(pid, signal).unwrap();
            }
            self.status.is_some()
        });
        self
    }

    /// Waits for its end while its stdin stays open.
    #[track_caller]
    pub fn until_it_leaves(&mut self) -> &mut Self {
        until("its end", || {
            if self.status.is_none() {
                self.status = self.child.try_wait().unwrap();
            }
            self.status.is_some()
        });
        self
    }

    /// Ends its stdin, waits for its end and compares everything. See [`Call::leaves`].
    #[track_caller]
    pub fn leaves<N: AsRef<str>, C: AsRef<[u8]>>(&mut self, files: impl IntoIterator<Item = (N, C)>) {
        drop(self.stdin.take());
        self.until_it_leaves();
        for writer in self.writers.drain(..) {
            writer.join().unwrap();
        }
        let (stdout, stderr) = (self.stdout.read_to_end(), self.stderr.read_to_end());
        let stderr = self.world.shortened(&String::from_utf8_lossy(&stderr));
        self.expected.stderr.compare("stderr", stderr.as_bytes());
        self.expected.stdout.compare("stdout", &stdout);
        let status = self.status.unwrap();
        assert_eq!(status.code(), Some(self.expected.code), "exit: {status}; stderr: {stderr}");
        compare_folders(self.world.contents(), files);
    }

    #[track_caller]
    pub fn leaves_nothing(&mut self) {
        self.leaves::<&str, &str>([]);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.status.is_none() && self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

#[track_caller]
fn compare_folders<N: AsRef<str>, C: AsRef<[u8]>>(
    mut found: BTreeMap<String, Vec<u8>>,
    files: impl IntoIterator<Item = (N, C)>,
) {
    let all: Vec<String> = found.keys().cloned().collect();
    for (name, content) in files {
        let name = name.as_ref();
        let key = found.keys().find(|key| could_be(name, key)).cloned();
        let Some(key) = key else { panic!("there is no {name}, only {all:?}") };
        let content = content.as_ref();
        let is = found.remove(&key).unwrap();
        assert!(is == content, "{key} holds\n{}\nand should hold\n{}", shown(&is), shown(content));
    }
    assert!(found.is_empty(), "nobody mentioned {:?} among {all:?}", found.keys());
}

fn could_be(pattern: &str, name: &str) -> bool {
    let same = |(p, n): (u8, u8)| if p == b'#' { n.is_ascii_digit() } else { p == n };
    pattern.len() == name.len() && pattern.bytes().zip(name.bytes()).all(same)
}
