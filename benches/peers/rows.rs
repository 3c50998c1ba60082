//! The rows: for each its input, its contenders, its columns and its targets.

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;

use crate::contenders::{self as who, Contender};
use crate::follow;
use crate::input;
use crate::producer::Pace;
use crate::report::{self, Column, Entry, find};
use crate::targets::Target;
use crate::trial::Arena;

const MIB: u64 = 1 << 20;
/// What a program with a full stdio buffer, or `cat`, puts into a pipe at once.
const BLOCK: usize = 64 << 10;
const OURS: &str = "loghand rotate";
const READING: &str = "loghand tee --input";
const COMPRESSING: &str = "loghand rotate --compress";
const PEAK_LIMIT_MIB: f64 = 8.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Row {
    RotateSize,
    RotateLines,
    RotateGzip,
    Startup,
    Memory,
    ReadFile,
    Follow,
}

/// Where and how long the rows run, and what they found.
pub struct Bench<W> {
    pub arena: Arena,
    pub rounds: usize,
    /// Sizes are divided by it.
    pub shrink: u64,
    pub out: W,
    pub targets: Vec<Target>,
}

impl<W: Write> Bench<W> {
    pub fn run(&mut self, row: Row) -> Result<()> {
        match row {
            Row::RotateSize => self.rotate_size(),
            Row::RotateLines => self.rotate_lines(),
            Row::RotateGzip => self.rotate_gzip(),
            Row::Startup => self.startup(),
            Row::Memory => self.memory(),
            Row::ReadFile => self.read_file(),
            Row::Follow => self.follow(),
        }
    }

    fn rotate_size(&mut self) -> Result<()> {
        let input = input::mixed_lines(self.bytes(1024));
        let max = 64 * MIB / self.shrink;
        let contenders = [vec![who::cat(), who::loghand(max), who::tee()], who::rotators(max)].concat();
        let entries = self.rounds(&contenders, &input, Pace::full(BLOCK))?;
        let title = format!("rotate_size: {} MiB of mixed lines, {} MiB a file", 1024 / self.shrink, max / MIB);
        let columns = [report::WALL, report::CPU_PER_GIB, report::RATE, report::PEAK, report::STALL, report::FILES];
        self.show(&title, &entries, &columns, (OURS, "throughput", Entry::rate))?;
        let Some(own) = find(&entries, OURS) else { return Ok(()) };
        self.targets.push(Target::intact("1 every byte and line intact", own.fault()));
        if let Some(cat) = find(&entries, "cat > file") {
            self.target(own, Target::at_least("1 throughput / cat, medians", 0.95, own.rate() / cat.rate()));
            // Beside the medians, as a crowded machine moves these less.
            self.target(
                own,
                Target::at_least("1 the same of the best rounds", 0.95, own.best_rate() / cat.best_rate()),
            );
        }
        if let Some(s6) = find(&entries, "s6-log") {
            self.target(own, Target::at_least("1 throughput / s6-log", 5.0, own.rate() / s6.rate()));
        }
        self.peak("4 peak MiB, rotate_size", own);
        Ok(())
    }

    fn rotate_lines(&mut self) -> Result<()> {
        let max = 8 * MIB / self.shrink;
        let contenders =
            [vec![who::cat(), who::loghand(max), who::loghand_tee(), who::tee()], who::rotators(max)].concat();
        let columns = [report::WALL, report::CPU, report::CPU_PER_LINE, report::PEAK, report::STALL, report::FILES];
        let ratio: (&str, &str, fn(&Entry) -> f64) = (OURS, "CPU per line", Entry::cpu_per_line_micros);

        let count = self.count(1_000_000);
        let fast = self.rounds(&contenders, &input::short_lines(count), Pace::full(100))?;
        self.show(&format!("rotate_lines, fast: {count} lines, one write each"), &fast, &columns, ratio)?;
        let count = self.count(100_000);
        let pace = Pace::bytes_per_second(100, 100.0 * 50_000.0);
        let paced = self.rounds(&contenders, &input::short_lines(count), pace)?;
        self.show(&format!("rotate_lines, paced: {count} lines, 50 000 a second"), &paced, &columns, ratio)?;

        for (ours, what) in [(OURS, "2 CPU per line / tee, fast"), ("loghand tee", "2 the same of loghand tee")] {
            if let (Some(own), Some(tee)) = (find(&fast, ours), find(&fast, "tee file > /dev/null")) {
                self.target(own, Target::at_most(what, 1.1, own.cpu() / tee.cpu()));
            }
        }
        if let (Some(own), Some(s6)) = (find(&paced, OURS), find(&paced, "s6-log")) {
            self.target(own, Target::at_most("2 CPU / s6-log, 50 000 lines/s", 1.0, own.cpu() / s6.cpu()));
        }
        for (entries, what) in [(&fast, "4 peak MiB, rotate_lines, fast"), (&paced, "4 peak MiB, rotate_lines, paced")]
        {
            if let Some(own) = find(entries, OURS) {
                self.peak(what, own);
            }
        }
        Ok(())
    }

