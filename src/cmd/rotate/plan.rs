//! `rotate --plan`: says what would happen, and changes nothing.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::handlers::file::Mode;
use crate::progress::Progress;
use crate::rotation::archives::Found;
use crate::rotation::backups::{self, Room, oldest_of};
use crate::rotation::naming::Stamp;
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
            false => vec![self.0.single_path()?.to_owned()],
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
        let mut len = metadata.as_ref().map_or(0, std::fs::Metadata::len);
        let options = self.0.file.options();
        match &metadata {
            None if self.0.once => {
                writeln!(out, "{}: there is no such file", path.display())?;
                return Ok(());
            }
            None => writeln!(out, "{}: does not exist yet", path.display())?,
            Some(metadata) if !metadata.is_file() => {
                writeln!(out, "{}: is not a regular file, which alone can be rolled over", path.display())?;
                return Ok(());
            }
            Some(_) if options.mode == Mode::Create => {
                writeln!(out, "{}: exists, so it is not opened (--mode x)", path.display())?;
                return Ok(());
            }
            Some(_) if options.mode == Mode::Truncate && len > 0 => {
                writeln!(out, "{}: {}, which would be deleted first (--mode w)", path.display(), ByteSize(len))?;
                len = 0;
            }
            Some(_) => writeln!(out, "{}: {}", path.display(), ByteSize(len))?,
        }

        let mut time = rules.time;
        if let Some(time) = &mut time {
            time.begin(metadata.as_ref().filter(|_| len > 0), None, now);
        }
        let by_size = rules.size.max_bytes > 0 && len >= rules.size.max_bytes;
        let by_time = time.as_mut().is_some_and(|time| time.is_due(now));
        // A byte order mark alone is no line.
        let due = len > options.preamble.len() as u64 && (by_size || by_time || self.0.force);
        let stamp = time.as_ref().map_or_else(|| context.zone.civil(now), |time| time.stamp());
        let Room { target, moves, .. } = backups::find_room(&rules.duties.layout, &path, stamp)
            .with_context(|| format!("{}: its archives", path.display()))?;
        let layout = &rules.duties.layout;
        let archives = layout.scan(&path).with_context(|| format!("{}: its archives", path.display()))?;
        // What a crash left between two steps is put in order before anything else.
        let twins = archives.windows(2).filter(|pair| pair[0].is_twin_of(&pair[1]) && pair[1].compressed);
        let twins = twins.filter(|pair| backups::is_twin(&pair[0].path, &pair[1].path).unwrap_or(false));
        let twins: Vec<&Path> = twins.map(|pair| pair[0].path.as_path()).collect();
        for twin in &twins {
            writeln!(out, "  would delete {}, which is compressed already", twin.display())?;
        }
        match due {
            true => {
                for (from, to) in moves.iter().filter(|(from, _)| !twins.contains(&from.as_path())) {
                    writeln!(out, "  would rename {} to {}", from.display(), to.display())?;
                }
                writeln!(out, "  would be rolled over to {}", target.display())?;
            }
            false => writeln!(out, "  is not due; its next archive is called {}", target.display())?,
        }

        let mut after: Vec<Found> =
            archives.iter().filter(|archive| !twins.contains(&archive.path.as_path())).cloned().collect();
        if let Some(metadata) = metadata.filter(|_| due) {
            for archive in &mut after {
                if let Some((_, to)) = moves.iter().find(|(from, _)| *from == archive.path) {
                    archive.path.clone_from(to);
                }
            }
            after.push(Found::new(target, Stamp::default(), false, &metadata));
            layout.sort(&mut after);
        }
        let mut gone = rules.duties.retention.surplus(&after, now.into());
        let is_kept = |archive: &&Found| !gone.iter().any(|gone| gone.path == archive.path);
        let kept: Vec<&Found> = after.iter().filter(is_kept).collect();
        let sum = kept.iter().map(|archive| archive.len).sum::<u64>() + if due { 0 } else { len };
        gone.extend(oldest_of(kept, sum.saturating_sub(rules.duties.budget.limit())));
        for archive in gone {
            writeln!(out, "  would delete {}", archive.path.display())?;
        }
        let total = archives.iter().map(|archive| archive.len).sum::<u64>() + len;
        writeln!(out, "  archives: {}, all together {}", archives.len(), ByteSize(total))?;

        match rules.size.max_bytes {
            0 => {}
            bytes if self.0.once => writeln!(out, "  is due when it has reached {}", ByteSize(bytes))?,
            bytes => writeln!(out, "  rolls over before it exceeds {}", ByteSize(bytes))?,
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
