//! What loghand put out, held against what it must, may, and must not.

use std::fs;

use loghand::sources::position::Print;
use serde_json::Value;

use crate::run::{Run, until};
use crate::steps::{LOGS, Pattern};
use crate::world::{Came, World};

impl World {
    /// Starts it, unless it runs; as a cron job it runs to its end.
    pub fn start(&mut self) -> Result<(), String> {
        if self.run.is_some() {
            return Ok(());
        }
        self.spawn(!self.setup.once)?;
        if self.setup.once { self.stop() } else { Ok(()) }
    }

    fn spawn(&mut self, follows: bool) -> Result<(), String> {
        let no_positions = self.setup.from_end && self.checkpoint().is_none();
        let first = self.runs == 0;
        if no_positions {
            for line in self.names.values().flat_map(|text| &self.texts[*text].lines).map(|(_, line)| *line) {
                let line = &mut self.lines[line];
                // A line that has only begun is read whole, once it is.
                line.forbidden |= first && line.finished && !line.excused;
                line.excused |= !first || !line.finished;
            }
            // Nobody looks at archives then.
            let live: Vec<usize> = (0..LOGS).filter_map(|log| self.live(log)).collect();
            let archived: Vec<usize> = self.names.values().copied().filter(|text| !live.contains(text)).collect();
            archived.into_iter().for_each(|text| self.texts[text].excused = true);
        }
        self.came = Came::default();
        self.run = Some(Run::start(&self.root, &self.setup, self.runs, follows));
        self.runs += 1;
        if let Some(run) = self.run.as_mut().filter(|_| no_positions && follows) {
            run.until_ready()?;
            self.know_what_stands();
        }
        Ok(())
    }

    fn know_what_stands(&mut self) {
        for log in 0..LOGS {
            self.logs[log].known |= self.live(log).is_some();
        }
    }

