//! The row of files that grow: how soon a line that was appended has come out, whether much of it is kept up with, and
//! what waiting costs.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::contenders::LOGHAND;
use crate::producer::{self, Pace};
use crate::report::{self, median};
use crate::runner::{READY, Taken};

/// Nothing is waited for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines whose way is timed one by one.
const TIMED: usize = 300;

/// The figures of one contender.
pub struct Followed {
    pub name: &'static str,
    /// From a line's append until it has come out, in ms: the middle one, the 99th of a hundred, the worst.
    pub latency: [f64; 3],
    /// From the last append of the stream until all of it has come out, in ms.
    pub lag: f64,
    /// What it took in all.
    pub taken: Taken,
    /// CPU seconds while nothing happened for two seconds.
    pub idle_cpu: f64,
    /// Whether all bytes came out, in order.
    pub intact: bool,
}

/// What takes part: the pattern or files to follow go behind the words.
const CONTENDERS: [(&str, &[&str], bool); 3] = [
    ("loghand tee --follow", &[LOGHAND, "tee", "--follow", "--input", "logs/*.log"], false),
    ("tail -F", &["tail", "-q", "-n", "+1", "-F"], true),
    ("busybox tail -F", &["busybox", "tail", "-n", "+1", "-F", "logs/busy.log"], false),
];

/// Follows `files` files, of which one is written to: `input` at 100 MiB/s, then single lines.
pub fn follow(dir: &Path, files: usize, input: &[u8]) -> Result<Vec<Followed>> {
    let mut all = Vec::new();
    for (name, words, named) in CONTENDERS {
        if Command::new(words[0]).arg("--help").output().is_err() {
            continue;
        }
        let logs = dir.join("logs");
        fs::create_dir_all(&logs)?;
        let mut argv: Vec<String> = words.iter().map(ToString::to_string).collect();
        for number in 1..files {
            let log = format!("logs/idle{number}.log");
            File::create(dir.join(&log))?;
            if named {
                argv.push(log);
            }
        }
        File::create(logs.join("busy.log"))?;
        if named {
            argv.push("logs/busy.log".to_owned());
        }
        let followed = one(dir, name, &argv, input).with_context(|| name.to_owned())?;
        all.push(followed);
        fs::remove_dir_all(&logs)?;
        fs::remove_file(dir.join("out"))?;
    }
    Ok(all)
}

fn one(dir: &Path, name: &'static str, argv: &[String], input: &[u8]) -> Result<Followed> {
    let mut runner = Command::new(std::env::current_exe()?)
        .args(["run-one", "out"])
        .args(argv)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut answer = BufReader::new(runner.stdout.take().context("the runner has no stdout")?);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    ensure!(line.trim() == READY, "the runner did not start");
    let out = dir.join("out");
    let mut log = OpenOptions::new().append(true).open(dir.join("logs/busy.log"))?;
    let mut written = 0;
    let mut put = |bytes: &[u8]| -> Result<u64> {
        log.write_all(bytes)?;
        written += bytes.len() as u64;
        Ok(written)
    };
    arrive(&out, put(b"the first line\n")?)?;

    let child = child_of(&runner)?;
    // What the start left to do is done by then.
    thread::sleep(Duration::from_secs(1));
    let before = cpu_of(child)?;
    thread::sleep(Duration::from_secs(2));
    let idle_cpu = cpu_of(child)? - before;

    let mut latencies = Vec::new();
    for number in 0..TIMED {
        // At no regular time, so that nobody's clock tick helps.
        thread::sleep(Duration::from_micros(3_000 + (number as u64 * 7_919) % 9_000));
        let begun = Instant::now();
        let until = put(format!("line {number} of those that are timed\n").as_bytes())?;
        arrive(&out, until)?;
        latencies.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    latencies.sort_by(f64::total_cmp);
    let latency = [median(latencies.clone()), latencies[TIMED * 99 / 100], latencies[TIMED - 1]];

    let pace = Pace::bytes_per_second(64 << 10, f64::from(100 << 20));
    producer::feed(&mut log, input, pace)?;
    let ended = Instant::now();
    let whole = log.metadata()?.len();
    arrive(&out, whole)?;
    let lag = ended.elapsed().as_secs_f64() * 1e3;
    kill_process(child, Signal::TERM)?;
    line.clear();
    answer.read_line(&mut line)?;
    runner.wait()?;
    let intact = same(&out, &dir.join("logs/busy.log"))?;
    Ok(Followed { name, latency, lag, taken: Taken::from_line(&line)?, idle_cpu, intact })
}

/// Waits until the output has so many bytes, without rest: a sleep would be what is measured.
fn arrive(out: &Path, length: u64) -> Result<()> {
    let begun = Instant::now();
    while fs::metadata(out).map_or(0, |metadata| metadata.len()) < length {
        ensure!(begun.elapsed() < PATIENCE, "{length} bytes never came");
        std::hint::spin_loop();
    }
    Ok(())
}

fn child_of(runner: &Child) -> Result<Pid> {
    let id = runner.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    let child = children.split_whitespace().next().and_then(|child| child.parse().ok());
    child.and_then(Pid::from_raw).context("the contender has left")
}

/// Seconds of user and system time so far.
fn cpu_of(process: Pid) -> Result<f64> {
    let schedstat = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()))?;
    let mut nanos = 0.0;
    for task in schedstat {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Ok(nanos / 1e9)
}

fn same(one: &Path, other: &Path) -> Result<bool> {
    let (one, other) = (fs::read(one)?, fs::read(other)?);
    Ok(one == other)
}

/// The table of the row.
pub fn show(out: &mut impl Write, title: &str, all: &[Followed]) -> Result<()> {
    if all.is_empty() {
        bail!("nobody took part");
    }
    let heads = ["median ms", "p99 ms", "worst ms", "lag ms", "CPU s", "idle CPU ms", "peak MiB", "check"];
    let rows = all.iter().map(|one| {
        let [middle, p99, worst] = one.latency.map(|ms| format!("{ms:.2}"));
        let lag = format!("{:.1}", one.lag);
        let cpu = format!("{:.2}", one.taken.cpu.as_secs_f64());
        let idle = format!("{:.2}", one.idle_cpu * 1e3);
        let peak = format!("{:.1}", one.taken.peak_kib as f64 / 1024.0);
        let check = if one.intact { "ok" } else { "BAD" }.to_owned();
        (one.name, vec![middle, p99, worst, lag, cpu, idle, peak, check])
    });
    Ok(report::table(out, title, heads.map(str::to_owned).to_vec(), rows.collect())?)
}
