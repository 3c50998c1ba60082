//! Who takes part, how each is called, and where its lines end up.
//!
//! Every contender runs in an empty directory of its own with the pipe on stdin. The peers' flags are those their
//! manuals give for this very job; where a peer cannot rotate it is named so, as it shows what the copy alone costs.

use std::env;
use std::path::PathBuf;

/// loghand as cargo built it for this benchmark.
pub const LOGHAND: &str = env!("CARGO_BIN_EXE_loghand");

/// The file that is read by its name, from a contender's directory.
pub const INPUT: &str = "../input.log";

/// What s6-log runs its processors with. It knows the place by heart, and without it tries for ever.
const EXECLINE: [&str; 2] = ["/usr/lib/execline/bin/execlineb", "/usr/bin/execlineb"];

/// Python's own handler, fed line by line: the parent of `rotate`.
const PYTHON: &str = "\
import logging, logging.handlers, sys
log = logging.getLogger('app')
log.propagate = False
log.setLevel(logging.INFO)
log.addHandler(logging.handlers.RotatingFileHandler(sys.argv[1], maxBytes=int(sys.argv[2]), backupCount=30))
for line in sys.stdin:
    log.info('%s', line.rstrip('\\n'))
";

/// How a contender names its files, which says how to read them back oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One file.
    Single(&'static str),
    /// `app.log` is the newest, a higher number is older, `.gz` may follow: loghand and Python.
    Numbered(&'static str),
    /// `out` is the oldest, a higher number is newer: rotatelogs -n.
    Counting(&'static str),
    /// Names of this prefix, oldest first when sorted: split.
    Sorted(&'static str),
    /// `@timestamp` files and `current` in this directory: s6-log, svlogd, multilog.
    Stamped(&'static str),
}

/// One tool with the arguments for one row.
#[derive(Clone, Debug)]
pub struct Contender {
    pub name: &'static str,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The file its stdout goes to; none is /dev/null.
    pub stdout: Option<&'static str>,
    /// Files that must be there before it starts.
    pub prepared: Vec<(&'static str, String)>,
    pub layout: Layout,
    /// It gets one `share`-th of the input: Python would take minutes for all of it.
    pub share: usize,
    /// Seconds per run, so the first round must do.
    pub slow: bool,
    /// Every file must end at a line end and hold at most so many bytes: what loghand promises.
    pub strict: Option<u64>,
}

impl Contender {
    fn new(name: &'static str, argv: &[&str], layout: Layout) -> Self {
        Self {
            name,
            argv: argv.iter().map(ToString::to_string).collect(),
            stdout: None,
            prepared: Vec::new(),
            layout,
            share: 1,
            slow: false,
            strict: None,
        }
    }

    fn to_stdout(name: &'static str, argv: &[&str], file: &'static str) -> Self {
        Self { stdout: Some(file), ..Self::new(name, argv, Layout::Single(file)) }
    }

    fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    /// The same with its program's full path, so that no start pays for a search; none if the program, or what that
    /// program needs, is not on this machine.
    pub fn located(mut self) -> Option<Self> {
        let processor = self.argv.iter().any(|argument| argument.starts_with('!'));
        if processor && !EXECLINE.into_iter().any(|file| find(file).is_some()) {
            return None;
        }
        let program = self.argv.first_mut()?;
        *program = find(program)?.to_string_lossy().into_owned();
        Some(self)
    }
}

fn find(program: &str) -> Option<PathBuf> {
    // An absolute name swallows the directory it is joined to, so loghand's own path needs no case of its own.
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// `cat > file`: one copy out of the pipe and one into the page cache, the limit of every row.
pub fn cat() -> Contender {
    Contender::to_stdout("cat > file", &["cat"], "out.log")
}

/// `tee file > /dev/null`: copies twice, never rotates.
pub fn tee() -> Contender {
    Contender::new("tee file > /dev/null", &["tee", "out.log"], Layout::Single("out.log"))
}

/// `loghand tee file > /dev/null`: the same job as `tee`.
pub fn loghand_tee() -> Contender {
    Contender::new("loghand tee", &[LOGHAND, "tee", "app.log"], Layout::Single("app.log"))
}

/// Those that read a file by its name.
pub fn readers() -> Vec<Contender> {
    let own = |name, more: &[&str]| {
        let argv = [&[LOGHAND, "tee", "--input", INPUT][..], more].concat();
        Contender::to_stdout(name, &argv, "out.log")
    };
    vec![
        Contender::to_stdout("cat file > file", &["cat", INPUT], "out.log"),
        own("loghand tee --input", &[]),
        own("loghand tee --input --checkpoint", &["--checkpoint", "../checkpoint"]),
        Contender::to_stdout("tail -n +1 file > file", &["tail", "-n", "+1", INPUT], "out.log"),
    ]
}

/// `loghand rotate`, `max` bytes a file.
pub fn loghand(max: u64) -> Contender {
    let bytes = max.to_string();
    let argv = [LOGHAND, "rotate", "app.log", "--max-bytes", &bytes, "--backup-count", "20"];
    Contender { strict: Some(max), ..Contender::new("loghand rotate", &argv, Layout::Numbered("app.log")) }
}

/// `loghand rotate --compress`, `max` bytes a file.
pub fn loghand_compress(max: u64) -> Contender {
    let mut contender = loghand(max);
    contender.name = "loghand rotate --compress";
    contender.argv.push("--compress".to_owned());
    contender
}

/// `split -C`: cuts at line ends, keeps no backups.
pub fn split(max: u64) -> Contender {
    let bytes = max.to_string();
    Contender::new("split -C", &["split", "-C", &bytes, "-a", "4", "-", "out."], Layout::Sorted("out."))
}

/// The peer that `rotate` is measured by. Its sizes end below 256 MiB.
pub fn s6_log(max: u64) -> Contender {
    Contender::new("s6-log", &["s6-log", "n20", &format!("s{max}"), "./log"], Layout::Stamped("log"))
}

/// The peers that rotate by size without compression.
pub fn rotators(max: u64) -> Vec<Contender> {
    let bytes = max.to_string();
    vec![
        split(max),
        s6_log(max),
        Contender::new("rotatelogs", &["rotatelogs", "-n", "30", "out", &format!("{bytes}B")], Layout::Counting("out")),
        svlogd(max),
        multilog(max).slow(),
        python(max),
    ]
}

/// svlogd with the buffer that suits it best; it takes its limits from a file.
fn svlogd(max: u64) -> Contender {
    Contender {
        prepared: vec![("log/config", format!("s{max}\nn30\n"))],
        slow: true,
        ..Contender::new("svlogd -b 65536", &["svlogd", "-b", "65536", "./log"], Layout::Stamped("log"))
    }
}

/// multilog, whose largest file is 16 MiB less a byte.
fn multilog(max: u64) -> Contender {
    let size = format!("s{}", max.min(16_777_215));
    Contender::new("multilog", &["multilog", "n100", &size, "./log"], Layout::Stamped("log"))
}

/// Python on an eighth of the input and of the file size, so that it rotates as often.
fn python(max: u64) -> Contender {
    let bytes = (max / 8).to_string();
    let argv = ["python3", "-c", PYTHON, "app.log", &bytes];
    Contender { share: 8, ..Contender::new("Python RotatingFileHandler", &argv, Layout::Numbered("app.log")).slow() }
}

/// The peers that compress: two that only compress, and three that cut as well.
pub fn compressors(max: u64) -> Vec<Contender> {
    let bytes = max.to_string();
    let filter = "--filter=pigz -6 > $FILE.gz";
    vec![
        Contender::to_stdout("gzip -6 > file", &["gzip", "-6"], "out.gz"),
        Contender::to_stdout("pigz -6 > file", &["pigz", "-6"], "out.gz"),
        Contender::new(
            "split -C --filter pigz",
            &["split", "-C", &bytes, "-a", "4", filter, "-", "out."],
            Layout::Sorted("out."),
        ),
        Contender::new(
            "s6-log !gzip",
            &["s6-log", "n20", &format!("s{max}"), "!gzip -6", "./log"],
            Layout::Stamped("log"),
        ),
        Contender {
            name: "svlogd !gzip",
            prepared: vec![("log/config", format!("s{max}\nn30\n!gzip -6\n"))],
            ..svlogd(max)
        },
    ]
}