    /// Whether loghand runs, and goes on running.
    pub fn is_followed(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.follows)
    }

    /// Waits until all is read that can be.
    pub fn quiesce(&mut self) -> Result<(), String> {
        if self.setup.once {
            return self.start();
        }
        self.start()?;
        until("all lines", || {
            self.drain()?;
            Ok(self.first_missing().is_none())
        })
        .map_err(|why| format!("{why}; missing: {:?}", self.first_missing()))?;
        self.is_read();
        Ok(())
    }

    /// Whatever stands has been read.
    fn is_read(&mut self) {
        for log in 0..LOGS {
            let read = |text: usize| self.texts[text].lines.iter().any(|(_, line)| self.lines[*line].delivered);
            self.logs[log].known |= self.live(log).is_some_and(read);
        }
        for line in &mut self.lines {
            line.seen |= line.delivered;
        }
        for text in &self.texts {
            if let (Some(Some(before)), Some((_, open))) = (text.open_behind, text.lines.last()) {
                self.lines[*open].seen |= self.lines[before].seen;
            }
        }
    }

    /// A line that stands somewhere and has not come.
    fn first_missing(&self) -> Option<String> {
        let standing = self.names.values().flat_map(|text| self.texts[*text].lines.iter().map(|(_, line)| *line));
        let missing = |line: &usize| {
            let line = &self.lines[*line];
            line.finished && !line.delivered && !line.excused && !line.forbidden
        };
        standing.into_iter().find(missing).map(|line| self.shown(line))
    }

    /// Ends the run, or waits for its end.
    pub fn stop(&mut self) -> Result<(), String> {
        if !self.setup.checkpoint || (self.run.is_none() && !self.setup.once) {
            return Ok(());
        }
        if self.run.is_none() {
            return self.start();
        }
        self.finish()
    }

    fn finish(&mut self) -> Result<(), String> {
        let Some(run) = &mut self.run else { return Ok(()) };
        if run.follows {
            run.terminate()?;
        }
        let code = run.wait()?;
        self.drain()?;
        let Some(mut run) = self.run.take() else { return Ok(()) };
        if let Some(rest) = run.unfinished() {
            self.deliver(&rest)?;
        }
        let messages = run.messages();
        let skipped: Vec<u64> = messages.lines().filter_map(skipped).collect();
        self.skipped += skipped.iter().sum::<u64>();
        let failed = !skipped.is_empty() || messages.contains("no such file");
        if code != Some(i32::from(failed)) || messages.lines().any(|line| !is_expected(line)) {
            return Err(format!("exit code {code:?}, and it said {messages:?}"));
        }
        if let Some(missing) = self.first_missing() {
            return Err(format!("missing after the end: {missing}"));
        }
        self.is_read();
        for line in &mut self.lines {
            line.covered |= line.delivered;
        }
        self.look_into_checkpoint();
        Ok(())
    }

    pub fn kill(&mut self) -> Result<(), String> {
        if !self.setup.checkpoint {
            return Ok(());
        }
        if self.setup.once {
            self.spawn(false)?;
            // Somewhere on its way, or behind it.
            std::thread::sleep(std::time::Duration::from_millis(self.lines.len() as u64 % 32));
        }
        let Some(run) = &mut self.run else { return Ok(()) };
        run.kill();
        self.killed = true;
        let killed = self.drain().map(|()| self.run.as_mut().and_then(Run::unfinished));
        // It may have come to its end before.
        if let Some(rest) = killed?.filter(|rest| self.number_of(rest).is_some()) {
            self.deliver(&rest)?;
        }
        self.skipped += self.run.take().map_or(0, |run| run.messages().lines().filter_map(skipped).sum());
        self.look_into_checkpoint();
        Ok(())
    }

    fn checkpoint(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.root.join("positions")).ok()?).ok()
    }

    /// Takes note of what the next run will know.
    fn look_into_checkpoint(&mut self) {
        let checkpoint = self.checkpoint().unwrap_or_default();
        let logs: Vec<&Value> = checkpoint["logs"].as_array().into_iter().flatten().collect();
        let path = |value: &Value| value.as_str().unwrap().to_owned();
        for log in 0..LOGS {
            let own = self.root.join(["logs/a.log", "logs/b.log", "logs/c.log"][log]);
            let known = logs.iter().any(|log| path(&log["path"]) == own.to_str().unwrap());
            self.logs[log].known = known;
            if !known && (self.setup.from_end || self.setup.pattern != Pattern::Archives) {
                // Nobody looks at its archives then, and who is to say whether it was there when positions were written
                // down last?
                let live = self.live(log).filter(|_| !self.setup.from_end);
                let is_meant = |text: &usize| self.texts[*text].log == log && live != Some(*text);
                let of_log: Vec<usize> = (0..self.texts.len()).filter(is_meant).collect();
                of_log.into_iter().for_each(|text| self.excuse(text));
            }
        }
        let states = |part: &'static str| logs.iter().flat_map(move |log| log[part].as_array().into_iter().flatten());
        let mut places: Vec<String> = Vec::new();
        for state in states("files").chain(states("done")) {
            places.push(path(&state["place"]));
            let offset = state["offset"].as_u64().unwrap();
            for text in &self.texts {
                let print = |end: u64, bytes: u64| {
                    text.bytes
                        .get((end - bytes) as usize..end as usize)
                        .map(|bytes| format!("{:016x}", Print::of(bytes).hash))
                };
                let is_of = |what: &str, end: Option<u64>| {
                    let bytes = state[what]["bytes"].as_u64().unwrap();
                    print(end.unwrap_or(bytes), bytes).as_deref() == state[what]["hash"].as_str()
                };
                if offset > 0 && is_of("head", None) && is_of("before", Some(offset)) {
                    for (_, line) in text.lines.iter().take_while(|(end, _)| *end <= offset) {
                        self.lines[*line].covered = true;
                    }
                }
            }
        }
        let root = self.root.clone();
        if self.setup.linked {
            // What a link led to once is known by nothing else.
            let forgotten: Vec<usize> = self
                .names
                .iter()
                .filter(|(name, _)| name.starts_with("data/") && **name != self.live_name(LOGS - 1))
                .filter(|(name, _)| !places.contains(&root.join(name).to_str().unwrap().to_owned()))
                .map(|(_, text)| *text)
                .collect();
            forgotten.into_iter().for_each(|text| self.excuse(text));
            for line in &mut self.lines {
                line.seen = line.covered || line.seen && line.log != LOGS - 1;
            }
        }
    }

    fn drain(&mut self) -> Result<(), String> {
        let lines = self.run.as_mut().map(Run::lines).unwrap_or_default();
        lines.iter().try_for_each(|line| self.deliver(line))
    }

    /// Which line it is.
    fn number_of(&self, bytes: &[u8]) -> Option<usize> {
        let word = bytes.split(|byte| *byte == b' ').next()?;
        let number: usize = std::str::from_utf8(word).ok()?.parse().ok()?;
        self.lines.get(number).is_some_and(|line| line.bytes == bytes).then_some(number)
    }

    fn deliver(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(number) = self.number_of(bytes) else {
            return Err(format!("no such line was written: {}", start_of(bytes)));
        };
        let line = &mut self.lines[number];
        // What nobody need know may be found at any time.
        let (log, generation, late) = (line.log, line.generation, line.late || line.excused);
        line.delivered = true;
        if line.covered {
            return Err(format!("again, although the checkpoint covered it: {}", self.shown(number)));
        }
        if line.forbidden {
            return Err(format!("from before the end: {}", self.shown(number)));
        }
        if !self.came.lines.insert(number) {
            return Err(format!("twice in one run: {}", self.shown(number)));
        }
        let orders = [Some((log, Some(generation))), (!late).then_some((log, None))];
        for order in orders.into_iter().flatten() {
            let last = self.came.last.insert(order, number);
            if let Some(last) = last.filter(|last| *last > number) {
                return Err(format!("out of order: {} after {}", self.shown(number), self.shown(last)));
            }
        }
        Ok(())
    }

    fn shown(&self, number: usize) -> String {
        let line = &self.lines[number];
        format!("{} (generation {})", start_of(&line.bytes), line.generation)
    }

    /// The last run, and the last word.
    pub fn end(&mut self) -> Result<(), String> {
        self.tell("end");
        if self.setup.once {
            self.start()?;
        } else {
            self.start()?;
            if !self.setup.checkpoint || self.lines.len().is_multiple_of(2) {
                self.quiesce()?;
            }
            self.finish()?;
            if self.setup.checkpoint {
                self.spawn(false)?;
                self.finish()?;
            }
        }
        let unread = |line: &usize| !self.lines[*line].delivered && !self.lines[*line].forbidden;
        let standing: Vec<usize> =
            self.names.values().flat_map(|text| self.texts[*text].lines.iter().map(|(_, line)| *line)).collect();
        for (name, text) in &self.names {
            let text = &self.texts[*text];
            let open = text.open_behind.and(text.lines.last()).map(|(_, line)| *line);
            let is_over = self.live(text.log).is_some_and(|live| self.names[name] != live);
            if let Some(open) = open.filter(|open| is_over && unread(open) && !self.lines[*open].excused) {
                return Err(format!("the last line of {name} is missing: {}", self.shown(open)));
            }
        }
        let lost = (0..self.lines.len()).filter(|line| unread(line) && !standing.contains(line));
        let (mut missing, mut surely) = (0, 0);
        for line in lost.map(|line| &self.lines[line]) {
            let bytes = line.bytes.len() as u64 + u64::from(line.finished);
            missing += bytes;
            surely += if line.seen { bytes } else { 0 };
        }
        if !self.killed && !(surely..=missing).contains(&self.skipped) {
            let skipped = self.skipped;
            return Err(format!("{missing} bytes are missing, {surely} of which were seen; {skipped} were said"));
        }
        Ok(())
    }
}

/// How many bytes a message says to be skipped; but NULs are no lines.
fn skipped(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once(": skipped ")?;
    let (number, _) = rest.split_once(" bytes: ")?;
    number.replace(',', "").parse().ok()
}

fn is_expected(message: &str) -> bool {
    skipped(message).is_some() || message.contains("no such file")
}

fn start_of(bytes: &[u8]) -> String {
    format!("{:?} of {} bytes", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]), bytes.len())
}
