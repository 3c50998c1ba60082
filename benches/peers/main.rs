//! loghand beside its peers: whole processes on the other end of a pipe, every byte read back and compared.
//!
//! `cargo bench --bench peers -- [row ...]`; benches/README.md tells what the columns mean. Whole processes, because
//! that is what a user runs: start-up, system calls, page cache and the producer's waiting all count.

mod check;
mod contenders;
mod follow;
mod input;
mod producer;
mod report;
mod rows;
mod runner;
mod targets;
mod trial;

use std::env;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use rows::{Bench, Row};
use trial::Arena;

/// The largest row: a gibibyte of files, and the producer's copy of them in memory beside it.
const ROOM: u64 = 3 << 30;

/// Measure loghand beside its peers.
#[derive(Parser)]
struct Args {
    /// Rows to run [default: all]
    row: Vec<Row>,

    /// Divide sizes by 8 and run two rounds: to see that it works, not to publish
    #[arg(long)]
    quick: bool,

    /// Rounds over all contenders [default: 5, with --quick 2]
    #[arg(long)]
    rounds: Option<usize>,

    /// Where the files go [default: /dev/shm if 3 GiB are free there, else the temporary directory]
    #[arg(long)]
    dir: Option<PathBuf>,

    /// Cargo says so when it runs benchmarks
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    // As the runner of one contender it must stay small: no parser, no input.
    let words = env::args().collect::<Vec<_>>();
    match words.get(1).map(String::as_str) {
        Some("run-one") => match &words[2..] {
            [stdout_file, argv @ ..] => runner::run_one(stdout_file, argv),
            [] => bail!("run-one: no contender"),
        },
        Some("run-many") => match &words[2..] {
            [times, stdout_file, argv @ ..] => runner::run_many(times.parse()?, stdout_file, argv),
            _ => bail!("run-many: no contender"),
        },
        _ => compare(&Args::parse()),
    }
}

fn compare(args: &Args) -> Result<()> {
    let mut out = stdout().lock();
    if !args.bench {
        // `cargo test --all-targets` comes by here too, and must not spend minutes on measuring.
        writeln!(out, "Run it with: cargo bench --bench peers")?;
        return Ok(());
    }
    let parent = args.dir.clone().unwrap_or_else(roomy);
    let dir = tempfile::Builder::new().prefix("loghand-peers-").tempdir_in(&parent);
    let dir = dir.with_context(|| format!("no directory in {}", parent.display()))?;
    let rounds = args.rounds.unwrap_or(if args.quick { 2 } else { 5 }).max(1);
    writeln!(out, "loghand beside its peers, {rounds} rounds, files in {}\n", parent.display())?;
    let shrink = if args.quick { 8 } else { 1 };
    let mut bench = Bench { arena: Arena::new(dir.path()), rounds, shrink, out, targets: Vec::new() };
    let rows = if args.row.is_empty() { Row::value_variants() } else { &args.row };
    for row in rows {
        bench.run(*row)?;
        bench.out.flush()?;
    }
    targets::summary(&mut bench.out, &bench.targets)?;
    dir.close().context("the temporary files are still there")
}

fn roomy() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map_or(0, |fs| fs.f_bavail * fs.f_frsize);
    if free >= ROOM { memory.to_owned() } else { env::temp_dir() }
}
