//! One timed run: an empty directory, a runner, the producer on the other end, and the check afterwards.

use std::env;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead, BufReader, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::check::{self, Found};
use crate::contenders::Contender;
use crate::producer::{self, Fed, Pace};
use crate::runner::{READY, Taken};

/// The figures of one run.
#[derive(Debug)]
pub struct Trial {
    pub taken: Taken,
    pub fed: Fed,
    /// What was found in the files, or what is wrong with them.
    pub found: Result<Found>,
}

/// The starts of one contender on empty stdin.
#[derive(Debug)]
pub struct Starts {
    pub micros: Vec<f64>,
    pub cpu_micros: f64,
    pub peak_mib: f64,
}

/// A directory in which contenders take turns.
pub struct Arena {
    dir: PathBuf,
}

impl Arena {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.join("out") }
    }

    /// Feeds `input` to `contender` at `pace`.
    pub fn run(&self, contender: &Contender, input: &[u8], pace: Pace) -> Result<Trial> {
        self.prepare(contender)?;
        warm_up(input.len());
        let (reader, mut writer) = pipe()?;
        let mut runner = self.runner(&["run-one"], contender, reader.into())?;
        let mut answer = BufReader::new(runner.stdout.take().context("the runner has no stdout")?);
        let mut line = String::new();
        answer.read_line(&mut line)?;
        ensure!(line.trim() == READY, "the runner did not start");
        let fed = producer::feed(&mut writer, input, pace)?;
        drop(writer);
        line.clear();
        answer.read_line(&mut line)?;
        ensure!(runner.wait()?.success(), "{} could not be run", contender.name);
        let taken = Taken::from_line(&line)?;
        let found = self.judge(contender, input, taken, fed);
        self.clear()?;
        Ok(Trial { taken, fed, found })
    }

    /// Writes the file that [`Arena::read`] reads.
    pub fn put_input(&self, input: &[u8]) -> Result<()> {
        Ok(fs::write(self.parent()?.join("input.log"), input)?)
    }

    /// Where everything is.
    pub fn parent(&self) -> Result<&Path> {
        self.dir.parent().context("the contenders' directory lies in none")
    }

    /// Lets `contender` read the file with `input` in it.
    pub fn read(&self, contender: &Contender, input: &[u8]) -> Result<Trial> {
        let checkpoint = self.parent()?.join("checkpoint");
        if checkpoint.exists() {
            fs::remove_file(checkpoint)?;
        }
        self.prepare(contender)?;
        warm_up(input.len());
        let runner = self.runner(&["run-one"], contender, Stdio::null())?;
        let output = runner.wait_with_output()?;
        ensure!(output.status.success(), "{} could not be run", contender.name);
        let text = String::from_utf8(output.stdout)?;
        let taken = Taken::from_line(text.lines().nth(1).unwrap_or_default())?;
        let fed = Fed { bytes: input.len(), stall: Duration::ZERO };
        let found = self.judge(contender, input, taken, fed);
        self.clear()?;
        Ok(Trial { taken, fed, found })
    }

    /// Starts `contender` on an empty stdin, `times` times.
    pub fn start(&self, contender: &Contender, times: u32) -> Result<Starts> {
        self.prepare(contender)?;
        let runner = self.runner(&["run-many", &times.to_string()], contender, Stdio::null())?;
        let output = runner.wait_with_output()?;
        ensure!(output.status.success(), "{}: {}", contender.name, self.said());
        let text = String::from_utf8(output.stdout)?;
        let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>();
        let numbers = numbers.with_context(|| format!("the runner said {text:?}"))?;
        self.clear()?;
        let [micros @ .., cpu_micros, peak_mib] = &numbers[..] else {
            bail!("the runner said {text:?}");
        };
        Ok(Starts { micros: micros.to_vec(), cpu_micros: *cpu_micros, peak_mib: *peak_mib })
    }

    fn runner(&self, call: &[&str], contender: &Contender, stdin: Stdio) -> Result<Child> {
        let child = Command::new(env::current_exe()?)
            .args(call)
            .arg(contender.stdout.unwrap_or("/dev/null"))
            .args(&contender.argv)
            .current_dir(&self.dir)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(File::create(self.stderr())?)
            .spawn()?;
        Ok(child)
    }

    fn judge(&self, contender: &Contender, input: &[u8], taken: Taken, fed: Fed) -> Result<Found> {
        ensure!(taken.code == 0, "exit {}: {}", taken.code, self.said());
        ensure!(fed.bytes == input.len(), "left after {} of {} bytes: {}", fed.bytes, input.len(), self.said());
        check::check(&self.dir, contender, input)
    }

    fn prepare(&self, contender: &Contender) -> Result<()> {
        self.clear()?;
        fs::create_dir(&self.dir)?;
        for (name, text) in &contender.prepared {
            let file = self.dir.join(name);
            fs::create_dir_all(file.parent().unwrap_or(&self.dir))?;
            fs::write(file, text)?;
        }
        Ok(())
    }

    fn clear(&self) -> Result<()> {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir)?;
        }
        Ok(())
    }

    fn stderr(&self) -> PathBuf {
        self.dir.with_file_name("stderr")
    }

    /// The first line the contender wrote to stderr.
    fn said(&self) -> String {
        let text = fs::read(self.stderr()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or("(nothing on stderr)").to_owned()
    }
}

/// Touches and frees as much memory as the files will take: else the first run after a pause pays the machine's own
/// page faults.
fn warm_up(bytes: usize) {
    let mut memory = vec![0_u8; bytes];
    for page in memory.chunks_mut(4096) {
        page[0] = 1;
    }
    black_box(&memory);
}
