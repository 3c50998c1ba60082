//! `Handler`: what ends lines (Python's `logging.Handler`: emit, flush, close), and wakes for what is due.

use std::time::Instant;

use anyhow::Result;
use thiserror::Error;

use crate::report::Report;

use super::batch::Batch;
use super::mark::Mark;

/// A signal that concerns the handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// HUP: close the files and open them again by their names.
    Reopen,
    /// USR1: roll over now.
    Rollover,
}

/// Where lines end.
pub trait Handler: Send {
    /// Takes the records. It may keep them in flight; `Err` says that some of these are lost for good (see [`Lost`]).
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()>;

    /// Takes a record of loghand's own about the stream (that lines were dropped here): no filter may keep it back.
    ///
    /// # Errors
    /// As of [`Handler::emit`].
    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        self.emit(notice)
    }

    /// Returns Ok only when everything emitted so far is delivered.
    fn flush(&mut self) -> Result<()>;

    /// Takes a mark behind what was emitted so far. Whoever keeps records keeps the mark with them, hands nothing on for
    /// it, and passes it on behind them; it is answered once everything before it is delivered.
    ///
    /// # Errors
    /// As of [`Handler::flush`]. The mark has failed then and says so to its sender.
    fn mark(&mut self, mark: Mark) -> Result<()> {
        self.flush()?;
        mark.delivered();
        Ok(())
    }

    /// Delivers what is left and lets go of everything.
    fn close(self: Box<Self>) -> Result<()>;

    /// When [`Handler::tick`] wants to be called at the latest, if nothing is emitted until then.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Does what is due. It is also called when somebody used the waker; nothing may be due then.
    fn tick(&mut self) -> Result<()> {
        Ok(())
    }

    /// Obeys a signal, if it means anything here.
    fn control(&mut self, _control: Control) -> Result<()> {
        Ok(())
    }
}

/// So many records of a batch were lost, and why; without it an error means all of them.
#[derive(Debug, Error)]
#[error("{why}")]
pub struct Lost {
    pub records: u64,
    pub why: String,
}

/// The same, where it is the end of the output as well.
#[derive(Debug, Error)]
#[error("{ended}")]
struct LostAtEnd {
    records: u64,
    ended: Ended,
}

/// This output has ended: there is no use in trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Ended {
    #[error("its reader went away")]
    ReaderGone,
    /// Behind its queue, where it was said why.
    #[error("it has ended")]
    Earlier,
    /// Of several outputs none is left; each was reported when it ended, with what it lost.
    #[error("every output has ended")]
    All,
}

/// Whether `error` says that the output has ended.
pub fn ended(error: &anyhow::Error) -> Option<Ended> {
    error.downcast_ref().copied().or_else(|| error.downcast_ref().map(|lost: &LostAtEnd| lost.ended))
}

/// How many records of `batch` are lost when a handler's emit failed with `error`, and were not reported yet.
pub fn lost_records(batch: &Batch<'_>, error: &anyhow::Error) -> u64 {
    if let Some(records) = said_lost(error) {
        return records;
    }
    match ended(error) {
        Some(Ended::All) => 0,
        // Nobody writes the rest of a record that began before.
        Some(_) => batch.count() + u64::from(!batch.starts()),
        None => batch.count(),
    }
}

fn said_lost(error: &anyhow::Error) -> Option<u64> {
    let lost = error.downcast_ref().map(|lost: &Lost| lost.records);
    lost.or_else(|| error.downcast_ref().map(|lost: &LostAtEnd| lost.records))
}

/// Reports what `output` lost of `batch`.
pub fn report_lost(report: &Report, output: &str, batch: &Batch<'_>, error: &anyhow::Error) {
    report_records(report, output, lost_records(batch, error), error);
}

/// Reports that something else than an emit failed, which may have lost records that were kept in flight.
pub fn report_failed(report: &Report, output: &str, error: &anyhow::Error) {
    match said_lost(error) {
        Some(records) => report_records(report, output, records, error),
        None => report.error(output, format_args!("{error:#}")),
    }
}

fn report_records(report: &Report, output: &str, records: u64, error: &anyhow::Error) {
    if records > 0 || ended(error) != Some(Ended::All) {
        report.lost(output, records, format_args!("{error:#}"));
    }
}

/// Adds up what is lost where one emit has several steps: the first error, and the records of all.
#[derive(Default)]
pub struct Losses {
    records: u64,
    first: Option<anyhow::Error>,
    ended: Option<Ended>,
}

impl Losses {
    /// Takes note of what handing on `batch` came to.
    pub fn note(&mut self, batch: &Batch<'_>, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.records += lost_records(batch, &error);
            self.ended = self.ended.or(ended(&error));
            self.first.get_or_insert(error);
        }
    }

    /// As [`Losses::note`], for a step that says itself how many records it lost.
    pub fn add(&mut self, outcome: Result<()>) {
        self.note(&Batch::plain(b""), outcome);
    }

    /// Whether the output has ended, so that what is still held is lost as well.
    pub fn ended(&self) -> bool {
        self.ended.is_some()
    }

    /// So many records are lost, too.
    pub fn held(&mut self, records: u64) {
        self.records += records;
    }

    /// The first error, with the number of all records that were lost.
    pub fn into_result(self) -> Result<()> {
        let Self { records, first, ended } = self;
        match (first, ended) {
            (None, _) => Ok(()),
            (Some(_), Some(ended)) => Err(LostAtEnd { records, ended }.into()),
            (Some(error), None) => Err(Lost { records, why: format!("{error:#}") }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn losses_are_added_up_under_the_first_reason() {
        let batch = Batch::plain(b"1\n2\n");
        let mut losses = Losses::default();
        losses.note(&batch, Ok(()));
        losses.note(&batch, Err(anyhow!("first")));
        losses.note(&batch, Err(Lost { records: 1, why: "second".into() }.into()));
        let error = losses.into_result().unwrap_err();
        assert_eq!((error.to_string().as_str(), lost_records(&batch, &error), ended(&error)), ("first", 3, None));
    }

    #[test]
    fn an_output_that_ended_has_lost_the_record_that_had_begun_and_what_was_held() {
        let mut losses = Losses::default();
        losses.note(&Batch::piece(b"rest\nnext\n", false, true), Err(Ended::ReaderGone.into()));
        assert!(losses.ended());
        losses.held(3);
        let error = losses.into_result().unwrap_err();
        assert_eq!((lost_records(&Batch::plain(b""), &error), ended(&error)), (5, Some(Ended::ReaderGone)));
    }
}
