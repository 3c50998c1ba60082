//! Medians, tables in Markdown, and the lines that set loghand beside the others.

use std::io::{self, Write};
use std::time::Duration;

use crate::check::Found;
use crate::trial::Trial;

/// All rounds of one contender in one row.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    pub lines: usize,
    pub trials: Vec<Trial>,
}

impl Entry {
    /// Seconds until the contender has exited.
    pub fn wall(&self) -> f64 {
        self.median(|trial| trial.taken.wall.as_secs_f64())
    }

    /// Seconds until the last process it left behind is gone.
    pub fn done(&self) -> f64 {
        self.median(|trial| trial.taken.done.as_secs_f64())
    }

    pub fn cpu(&self) -> f64 {
        self.median(|trial| trial.taken.cpu.as_secs_f64())
    }

    pub fn cpu_per_line_micros(&self) -> f64 {
        self.cpu() * 1e6 / self.lines as f64
    }

    /// CPU seconds per GiB of input.
    pub fn cpu_per_gib(&self) -> f64 {
        self.cpu() * (1_u64 << 30) as f64 / self.median(|trial| trial.fed.bytes as f64)
    }

    /// 10^6 bytes of input per second, by all done.
    pub fn rate(&self) -> f64 {
        self.median(|trial| trial.fed.bytes as f64 / trial.taken.done.as_secs_f64() / 1e6)
    }

    /// The same for the best round: what the contender can do when nothing else disturbs it.
    pub fn best_rate(&self) -> f64 {
        self.worst(|trial| trial.fed.bytes as f64 / trial.taken.done.as_secs_f64() / 1e6)
    }

    /// The largest of all rounds.
    pub fn peak_mib(&self) -> f64 {
        self.worst(|trial| trial.taken.peak_kib as f64 / 1024.0)
    }

    pub fn stall_ms(&self) -> f64 {
        self.median(|trial| millis(trial.fed.stall))
    }

    pub fn worst_stall_ms(&self) -> f64 {
        self.worst(|trial| millis(trial.fed.stall))
    }

    /// Bytes of the compressed files by the bytes of the text in them.
    pub fn packing(&self) -> Option<f64> {
        let found = self.found()?;
        (found.unpacked > 0).then(|| found.packed as f64 / found.unpacked as f64)
    }

    /// The first thing that went wrong in any round.
    pub fn fault(&self) -> Option<String> {
        self.trials.iter().find_map(|trial| trial.found.as_ref().err().map(|error| format!("{error:#}")))
    }

    fn found(&self) -> Option<&Found> {
        self.trials.iter().find_map(|trial| trial.found.as_ref().ok())
    }

    fn files(&self) -> String {
        let Some(found) = self.found() else { return "-".to_owned() };
        format!("{}, {}", found.files, if found.whole_lines { "lines" } else { "mid-line" })
    }

    fn check(&self) -> String {
        if self.fault().is_some() { "BAD" } else { "ok" }.to_owned()
    }

    fn median(&self, figure: impl Fn(&Trial) -> f64) -> f64 {
        median(self.trials.iter().map(figure).collect())
    }

    fn worst(&self, figure: impl Fn(&Trial) -> f64) -> f64 {
        self.trials.iter().map(figure).fold(0.0, f64::max)
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The middle of `values`; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(below), Some(above)) if values.len().is_multiple_of(2) => f64::midpoint(*below, *above),
        (_, Some(value)) => *value,
        _ => f64::NAN,
    }
}

/// The entry of that name.
pub fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

/// A column: its head, and what it says of an entry.
pub type Column = (&'static str, fn(&Entry) -> String);

pub const WALL: Column = ("wall s", |entry| format!("{:.3}", entry.wall()));
pub const DONE: Column = ("all done s", |entry| format!("{:.3}", entry.done()));
pub const CPU: Column = ("CPU s", |entry| format!("{:.3}", entry.cpu()));
pub const CPU_PER_GIB: Column = ("CPU s/GiB", |entry| format!("{:.3}", entry.cpu_per_gib()));
pub const CPU_PER_LINE: Column = ("CPU us/line", |entry| format!("{:.3}", entry.cpu_per_line_micros()));
pub const RATE: Column = ("MB/s", |entry| format!("{:.0}", entry.rate()));
pub const PEAK: Column = ("peak MiB", |entry| format!("{:.1}", entry.peak_mib()));
pub const STALL: Column = ("stall ms", |entry| format!("{:.1}", entry.stall_ms()));
pub const WORST: Column = ("worst ms", |entry| format!("{:.1}", entry.worst_stall_ms()));
pub const FILES: Column = ("files, cuts", Entry::files);
pub const PACKING: Column =
    ("out/in", |entry| entry.packing().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}")));
const ROUNDS: Column = ("rounds", |entry| entry.trials.len().to_string());
const CHECK: Column = ("check", Entry::check);

/// One table of `columns`, and beneath it how `ours` stands to each other by `figure`.
pub fn row(
    out: &mut impl Write,
    title: &str,
    entries: &[Entry],
    columns: &[Column],
    (ours, what, figure): (&str, &str, fn(&Entry) -> f64),
) -> io::Result<()> {
    let columns = [&[ROUNDS], columns, &[CHECK]].concat();
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    let rows = entries.iter().map(|entry| (entry.name, columns.iter().map(|(_, cell)| cell(entry)).collect()));
    table(out, title, heads, rows.collect())?;
    for entry in entries {
        if let Some(fault) = entry.fault() {
            writeln!(out, "- BAD: {}: {fault}", entry.name)?;
        }
    }
    // A run that lost bytes is not a fast one: no ratio to it, nor of it.
    let sound = |entry: &&Entry| entry.fault().is_none();
    let Some(own) = find(entries, ours).filter(sound) else { return writeln!(out) };
    for entry in entries.iter().filter(sound).filter(|entry| entry.name != ours) {
        writeln!(out, "- {what}: {ours} / {} = {:.2}", entry.name, figure(own) / figure(entry))?;
    }
    writeln!(out)
}

/// A Markdown table, padded so that it also reads well in a terminal.
pub fn table(out: &mut impl Write, title: &str, heads: Vec<String>, rows: Vec<(&str, Vec<String>)>) -> io::Result<()> {
    let mut lines = vec![[vec!["contender".to_owned()], heads].concat()];
    lines.extend(rows.into_iter().map(|(name, cells)| [vec![name.to_owned()], cells].concat()));
    let widths = (0..lines[0].len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0));
    let widths = widths.collect::<Vec<_>>();
    writeln!(out, "## {title}\n")?;
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            write!(out, "| {cell:width$} ")?;
        }
        writeln!(out, "|")?;
        if number == 0 {
            widths.iter().try_for_each(|width| write!(out, "|{}", "-".repeat(width + 2)))?;
            writeln!(out, "|")?;
        }
    }
    writeln!(out)
}
