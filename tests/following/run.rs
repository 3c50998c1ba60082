//! Loghand at work.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::steps::{Pattern, Setup};

/// A wait for what must come; only a failure takes so long.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until `reached` says so.
pub fn until(what: &str, mut reached: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    while !reached()? {
        if begun.elapsed() > DEADLINE {
            return Err(format!("in vain for {} s: {what}", DEADLINE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(4));
    }
    Ok(())
}

/// One process and what it has put out so far.
pub struct Run {
    child: Child,
    out: File,
    ready: PathBuf,
    stderr: PathBuf,
    /// What came of a line that has no end yet.
    rest: Vec<u8>,
    pub follows: bool,
}

impl Run {
    pub fn start(root: &Path, setup: &Setup, number: usize, follows: bool) -> Self {
        let name = |what: &str| root.join(format!("{what}.{number}"));
        let mut words = vec!["exec \"$0\" --ready-fd 3 tee"];
        words.push(match setup.pattern {
            Pattern::Logs => "--input 'logs/*.log'",
            Pattern::Archives => "--input 'logs/*.log*'",
            Pattern::Literal => "--input logs/a.log",
        });
        words.extend(follows.then_some("--follow"));
        words.extend((follows && setup.poll).then_some("--poll 20ms"));
        words.extend(setup.checkpoint.then_some("--checkpoint positions"));
        words.extend(setup.from_end.then_some("--from end"));
        words.push("3>\"$1\"");
        let child = Command::new("sh")
            .args(["-c", &words.join(" "), env!("CARGO_BIN_EXE_loghand")])
            .arg(name("ready"))
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(File::create(name("out")).unwrap())
            .stderr(File::create(name("err")).unwrap())
            .spawn()
            .unwrap();
        let out = File::open(name("out")).unwrap();
        Self { child, out, ready: name("ready"), stderr: name("err"), rest: Vec::new(), follows }
    }

    /// Whether everything is open that was there at the start.
    pub fn until_ready(&mut self) -> Result<(), String> {
        until("ready", || {
            let ready = fs::metadata(&self.ready).is_ok_and(|file| file.len() > 0);
            if !ready && self.child.try_wait().unwrap().is_some() {
                return Err(format!("it did not begin: {}", self.messages()));
            }
            Ok(ready)
        })
    }

    pub fn terminate(&mut self) -> Result<(), String> {
        self.until_ready()?;
        kill_process(self.pid(), Signal::TERM).map_err(|error| error.to_string())
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end; gives its exit code.
    pub fn wait(&mut self) -> Result<Option<i32>, String> {
        let mut code = None;
        until("the end of loghand", || {
            code = self.child.try_wait().unwrap();
            Ok(code.is_some())
        })?;
        Ok(code.and_then(|code| code.code()))
    }

    /// The lines that came since the last question.
    pub fn lines(&mut self) -> Vec<Vec<u8>> {
        self.out.read_to_end(&mut self.rest).unwrap();
        let Some(end) = memchr::memrchr(b'\n', &self.rest) else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        self.rest.pop();
        let text = std::mem::replace(&mut self.rest, rest);
        text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    /// A last line without an end.
    pub fn unfinished(&mut self) -> Option<Vec<u8>> {
        (!self.rest.is_empty()).then(|| std::mem::take(&mut self.rest))
    }

    pub fn messages(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
    }
}
