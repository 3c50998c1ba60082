//! `Fanout`: one stream of lines to several outlets, each of which fails alone.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::report::Report;

use super::batch::Batch;
use super::handler::{Control, Ended, Handler, ended, report_failed, report_lost};

/// Hands every batch to every outlet.
pub struct Fanout {
    outlets: Vec<Outlet>,
    report: Report,
    /// Something did not reach an outlet since the last flush.
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

    fn each(&mut self, mut act: impl FnMut(&mut Box<dyn Handler>) -> Result<()>) {
        for outlet in &mut self.outlets {
            if let Some(handler) = &mut outlet.handler
                && let Err(error) = act(handler)
            {
                report_failed(&self.report, &outlet.name, &error);
            }
        }
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
        let mut undelivered = std::mem::take(&mut self.undelivered);
        self.each(|handler| handler.flush().inspect_err(|_| undelivered = true));
        if undelivered { bail!("not everything was delivered") } else { Ok(()) }
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
        self.each(|handler| handler.tick());
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.each(|handler| handler.control(control));
        Ok(())
    }
}
