//! Records that the server will never take: kept in a file as they came, or counted as lost.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::handlers::file::FileHandler;
use crate::report::Report;
use crate::stream::batch::Batch;
use crate::stream::handler::{Handler, report_lost};

/// What goes there is said at most this often, with its number.
const INTERVAL: Duration = Duration::from_secs(60);

/// Where refused records end.
pub struct DeadLetters {
    /// The file and its name; none, and they are lost.
    file: Option<(String, FileHandler)>,
    output: String,
    report: Report,
    unsaid: u64,
    why: String,
    said_at: Option<Instant>,
}

impl DeadLetters {
    pub fn new(file: Option<(String, FileHandler)>, output: String, report: Report) -> Self {
        Self { file, output, report, unsaid: 0, why: String::new(), said_at: None }
    }

    /// Sets records aside because of `why`; says whether they are safe.
    pub fn put(&mut self, batch: &Batch<'_>, why: &str) -> bool {
        let Some((name, file)) = &mut self.file else {
            let why = format!("{why} (--dead-letter FILE would keep them)");
            self.report.lost(&self.output, batch.count(), why);
            return false;
        };
        let mut outcome = file.emit(batch);
        // A line that was cut ends here.
        if outcome.is_ok() && !batch.bytes().ends_with(b"\n") {
            outcome = file.emit(&Batch::piece(b"\n", false, true));
        }
        if let Err(error) = outcome.and_then(|()| file.flush()) {
            report_lost(&self.report, name, batch, &error);
            return false;
        }
        self.unsaid += batch.count();
        self.why = why.to_owned();
        if self.said_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.say();
        }
        true
    }

    fn say(&mut self) {
        if let Some((name, _)) = self.file.as_ref().filter(|_| self.unsaid > 0) {
            let lines = if self.unsaid == 1 { "line" } else { "lines" };
            self.report.warn(&self.output, format_args!("{}: {} {lines} set aside in {name}", self.why, self.unsaid));
            self.unsaid = 0;
            self.said_at = Some(Instant::now());
        }
    }

    /// Says what is left to say, and closes the file.
    ///
    /// # Errors
    /// When the file cannot be closed in good order.
    pub fn close(mut self) -> Result<()> {
        self.say();
        self.file.map_or(Ok(()), |(_, file)| Box::new(file).close())
    }
}