    fn rotate_gzip(&mut self) -> Result<()> {
        let input = input::mixed_lines(self.bytes(256));
        let max = 16 * MIB / self.shrink;
        // loghand without --compress stands beside it: its memory must stay small on the same input.
        let ours = vec![who::loghand_compress(max), who::loghand(max)];
        let contenders = [ours, who::compressors(max)].concat();
        let columns = [
            report::WALL,
            report::DONE,
            report::CPU,
            report::RATE,
            report::PEAK,
            report::STALL,
            report::WORST,
            report::FILES,
            report::PACKING,
        ];
        let title = format!("rotate_gzip: {} MiB, {} MiB a file", 256 / self.shrink, max / MIB);
        let ratio: (&str, &str, fn(&Entry) -> f64) = (COMPRESSING, "all done", Entry::done);
        let fast = self.rounds(&contenders, &input, Pace::full(BLOCK))?;
        self.show(&format!("{title}, full speed"), &fast, &columns, ratio)?;
        let ratio: (&str, &str, fn(&Entry) -> f64) = (COMPRESSING, "stall", Entry::stall_ms);
        let paced = self.rounds(&contenders, &input, Pace::bytes_per_second(BLOCK, (40 * MIB) as f64))?;
        self.show(&format!("{title}, 40 MiB/s"), &paced, &columns, ratio)?;

        if let Some(own) = find(&paced, COMPRESSING) {
            self.target(own, Target::at_most("3 longest stall ms of all rounds, 40 MiB/s", 10.0, own.worst_stall_ms()));
        }
        if let Some(own) = find(&fast, COMPRESSING) {
            if let Some(pigz) = find(&fast, "pigz -6 > file") {
                self.target(own, Target::at_most("3 all done / pigz -6, full speed", 1.0, own.done() / pigz.done()));
            }
            let gzip = find(&fast, "gzip -6 > file").and_then(Entry::packing);
            if let (Some(packing), Some(gzip)) = (own.packing(), gzip) {
                self.target(own, Target::at_most("3 size of archives / gzip -6", 1.03, packing / gzip));
            }
        }
        for (entries, what) in [
            (&fast, "4 peak MiB, rotate_gzip's input without --compress, fast"),
            (&paced, "4 peak MiB, rotate_gzip's input without --compress, paced"),
        ] {
            if let Some(own) = find(entries, OURS) {
                self.peak(what, own);
            }
        }
        Ok(())
    }

    fn memory(&mut self) -> Result<()> {
        let bytes = self.bytes(256);
        let input = input::endless_line(bytes);
        // A line is never cut: the size of a file gives way.
        let ours = Contender { strict: None, ..who::loghand(64 * MIB / self.shrink) };
        let contenders = [ours, who::loghand_tee(), who::cat(), who::tee()];
        let entries = self.rounds(&contenders, &input, Pace::full(BLOCK))?;
        let title = format!("memory: one line of {} MiB without a line end", 256 / self.shrink);
        let columns = [report::WALL, report::CPU, report::PEAK, report::STALL, report::FILES];
        self.show(&title, &entries, &columns, (OURS, "peak", Entry::peak_mib))?;
        for (ours, what) in [(OURS, "4 peak MiB, one endless line"), ("loghand tee", "4 the same of loghand tee")] {
            if let Some(own) = find(&entries, ours) {
                self.peak(what, own);
            }
        }
        Ok(())
    }

    fn read_file(&mut self) -> Result<()> {
        let input = input::mixed_lines(self.bytes(1024));
        self.arena.put_input(&input)?;
        let contenders = self.present(&who::readers())?;
        let mut entries: Vec<Entry> =
            contenders.iter().map(|who| Entry { name: who.name, lines: 0, trials: Vec::new() }).collect();
        for _ in 0..self.rounds {
            for (contender, entry) in contenders.iter().zip(&mut entries) {
                entry.trials.push(self.arena.read(contender, &input)?);
            }
        }
        let title = format!("read_file: a file of {} MiB, once", 1024 / self.shrink);
        let columns = [report::WALL, report::CPU_PER_GIB, report::RATE, report::PEAK];
        self.show(&title, &entries, &columns, (READING, "throughput", Entry::rate))?;
        if let (Some(own), Some(cat)) = (find(&entries, READING), find(&entries, "cat file > file")) {
            self.target(own, Target::at_least("5 throughput / cat, medians", 0.9, own.rate() / cat.rate()));
            self.target(own, Target::at_least("5 the same of the best rounds", 0.9, own.best_rate() / cat.best_rate()));
            self.peak("5 peak MiB, read_file", own);
        }
        Ok(())
    }

    fn follow(&mut self) -> Result<()> {
        let input = input::mixed_lines(self.bytes(512));
        let all = follow::follow(self.arena.parent()?, 1000, &input)?;
        let title = format!("follow: 1000 files, of which one gets {} MiB at 100 MiB/s", 512 / self.shrink);
        follow::show(&mut self.out, &title, &all)?;
        if let Some(own) = all.first() {
            self.targets.push(Target::intact("6 every byte", (!own.intact).then(|| "BAD".to_owned())));
            self.targets.push(Target::at_most("6 ms from append to output, worst", 10.0, own.latency[2]));
            self.targets.push(Target::at_most("6 ms behind at the end of the stream", 100.0, own.lag));
            self.targets.push(Target::at_most("6 idle CPU ms in 2 s", 0.0, own.idle_cpu * 1e3));
        }
        Ok(())
    }

