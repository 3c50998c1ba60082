//! The fresh process in which one contender runs, so that `getrusage(RUSAGE_CHILDREN)` is that contender alone.
//!
//! The benchmark calls itself as `peers run-one …`. A process of its own gives exact CPU time and the peak of the
//! largest child without polling, and a small one: a child's peak counts the parent's memory at the moment of its
//! start, which would be the whole input if the producer started it. As a subreaper it also waits for compressors that
//! outlive the tool.

use std::fs::File;
use std::io::{Write, stdin, stdout};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};

/// No run takes so long, but a tool that waits for ever must not hold up the others.
const PATIENCE: Duration = Duration::from_secs(300);

/// The line before the contender starts.
pub const READY: &str = "ready";

/// What one contender took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// From its start to its exit.
    pub wall: Duration,
    /// From its start until the last process it left behind is gone.
    pub done: Duration,
    /// User and system time of all of them.
    pub cpu: Duration,
    /// Of the largest single process.
    pub peak_kib: i64,
    /// Exit code; -1 after a signal.
    pub code: i32,
}

/// Runs `argv` once in the current directory, the pipe on our stdin handed on to it, and prints what it took.
pub fn run_one(stdout_file: &str, argv: &[String]) -> Result<()> {
    set_child_subreaper(Some(getpid()))?;
    let input = stdin().as_fd().try_clone_to_owned()?;
    // Our own copy must go, or the producer would never learn that a contender has left early.
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    writeln!(stdout(), "{READY}")?;
    let start = Instant::now();
    let mut child = command(stdout_file, argv)?.stdin(input).spawn().with_context(|| argv.join(" "))?;
    let pid = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    thread::spawn(move || match end.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => kill_process(pid, Signal::KILL),
        _ => Ok(()),
    });
    let status = child.wait()?;
    drop(ended);
    let wall = start.elapsed();
    while let Ok(Some(_)) = wait(WaitOptions::empty()) {}
    let done = start.elapsed();
    let (cpu, peak_kib) = children()?;
    let taken = Taken { wall, done, cpu, peak_kib, code: status.code().unwrap_or(-1) };
    writeln!(stdout(), "{}", taken.to_line())?;
    Ok(())
}

/// Runs `argv` `times` times on an empty stdin and prints the microseconds of each, then the CPU's of one start
/// and the peak in MiB.
pub fn run_many(times: u32, stdout_file: &str, argv: &[String]) -> Result<()> {
    let mut out = stdout().lock();
    for _ in 0..times {
        let mut command = command(stdout_file, argv)?;
        let start = Instant::now();
        let status = command.stdin(Stdio::null()).status().with_context(|| argv.join(" "))?;
        let micros = start.elapsed().as_secs_f64() * 1e6;
        ensure!(status.success(), "{} failed: {status}", argv.join(" "));
        write!(out, "{micros:.1} ")?;
    }
    let (cpu, peak_kib) = children()?;
    writeln!(out, "{:.1} {:.3}", cpu.as_secs_f64() * 1e6 / f64::from(times), peak_kib as f64 / 1024.0)?;
    Ok(())
}

fn command(stdout_file: &str, argv: &[String]) -> Result<Command> {
    let Some((program, arguments)) = argv.split_first() else {
        bail!("no program to run");
    };
    let mut command = Command::new(program);
    command.args(arguments).stdout(File::create(stdout_file).with_context(|| stdout_file.to_owned())?);
    Ok(command)
}

fn children() -> Result<(Duration, i64)> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = [usage.user_time(), usage.system_time()].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok((Duration::from_micros(micros.iter().sum::<i64>().unsigned_abs()), usage.max_rss()))
}

impl Taken {
    fn to_line(self) -> String {
        let [wall, done, cpu] = [self.wall, self.done, self.cpu].map(|time| time.as_nanos());
        format!("{wall} {done} {cpu} {} {}", self.peak_kib, self.code)
    }

    /// Reads what the runner printed.
    pub fn from_line(line: &str) -> Result<Self> {
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<i64>, _>>();
        let numbers = numbers.with_context(|| format!("the runner said {line:?}"))?;
        let [wall, done, cpu, peak_kib, code] = numbers[..] else {
            bail!("the runner said {line:?}");
        };
        let [wall, done, cpu] = [wall, done, cpu].map(|nanos| Duration::from_nanos(nanos.unsigned_abs()));
        Ok(Self { wall, done, cpu, peak_kib, code: i32::try_from(code)? })
    }
}
