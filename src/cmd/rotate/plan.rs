//! `rotate --plan`: says what would happen, and changes nothing.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::progress::Progress;
use crate::rotation::backups::{self, Room};
use crate::stream::context::Context;
use crate::units::ByteSize;

use super::Args;
use super::once::{Once, literal};

/// How many of the next rollovers are shown.
const SHOWN: usize = 5;

/// What would be done with each file.
pub struct Plan(Args);

impl Plan {
    pub fn new(args: Args) -> Self {
        Self(args)
    }

    /// Prints the plan.
    ///
    /// # Errors
    /// [`crate::cli::Usage`] for flags that cannot be; else when a folder cannot be read.
    pub fn run(&self, context: &Context) -> Result<()> {
        let context = Context { zone: self.0.zone(context), ..context.clone() };
        let mut text = Vec::new();
        let paths = match self.0.once {
            true => Once::new(self.0.clone())?.files(&context)?,
            false => self.0.paths.clone(),
        };
        for path in &paths {
            self.describe(path, &context, &mut text)?;
        }
        match io::stdout().write_all(&text) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("stdout"),
            _ => Ok(()),
        }
    }

    fn describe(&self, path: &Path, context: &Context, out: &mut Vec<u8>) -> Result<()> {
        // With --once, files are called as they are called.
        let path = if self.0.once { literal(path) } else { path.to_owned() };
        let log = self.0.log(&path, context, &Progress::hidden())?;
        let rules = log.rules;
        let path = log.path;
        let now = context.clock.now();
        let metadata = fs::symlink_metadata(&path).ok();
        let len = metadata.as_ref().map_or(0, std::fs::Metadata::len);
        match &metadata {
            None => writeln!(out, "{}: does not exist yet", path.display())?,
            Some(metadata) if !metadata.is_file() => {
                writeln!(out, "{}: is not a regular file, which alone can be rolled over", path.display())?;
                return Ok(());
            }
            Some(_) => writeln!(out, "{}: {}", path.display(), ByteSize(len))?,
        }

        let mut time = rules.time;
        if let Some(time) = &mut time {
            time.begin(metadata.as_ref(), None, now);
        }
        let by_size = rules.size.max_bytes > 0 && len >= rules.size.max_bytes;
        let by_time = time.as_mut().is_some_and(|time| time.is_due(now));
        let due = len > 0 && (by_size || by_time || self.0.force);
        let stamp = time.as_ref().map_or_else(|| context.zone.civil(now), |time| time.stamp());
        let Room { target, moves, .. } = backups::find_room(&rules.duties.layout, &path, stamp)
            .with_context(|| format!("{}: its archives", path.display()))?;
        match due {
            true => {
                for (from, to) in &moves {
                    writeln!(out, "  would rename {} to {}", from.display(), to.display())?;
                }
                writeln!(out, "  would be rolled over to {}", target.display())?;
            }
            false => writeln!(out, "  is not due; its next archive is called {}", target.display())?,
        }

        let archives = rules.duties.layout.scan(&path).with_context(|| format!("{}: its archives", path.display()))?;
        let mut retention = rules.duties.retention;
        // The new archive counts, too.
        let surplus = match (due, retention.count) {
            (true, 1) => archives.iter().collect(),
            (due, count) => {
                retention.count = count.saturating_sub(u64::from(due));
                retention.surplus(&archives, now.into())
            }
        };
        for archive in surplus {
            let moved = moves.iter().find(|(from, _)| due && *from == archive.path);
            writeln!(out, "  would delete {}", moved.map_or(&archive.path, |(_, to)| to).display())?;
        }
        let total = archives.iter().map(|archive| archive.len).sum::<u64>() + len;
        writeln!(out, "  archives: {}, all together {}", archives.len(), ByteSize(total))?;

        if rules.size.max_bytes > 0 {
            writeln!(out, "  rolls over before it exceeds {}", ByteSize(rules.size.max_bytes))?;
        }
        if let Some(mut time) = time {
            if by_time {
                time.advance(now);
            }
            writeln!(out, "  next rollovers by the clock, unless the file is empty then:")?;
            let mut at = time.next();
            for _ in 0..SHOWN {
                writeln!(out, "    {}", context.zone.civil(at).format("%a %Y-%m-%d %H:%M:%S %:z"))?;
                at = time.when().next_after(at);
            }
        }
        Ok(())
    }
}
