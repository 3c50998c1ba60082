//! The verbs and the global flags, and how words become an outlet or a chain of them.
//!
//! What stands behind each `--` is what one would type after `loghand`, so it is read by the same definitions.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args as _, CommandFactory, FromArgMatches, Parser, Subcommand};
use thiserror::Error;

use crate::cmd::inputs::{InputArgs, Reading};
use crate::cmd::{generate, rotate, ship, syslog, tee, watch};
use crate::report::{Report, Verbosity};
use crate::units::parse_number;

/// A use of the program that cannot be meant; exit code 2, before any input is touched.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Help is no wider than this, in columns.
const TERM_WIDTH: usize = 100;

/// Every handler of Python's logging, for the shell: lines from a pipe to files that rotate, to other programs, and on.
#[derive(Debug, Parser)]
#[command(name = "loghand", version, max_term_width = TERM_WIDTH, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  app | loghand rotate app.log --max-bytes 10M --backup-count 5 --compress
  app | loghand tee -- rotate app.log --when midnight -- watch errors.log --level error
  loghand rotate --once '/var/log/app/*.log' --max-bytes 10M      (from cron)

Behind each -- stands one more outlet for the same lines: what one would type after loghand.
Exit codes: 0 everything delivered; 1 something was lost or failed (stderr says what); 2 wrong use.
Signals: HUP reopens files, USR1 rolls over now, TERM drains the pipe and leaves; INT (Ctrl-C) waits
for the producer's end; a second INT or TERM leaves at once.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags that every verb takes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Program")]
pub struct Global {
    /// Say what is being done
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say only what was lost or failed
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Write a newline to this file descriptor once everything is open (as s6 wants it)
    #[arg(long, global = true, value_name = "FD", value_parser = parse_number::<u32>)]
    pub ready_fd: Option<u32>,
    /// Show no progress bar, not even on a terminal
    #[arg(long, global = true)]
    pub no_progress: bool,
}

impl Global {
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    Tee(Reading<tee::Args>),
    Rotate(Reading<rotate::Args>),
    Watch(Reading<watch::Args>),
    Ship(Reading<ship::Args>),
    Syslog(Reading<syslog::Args>),
    #[command(hide = true)]
    Generate(generate::Args),
}

/// A verb that stands behind `--`.
#[derive(Debug, Parser)]
#[command(name = "loghand", no_binary_name = true, disable_help_subcommand = true, subcommand_required = true)]
struct OutletCli {
    #[command(subcommand)]
    outlet: Outlet,
}

/// A verb as an outlet.
#[derive(Debug, Subcommand)]
pub enum Outlet {
    Tee(tee::Args),
    Rotate(rotate::Args),
    Watch(watch::Args),
    Ship(ship::Args),
    Syslog(syslog::Args),
}

/// The words of one call: the verb, and the outlets behind each `--`.
#[derive(Debug)]
pub struct Call {
    pub cli: Cli,
    pub outlets: Vec<Outlet>,
}

/// Reads the words.
///
/// # Errors
/// clap's own: wrong usage, or a wish for help or the version.
pub fn parse(words: Vec<OsString>) -> Result<Call, clap::Error> {
    let mut parts = words.split(|word| word == OsStr::new("--"));
    let main = parts.next().unwrap_or_default();
    let cli = Cli::from_arg_matches(&definition(main).try_get_matches_from(main)?)?;
    let takes_outlets = matches!(cli.verb, Verb::Tee(_));
    let outlets = parts
        .map(|part| match (takes_outlets, part) {
            (false, _) => Err(Cli::command().error(
                ErrorKind::UnknownArgument,
                "only 'tee' takes outlets behind '--': loghand tee --no-stdout -- rotate FILE -- rotate FILE",
            )),
            (true, []) => Err(Cli::command().error(ErrorKind::MissingSubcommand, "behind '--' an outlet is missing")),
            (true, part) => {
                OutletCli::try_parse_from(part).map(|parsed| parsed.outlet).map_err(say_input_belongs_in_front)
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Call { cli, outlets })
}

/// clap would advise to put it behind one more '--'.
fn say_input_belongs_in_front(error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = word.trim_start_matches('-');
    let input = InputArgs::augment_args(clap::Command::new(""));
    match input.get_arguments().any(|flag| flag.get_long() == Some(name)) {
        true => Cli::command().error(
            ErrorKind::UnknownArgument,
            format!("{word} stands before the first '--': all outlets get the same lines"),
        ),
        false => error,
    }
}

/// The definition of what is meant: when the first word is a verb, of that verb alone. A log filter starts often, and
/// building all verbs would cost more than everything else at the start.
fn definition(words: &[OsString]) -> clap::Command {
    let verb = words.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let verb = match verb {
        "tee" => Reading::<tee::Args>::augment_args(clap::Command::new("tee")),
        "rotate" => Reading::<rotate::Args>::augment_args(clap::Command::new("rotate")),
        "watch" => Reading::<watch::Args>::augment_args(clap::Command::new("watch")),
        "ship" => Reading::<ship::Args>::augment_args(clap::Command::new("ship")),
        "syslog" => Reading::<syslog::Args>::augment_args(clap::Command::new("syslog")),
        _ => return Cli::command(),
    };
    let program = clap::Command::new("loghand").version(env!("CARGO_PKG_VERSION")).max_term_width(TERM_WIDTH);
    Global::augment_args(program).subcommand(verb)
}

/// The whole tree, for help, manual pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Prints what clap has to say: help and version on stdout, everything else on stderr with exit code 2.
pub fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let text = error.render();
    let text = text.to_string();
    Report::new(Verbosity::Normal).say(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(command: clap::Command, verb: &str) -> String {
        match command.try_get_matches_from(["loghand", verb, "--help"]) {
            Err(help) => help.to_string(),
            Ok(_) => panic!("{verb} --help is no error of clap's"),
        }
    }

    #[test]
    fn a_verb_alone_is_defined_as_it_is_in_the_whole_tree() {
        for verb in Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let words = ["loghand", verb.get_name()].map(OsString::from);
            let alone = definition(&words);
            assert_eq!(alone.get_subcommands().count(), 1, "{}", verb.get_name());
            assert_eq!(help(alone, verb.get_name()), help(Cli::command(), verb.get_name()));
        }
    }

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
        OutletCli::command().debug_assert();
    }
}
