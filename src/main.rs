//! Parse, run, and turn the outcome into an exit code: the only place that exits.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]

use std::process::ExitCode;

use loghand::cli::{self, Usage};
use loghand::cmd::run;
use loghand::report::Report;

fn main() -> ExitCode {
    let call = match cli::parse(std::env::args_os().collect()) {
        Ok(call) => call,
        Err(error) => return cli::explain(&error),
    };
    let report = Report::new(call.cli.global.verbosity());
    let wrong_usage = match run::run(call, &report) {
        Ok(()) => false,
        Err(error) => {
            report.fail();
            report.say(format_args!("{error:#}"));
            error.is::<Usage>()
        }
    };
    report.close();
    match (wrong_usage, report.failed()) {
        (true, _) => ExitCode::from(2),
        (_, true) => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    }
}
