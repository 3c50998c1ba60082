//! Runs a call: opens its outlets, pumps stdin into them, closes them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::AsFd;

use anyhow::{Context as _, Result};

use crate::cli::{Call, Global, Verb};
use crate::clock::{Clock, Zone};
use crate::report::Report;
use crate::sources::stdin::{Stdin, is_pipe};
use crate::stop::{Interrupt, Signals};
use crate::stream::context::Context;
use crate::stream::fanout::Fanout;
use crate::stream::handler::Handler;
use crate::stream::pump::Pump;
use crate::stream::source::Source as _;

use super::rotate::Mode;

/// Runs to the end; what is lost on the way is in `report`.
///
/// # Errors
/// [`crate::cli::Usage`] for words that cannot be meant; else what could not even begin.
pub fn run(call: Call, report: &Report) -> Result<()> {
    let Call { cli, outlets } = call;
    let stdin = rustix::stdio::stdin();
    // Only somebody at a terminal, or nobody at all, ends us by Ctrl-C; a producer has its last words first.
    let interrupt = if is_pipe(stdin) { Interrupt::WaitForEnd } else { Interrupt::Stop };
    let signals = Signals::install(interrupt)?;
    report.set_waker(signals.waker().clone());
    let context = Context {
        clock: Clock::system(),
        zone: Zone::local(),
        report: report.clone(),
        stop: signals.stop().clone(),
        waker: signals.waker().clone(),
    };
    let handler = match cli.verb {
        Verb::Generate(args) => return args.run(),
        Verb::Rotate(args) => match args.mode()? {
            Mode::Once(once) => return once.run(&context, !cli.global.no_progress),
            Mode::Plan(plan) => return plan.run(&context),
            Mode::Pipe => alone(args.output_name(), args.open(&context, false)?, report),
        },
        Verb::Tee(args) => args.open_with(outlets, &context)?,
        Verb::Watch(args) => alone(args.output_name(), args.open(&context, false)?, report),
    };
    pump_stdin(handler, &cli.global, &signals, report)
}

/// One outlet by itself: the same words for what is lost as among several.
fn alone(name: String, handler: Box<dyn Handler>, report: &Report) -> Box<dyn Handler> {
    let mut fanout = Fanout::new(report.clone());
    fanout.add(name, handler);
    Box::new(fanout)
}

/// Whether a standard descriptor was probably closed at the start: Rust's runtime opens /dev/null there, for reading
/// and writing at once, which a shell's redirection never does (daemons do, though).
pub fn may_be_closed(descriptor: impl AsFd) -> bool {
    use rustix::fs::OFlags;
    let both = rustix::fs::fcntl_getfl(&descriptor).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    let null = rustix::fs::stat("/dev/null").map(|stat| stat.st_rdev);
    both && null.is_ok() && rustix::fs::fstat(&descriptor).map(|stat| stat.st_rdev) == null
}

fn pump_stdin(mut handler: Box<dyn Handler>, global: &Global, signals: &Signals, report: &Report) -> Result<()> {
    if let Some(fd) = global.ready_fd {
        say_ready(fd).with_context(|| format!("--ready-fd {fd}: cannot be written"))?;
    }
    if may_be_closed(rustix::stdio::stdin()) {
        report.warn("stdin", "is closed, or /dev/null: there is nothing to read");
    }
    let mut source = Stdin::new(report.clone());
    let pumped = Pump::new(&mut source, &mut *handler, signals, report).run();
    let closed = handler.close();
    source.close();
    pumped.and(closed)
}

/// Through /dev/fd, because a bare number cannot be turned into a descriptor safely.
fn say_ready(fd: u32) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(format!("/dev/fd/{fd}"))?.write_all(b"\n")
}
