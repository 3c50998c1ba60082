//! Runs a call: opens its input and its outlets, pumps the one into the others, closes them.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::cli::{Call, Global, Outlet, Verb};
use crate::clock::{Clock, Zone};
use crate::report::Report;
use crate::sources::stdin::is_pipe;
use crate::stop::{Interrupt, Signals};
use crate::stream::context::Context;
use crate::stream::fanout::Fanout;
use crate::stream::handler::Handler;
use crate::stream::pump::Pump;
use crate::stream::source::Source;

use super::inputs::Reading;
use super::rotate::Mode;

/// Runs to the end; what is lost on the way is in `report`.
///
/// # Errors
/// [`crate::cli::Usage`] for words that cannot be meant; else what could not even begin.
pub fn run(call: Call, report: &Report) -> Result<()> {
    let Call { cli, outlets } = call;
    let input = match &cli.verb {
        Verb::Tee(reading) => reading.input.clone(),
        Verb::Rotate(reading) => reading.input.clone(),
        Verb::Watch(reading) => reading.input.clone(),
        Verb::Ship(reading) => reading.input.clone(),
        Verb::Syslog(reading) => reading.input.clone(),
        Verb::Generate(args) => return args.run(),
    };
    let reads_files = input.is_given();
    // Only somebody at a terminal, or nobody at all, ends us by Ctrl-C; a producer has its last words first.
    let has_producer = !reads_files && is_pipe(rustix::stdio::stdin());
    let interrupt = if has_producer { Interrupt::WaitForEnd } else { Interrupt::Stop };
    let signals = Signals::install(interrupt)?;
    report.set_waker(signals.waker().clone());
    let context = Context {
        clock: Clock::system(),
        zone: Zone::local(),
        report: report.clone(),
        stop: signals.stop().clone(),
        waker: signals.waker().clone(),
        in_turns: input.follow,
    };
    let progress = !cli.global.no_progress;
    let mut outputs: Vec<PathBuf> = outlets.iter().flat_map(Outlet::outputs).collect();
    let mut prints = false;
    // All words before anything is touched, and a checkpoint would be.
    let mode = match &cli.verb {
        Verb::Generate(_) => None,
        Verb::Rotate(Reading { verb, .. }) => {
            let mode = verb.mode(reads_files)?;
            if matches!(mode, Mode::Pipe) {
                verb.check(&context)?;
                outputs.extend(verb.outputs());
            }
            Some(mode)
        }
        Verb::Tee(Reading { verb, .. }) => {
            verb.check(&outlets, &context)?;
            prints = !verb.no_stdout && std::io::stdout().is_terminal();
            outputs.extend(verb.outputs());
            None
        }
        Verb::Watch(Reading { verb, .. }) => {
            verb.outlet.check()?;
            outputs.extend(verb.outputs());
            None
        }
        Verb::Ship(Reading { verb, .. }) => {
            verb.check()?;
            outputs.extend(verb.outputs());
            None
        }
        Verb::Syslog(Reading { verb, .. }) => {
            verb.check()?;
            outputs.extend(verb.outputs());
            None
        }
    };
    let input = input.prepare(&outputs, &context)?;
    let handler = match cli.verb {
        Verb::Generate(_) => return Ok(()),
        Verb::Rotate(Reading { verb, .. }) => match mode {
            Some(Mode::Once(once)) => return once.run(&context, progress),
            Some(Mode::Plan(plan)) => return plan.run(&context),
            Some(Mode::Pipe) | None => alone(verb.output_name(), verb.open(&context, false)?, report),
        },
        Verb::Tee(Reading { verb, .. }) => verb.open_with(outlets, &context)?,
        Verb::Watch(Reading { verb, .. }) => alone(verb.output_name(), verb.open(&context, false)?, report),
        Verb::Ship(Reading { verb, .. }) => alone(verb.output_name(), verb.open(&context)?, report),
        Verb::Syslog(Reading { verb, .. }) => alone(verb.output_name(), verb.open(&context)?, report),
    };
    // A bar among the lines would be no help.
    let source = input.open(&outputs, progress && !prints, &context);
    pump(source, handler, &cli.global, &signals, report)
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

fn pump(
    mut source: Box<dyn Source>,
    mut handler: Box<dyn Handler>,
    global: &Global,
    signals: &Signals,
    report: &Report,
) -> Result<()> {
    if let Some(fd) = global.ready_fd {
        say_ready(fd).with_context(|| format!("--ready-fd {fd}: cannot be written"))?;
    }
    let pumped = Pump::new(&mut *source, &mut *handler, signals, report).run();
    let closed = handler.close();
    source.close();
    pumped.and(closed)
}

/// Through /dev/fd, because a bare number cannot be turned into a descriptor safely.
fn say_ready(fd: u32) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(format!("/dev/fd/{fd}"))?.write_all(b"\n")
}