    fn startup(&mut self) -> Result<()> {
        let max = 64 * MIB;
        let all = [vec![who::cat(), who::loghand(max), who::loghand_tee(), who::tee()], who::rotators(max)].concat();
        // An interpreter's start would take longer than all the others together.
        let contenders = self.present(&all.into_iter().filter(|contender| contender.share == 1).collect::<Vec<_>>())?;
        let times = u32::try_from(300 / self.shrink)?;
        let mut starts = contenders.iter().map(|_| Vec::new()).collect::<Vec<_>>();
        for _ in 0..self.rounds {
            for (contender, starts) in contenders.iter().zip(&mut starts) {
                match self.arena.start(contender, times) {
                    Ok(start) => starts.push(start),
                    Err(error) => writeln!(self.out, "{} failed: {error:#}", contender.name)?,
                }
            }
        }
        let mut medians = Vec::new();
        let mut table = Vec::new();
        for (contender, starts) in contenders.iter().zip(&starts) {
            let middle = report::median(starts.iter().flat_map(|start| start.micros.iter().copied()).collect());
            let fastest = starts.iter().flat_map(|start| &start.micros).copied().fold(f64::INFINITY, f64::min);
            let cpu = report::median(starts.iter().map(|start| start.cpu_micros).collect());
            let peak = starts.iter().map(|start| start.peak_mib).fold(0.0, f64::max);
            medians.push((contender.name, middle));
            let figures = [(middle, 0), (fastest, 0), (cpu, 0), (peak, 1)];
            let cells = figures.map(|(figure, digits)| format!("{figure:.digits$}"));
            table.push((contender.name, cells.to_vec()));
        }
        let title =
            format!("startup: {} starts on an empty stdin, in {} rounds", times as usize * self.rounds, self.rounds);
        let heads = ["median us", "fastest us", "CPU us", "peak MiB"].map(str::to_owned).to_vec();
        report::table(&mut self.out, &title, heads, table)?;
        let median_of = |name| medians.iter().find(|(other, _)| *other == name).map(|(_, middle)| *middle);
        if let (Some(own), Some(cat)) = (median_of(OURS), median_of("cat > file")) {
            self.targets.push(Target::at_most("4 start to end on empty stdin / cat", 2.0, own / cat));
        }
        Ok(())
    }

    /// Runs every contender once, then every contender again: what the machine does meanwhile hits all alike.
    fn rounds(&mut self, contenders: &[Contender], input: &[u8], pace: Pace) -> Result<Vec<Entry>> {
        let contenders = self.present(contenders)?;
        let mut entries = Vec::new();
        for contender in &contenders {
            let lines = share(input, contender.share).iter().filter(|byte| **byte == b'\n').count();
            entries.push(Entry { name: contender.name, lines, trials: Vec::new() });
        }
        for round in 0..self.rounds {
            for (contender, entry) in contenders.iter().zip(&mut entries) {
                if round == 0 || !contender.slow {
                    entry.trials.push(self.arena.run(contender, share(input, contender.share), pace)?);
                }
            }
        }
        Ok(entries)
    }

    /// Those whose program is here; the others are named.
    fn present(&mut self, contenders: &[Contender]) -> Result<Vec<Contender>> {
        let mut here = Vec::new();
        for contender in contenders {
            match contender.clone().located() {
                Some(found) => here.push(found),
                None => writeln!(self.out, "Left out, not installed: {}\n", contender.name)?,
            }
        }
        Ok(here)
    }

    fn show(
        &mut self,
        title: &str,
        entries: &[Entry],
        columns: &[Column],
        ratio: (&str, &str, fn(&Entry) -> f64),
    ) -> Result<()> {
        Ok(report::row(&mut self.out, title, entries, columns, ratio)?)
    }

    /// Counts a target as missed if the bytes were not right: figures of a run that lost some mean nothing.
    fn target(&mut self, own: &Entry, target: Target) {
        let sound = own.fault().is_none();
        self.targets.push(if sound { target } else { Target { reached: "BAD".to_owned(), met: false, ..target } });
    }

    fn peak(&mut self, what: &'static str, own: &Entry) {
        self.target(own, Target::at_most(what, PEAK_LIMIT_MIB, own.peak_mib()));
    }

    fn bytes(&self, mib: u64) -> usize {
        usize::try_from(mib * MIB / self.shrink).unwrap_or(usize::MAX)
    }

    fn count(&self, lines: u64) -> usize {
        usize::try_from(lines / self.shrink).unwrap_or(usize::MAX)
    }
}

/// The first `1 / part` of `input`, to a line end where it has any.
fn share(input: &[u8], part: usize) -> &[u8] {
    let share = &input[..input.len() / part];
    match share.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => &share[..=end],
        None => share,
    }
}
