//! `Fanout`: one stream of lines to several outlets, each of which fails alone.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::report::Report;

use super::batch::Batch;
use super::handler::{Control, Ended, Handler, ended, report_failed, report_lost};
use super::mark::Mark;

/// Hands every batch to every outlet.
pub struct Fanout {
    outlets: Vec<Outlet>,
    report: Report,
    /// Something may not have reached an outlet since the last flush or mark.
    undelivered: bool,
}

struct Outlet {
    name: String,
    /// None once it has ended.
    handler: Option<Box<dyn Handler>>,
}

impl Fanout {
    pub fn new(report: Report) -> Self {
        Self { outlets: Vec::new(), report, undelivered: false }
    }

    /// `name` is what messages about it say (`app.log`, `stdout`).
    pub fn add(&mut self, name: impl Into<String>, handler: Box<dyn Handler>) {
        self.outlets.push(Outlet { name: name.into(), handler: Some(handler) });
    }

    /// Says whether all went well; what did not is reported.
    fn each(&mut self, mut act: impl FnMut(&mut dyn Handler) -> Result<()>) -> bool {
        let mut well = true;
        for outlet in &mut self.outlets {
            if let Some(handler) = &mut outlet.handler
                && let Err(error) = act(&mut **handler)
            {
                report_failed(&self.report, &outlet.name, &error);
                well = false;
            }
        }
        well
    }

    fn hand_on(
        &mut self,
        batch: &Batch<'_>,
        mut hand_on: impl FnMut(&mut dyn Handler, &Batch<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut living = 0;
        for outlet in &mut self.outlets {
            let Some(handler) = &mut outlet.handler else {
                self.report.lost(&outlet.name, batch.count(), "it has ended");
                self.undelivered = true;
                continue;
            };
            match hand_on(&mut **handler, batch) {
                Ok(()) => living += 1,
                Err(error) => {
                    report_lost(&self.report, &outlet.name, batch, &error);
                    self.undelivered = true;
                    match ended(&error) {
                        Some(_) => outlet.handler = None,
                        None => living += 1,
                    }
                }
            }
        }
        match living {
            0 if !self.outlets.is_empty() => bail!(Ended::All),
            _ => Ok(()),
        }
    }
}

impl Handler for Fanout {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.hand_on(batch, |handler, batch| handler.emit(batch))
    }

    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        self.hand_on(notice, |handler, notice| handler.notice(notice))
    }

    fn flush(&mut self) -> Result<()> {
        let before = !std::mem::take(&mut self.undelivered);
        let flushed = self.each(|handler| handler.flush());
        if before && flushed { Ok(()) } else { bail!("not everything was delivered") }
    }

    /// What fails is reported here, outlet by outlet, and never returned.
    fn mark(&mut self, mark: Mark) -> Result<()> {
        let before = !std::mem::take(&mut self.undelivered);
        let all_live = self.outlets.iter().all(|outlet| outlet.handler.is_some());
        self.each(|handler| handler.mark(mark.clone()));
        if before && all_live {
            mark.delivered();
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        for outlet in self.outlets {
            if let Some(handler) = outlet.handler
                && let Err(error) = handler.close()
            {
                report_failed(&self.report, &outlet.name, &error);
            }
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Instant> {
        self.outlets.iter().filter_map(|outlet| outlet.handler.as_ref()?.deadline()).min()
    }

    fn tick(&mut self) -> Result<()> {
        // It may have lost what was kept in flight.
        self.undelivered |= !self.each(|handler| handler.tick());
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.undelivered |= !self.each(|handler| handler.control(control));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use crate::report::Verbosity;
    use crate::stop::Waker;
    use crate::stream::mark::Marked;

    use super::*;

    /// Does what it is told, once each; then everything goes well.
    #[derive(Default)]
    struct Told {
        emits: VecDeque<&'static str>,
        flushes: VecDeque<&'static str>,
        ticks: VecDeque<&'static str>,
    }

    fn next(told: &mut VecDeque<&'static str>) -> Result<()> {
        match told.pop_front() {
            None | Some("well") => Ok(()),
            Some("ended") => bail!(Ended::ReaderGone),
            Some(why) => bail!(why),
        }
    }

    impl Handler for Told {
        fn emit(&mut self, _batch: &Batch<'_>) -> Result<()> {
            next(&mut self.emits)
        }

        fn flush(&mut self) -> Result<()> {
            next(&mut self.flushes)
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }

        fn tick(&mut self) -> Result<()> {
            next(&mut self.ticks)
        }
    }

    /// One outlet that is told, and one with which all is well.
    fn fanout(told: Told) -> Fanout {
        let mut fanout = Fanout::new(Report::new(Verbosity::Quiet));
        fanout.add("told", Box::new(told));
        fanout.add("well", Box::<Told>::default());
        fanout
    }

    fn emit(fanout: &mut Fanout) {
        fanout.emit(&Batch::plain(b"one\n")).unwrap();
    }

    fn mark(fanout: &mut Fanout) -> Option<bool> {
        let (marked, mark) = Marked::new(Waker::new(|| ()));
        fanout.mark(mark).unwrap();
        marked.outcome()
    }

    #[test]
    fn a_mark_is_delivered_when_every_outlet_has_delivered() {
        let mut fanout = fanout(Told::default());
        emit(&mut fanout);
        assert_eq!(mark(&mut fanout), Some(true));
    }

    #[test]
    fn a_mark_fails_once_where_one_outlet_lost_lines() {
        let mut fanout = fanout(Told { emits: ["full"].into(), ..Told::default() });
        emit(&mut fanout);
        assert_eq!([mark(&mut fanout), mark(&mut fanout)], [Some(false), Some(true)]);
    }

    #[test]
    fn a_mark_fails_once_where_one_outlet_cannot_flush() {
        let mut fanout = fanout(Told { flushes: ["full"].into(), ..Told::default() });
        emit(&mut fanout);
        assert_eq!([mark(&mut fanout), mark(&mut fanout)], [Some(false), Some(true)]);
    }

    #[test]
    fn a_mark_fails_once_where_a_tick_failed_which_may_have_lost_what_was_held() {
        let mut fanout = fanout(Told { ticks: ["full"].into(), ..Told::default() });
        emit(&mut fanout);
        fanout.tick().unwrap();
        assert_eq!([mark(&mut fanout), mark(&mut fanout)], [Some(false), Some(true)]);
        fanout.tick().unwrap();
        assert!(fanout.flush().is_ok());
    }

    #[test]
    fn no_mark_is_delivered_once_an_outlet_has_ended() {
        let mut fanout = fanout(Told { emits: ["well", "ended"].into(), ..Told::default() });
        emit(&mut fanout);
        assert_eq!(mark(&mut fanout), Some(true));
        emit(&mut fanout);
        assert_eq!([mark(&mut fanout), mark(&mut fanout)], [Some(false), Some(false)]);
    }
}
