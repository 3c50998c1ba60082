//! Programs that rotate, each in its own way, under a log that is followed while its writer never stops: every line
//! comes once, whole, and in order.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::follower::{Follower, Piped, Writer, assert_same};
use crate::harness::{Place, Run, is_installed, left_out, lines, names, wait_for, wait_until};
use crate::watch::logrotate;

/// At least so many lines are written, however fast the rotations were.
const LINES: u64 = 20_000;

const ROTATIONS: u64 = 8;

/// How a log is rotated by logrotate, and what its writer does.
#[derive(Clone, Copy)]
struct Case {
    how: &'static str,
    /// The writer makes the new file.
    makes_files: bool,
    /// For so many lines the writer goes on with the old file.
    holds: u64,
    /// The writer waits while logrotate works: it would lose lines itself.
    pauses: bool,
    /// Nothing is rotated before it was read a little: what is deleted or packed while it is written to has the rest of
    /// its lines nowhere else.
    waits: bool,
    /// logrotate's names tell seconds apart.
    names_seconds: bool,
    /// loghand is not there while it happens.
    away: bool,
}

const CASE: Case =
    Case { how: "", makes_files: false, holds: 0, pauses: false, waits: false, names_seconds: false, away: false };

/// Lets a writer write until `meanwhile` is over, and gives what it wrote.
fn while_writing(writer: Writer, meanwhile: impl FnOnce(&Mutex<Writer>)) -> Writer {
    let writer = Mutex::new(writer);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) || writer.lock().unwrap().seq < LINES {
                writer.lock().unwrap().write();
                // A busy machine must not make this many gigabytes, and others want the lock.
                thread::sleep(Duration::from_micros(200));
            }
        });
        let over = Over(&over);
        meanwhile(&writer);
        drop(over);
    });
    writer.into_inner().unwrap()
}

/// Ends the writer, also when the test has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn assert_nothing_is_lost(case: Case) {
    if !is_installed("logrotate") {
        return left_out("logrotate is not installed");
    }
    eprintln!("{}", case.how);
    let place = Place::new();
    let writer = Writer::new(&place.log(), case.makes_files, case.holds);
    let words = if case.away {
        format!("--input FILE --checkpoint {}", place.aside("cp").display())
    } else {
        "--input FILE".into()
    };
    let mut follower = Follower::start(&place, &words);
    let writer = while_writing(writer, |writer| {
        let seq = || writer.lock().unwrap().seq;
        let (mut second, mut opened, mut is_there) = (0, 0, true);
        for rotation in 0..ROTATIONS {
            let before = seq();
            wait_until("the writer has written more", || seq() >= before + LINES / 2 / ROTATIONS);
            if case.waits {
                let (_, bytes) = wait_for("the writer has opened the new file", || {
                    Some(writer.lock().unwrap().opened).filter(|(times, _)| *times >= opened)
                });
                wait_until("it is read", || follower.len() > bytes);
            }
            if case.names_seconds {
                wait_until("another second has come", || now() > second);
            }
            // Away for three rotations of four.
            let away = case.away && rotation % 4 > 0;
            if away && is_there {
                follower.stop();
            } else if !away && !is_there {
                follower.start_again();
            }
            is_there = !away;
            let pause = case.pauses.then(|| writer.lock().unwrap());
            logrotate(&place, case.how);
            drop(pause);
            second = now();
            opened += 1;
        }
        if !is_there {
            follower.start_again();
        }
    });
    let expected = lines(0, 0..writer.seq);
    follower.assert_all(&expected);
}

/// The second that time(2) tells, which lags a little behind.
fn now() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

#[test]
fn logrotate_with_create() {
    assert_nothing_is_lost(Case { how: "create\n nocompress", ..CASE });
}

#[test]
fn logrotate_without_create() {
    assert_nothing_is_lost(Case { how: "nocreate\n missingok", makes_files: true, ..CASE });
}

#[test]
fn logrotate_and_a_writer_that_holds_the_old_file_a_while() {
    assert_nothing_is_lost(Case { how: "create", holds: 500, ..CASE });
}

#[test]
fn logrotate_with_copytruncate() {
    assert_nothing_is_lost(Case { how: "copytruncate", pauses: true, ..CASE });
    assert_nothing_is_lost(Case { how: "copytruncate\n compress", pauses: true, ..CASE });
}

#[test]
fn logrotate_with_compress() {
    assert_nothing_is_lost(Case { how: "create\n compress", waits: true, ..CASE });
    assert_nothing_is_lost(Case { how: "create\n compress", pauses: true, ..CASE });
}

#[test]
fn logrotate_that_packs_and_deletes_what_is_still_written_to() {
    assert_nothing_is_lost(Case { how: "create\n compress", holds: 500, waits: true, ..CASE });
}

#[test]
fn logrotate_with_delayed_compression() {
    assert_nothing_is_lost(Case { how: "create\n compress\n delaycompress", ..CASE });
    assert_nothing_is_lost(Case { how: "create\n compress\n delaycompress", holds: 300, ..CASE });
}

#[test]
fn logrotate_with_dates() {
    let dates = Case { names_seconds: true, ..CASE };
    assert_nothing_is_lost(Case { how: "create\n dateext\n dateformat -%Y%m%d-%s", ..dates });
}

#[test]
fn logrotate_with_dates_and_compression() {
    let dates = Case { names_seconds: true, pauses: true, away: true, ..CASE };
    assert_nothing_is_lost(Case { how: "create\n dateext\n dateformat -%Y%m%d-%s\n compress", ..dates });
}

#[test]
fn logrotate_that_keeps_three() {
    for how in ["create\n rotate 3", "create\n rotate 3\n compress\n delaycompress", "create\n rotate 3\n compress"] {
        assert_nothing_is_lost(Case { how, waits: true, ..CASE });
    }
}

#[test]
fn logrotate_while_nobody_reads() {
    assert_nothing_is_lost(Case { how: "create", away: true, ..CASE });
    assert_nothing_is_lost(Case { how: "nocreate\n missingok", makes_files: true, away: true, ..CASE });
    assert_nothing_is_lost(Case { how: "create", holds: 300, away: true, ..CASE });
}

#[test]
fn logrotate_that_packs_while_nobody_reads() {
    assert_nothing_is_lost(Case { how: "create\n compress", pauses: true, away: true, ..CASE });
    assert_nothing_is_lost(Case { how: "create\n compress\n delaycompress", holds: 200, away: true, ..CASE });
    assert_nothing_is_lost(Case { how: "copytruncate", pauses: true, away: true, ..CASE });
    assert_nothing_is_lost(Case { how: "copytruncate\n compress", pauses: true, away: true, ..CASE });
}

/// Feeds lines to a program that writes them to a log of its own and rotates that, while it is followed. With `away`
/// the follower leaves and comes back again and again.
fn assert_nothing_is_lost_of(place: &Place, writer: &mut Command, words: &str, count: u64, away: bool) {
    let words = match away {
        true => format!("{words} --checkpoint {}", place.aside("cp").display()),
        false => words.to_owned(),
    };
    eprintln!("{words}");
    let mut follower = Follower::start(place, &words);
    let mut writer = Piped::start(writer);
    const PART: u64 = 50;
    for (part, from) in (0..count).step_by(PART as usize).enumerate() {
        writer.send(&lines(0, from..from + PART));
        if part == 0 {
            // A log that is not known yet has no archives that anybody would ask for.
            follower.wait_for(lines(0, 0..PART).len() as u64);
        }
        match part % 100 {
            40 if away => follower.stop(),
            80 if away => follower.start_again(),
            _ => {}
        }
    }
    writer.finish();
    if away {
        follower.stop();
        follower.start_again();
    }
    follower.assert_all(&lines(0, 0..count));
}

/// A folder of archives as s6-log, multilog and svlogd keep it; each must have been made often enough.
fn assert_rotated(place: &Place, times: usize) {
    let archives = place.names().iter().filter(|name| *name != "app.log" && *name != "current").count();
    assert!(archives >= times, "{:?}", place.names());
}

#[test]
fn s6_log() {
    if !is_installed("s6-log") {
        return left_out("s6-log is not installed");
    }
    for (script, away) in [("n1000 s65536", false), ("n1000 s65536", true)] {
        let place = Place::new();
        let mut command = Command::new("s6-log");
        command.arg("--").args(script.split(' ')).arg(&place.logs);
        let current = format!("--input {}/current", place.logs.display());
        // It makes the folder's first file itself.
        assert_nothing_is_lost_of(&place, &mut command, &current, LINES, away);
        assert_rotated(&place, 10);
    }
}

#[test]
fn multilog() {
    if !is_installed("multilog") {
        return left_out("multilog is not installed");
    }
    for away in [false, true] {
        let place = Place::new();
        let mut command = Command::new("multilog");
        command.args(["n1000", "s65536"]).arg(&place.logs);
        let current = format!("--input {}/current", place.logs.display());
        assert_nothing_is_lost_of(&place, &mut command, &current, LINES, away);
        assert_rotated(&place, 10);
    }
}

#[test]
fn svlogd() {
    if !is_installed("svlogd") {
        return left_out("svlogd is not installed");
    }
    for away in [false, true] {
        let place = Place::new();
        std::fs::write(place.logs.join("config"), "s65536\nn0\n").unwrap();
        let mut command = Command::new("svlogd");
        command.arg(&place.logs).stderr(Stdio::null());
        let current = format!("--input {}/current", place.logs.display());
        assert_nothing_is_lost_of(&place, &mut command, &current, LINES, away);
        assert_rotated(&place, 10);
    }
}

/// A Python program that logs what it reads, by this handler.
fn python(place: &Place, handler: &str) -> Command {
    let script = format!(
        "import logging, logging.handlers, sys\n\
         handler = logging.handlers.{handler}\n\
         log = logging.getLogger()\n\
         log.addHandler(handler)\n\
         log.setLevel(logging.INFO)\n\
         for line in sys.stdin:\n    log.info('%s', line[:-1])\n"
    );
    let mut command = Command::new("python3");
    command.arg("-c").arg(script).arg(place.log());
    command
}

#[test]
fn pythons_rotating_file_handler() {
    if !is_installed("python3") {
        return left_out("python3 is not installed");
    }
    for away in [false, true] {
        let place = Place::new();
        let mut command = python(&place, "RotatingFileHandler(sys.argv[1], maxBytes=65536, backupCount=1000)");
        assert_nothing_is_lost_of(&place, &mut command, "--input FILE", LINES, away);
        assert_rotated(&place, 10);
    }
}

#[test]
fn pythons_timed_rotating_file_handler() {
    if !is_installed("python3") {
        return left_out("python3 is not installed");
    }
    let place = Place::new();
    let mut writer = Piped::start(&mut python(&place, "TimedRotatingFileHandler(sys.argv[1], when='S')"));
    let mut follower = Follower::start(&place, "--input FILE");
    let mut sent = 0;
    wait_until("it is rotated often enough", || {
        writer.send(&lines(0, sent..sent + 50));
        sent += 50;
        if sent == 50 {
            follower.wait_for(lines(0, 0..50).len() as u64);
        }
        place.archives() >= 5 && sent >= LINES
    });
    writer.finish();
    follower.assert_all(&lines(0, 0..sent));
}

#[test]
fn loghands_own_rotation() {
    let how = ["--max-bytes 64K", "--max-bytes 64K --compress", "--max-bytes 64K --compress --delay-compress"];
    for (how, away) in how.into_iter().flat_map(|how| [(how, false), (how, true)]) {
        eprintln!("{how}, away: {away}");
        let place = Place::new();
        let mut command = place.loghand(&format!("rotate FILE --backup-count 0 {how}"));
        assert_nothing_is_lost_of(&place, &mut command, "--input FILE", LINES, away);
        assert_rotated(&place, 10);
    }
}

#[test]
fn loghands_own_dated_names() {
    let place = Place::new();
    let dated = place.logs.join("%Y/%H-%M-%S/app.log");
    let mut writer = Piped::start(&mut place.loghand(&format!("rotate {} --backup-count 0", dated.display())));
    let mut follower = Follower::start(&place, &format!("--input {}/*/*/app.log", place.logs.display()));
    let files = || glob(&place.logs).len();
    let mut sent = 0;
    wait_until("there are enough files", || {
        writer.send(&lines(0, sent..sent + 50));
        sent += 50;
        files() >= 6 && sent >= LINES
    });
    writer.finish();
    follower.assert_all(&lines(0, 0..sent));
}

/// The folders two levels below.
fn glob(folder: &Path) -> Vec<PathBuf> {
    let below = |folder: PathBuf| names(&folder).into_iter().map(move |name| folder.join(name));
    below(folder.to_owned()).flat_map(below).collect()
}

#[test]
fn followed_into_a_rotated_file() {
    let place = Place::new();
    let input = place.aside("in.log");
    let words = format!(
        "rotate FILE --max-bytes 100K --backup-count 0 --input {} --follow --checkpoint {}",
        input.display(),
        place.aside("cp").display()
    );
    let written = while_writing(Writer::new(&input, true, 20), |writer| {
        for round in 0..6 {
            let mut run = Run::start(place.loghand(&words));
            let before = writer.lock().unwrap().seq;
            wait_until("the writer has written more", || writer.lock().unwrap().seq >= before + LINES / 10);
            std::fs::rename(&input, place.aside(&format!("in.log.{}", 100 - round))).unwrap();
            run.signal(Signal::SIGTERM);
            run.wait().assert_quiet_success();
        }
    });
    let mut run = Run::start(place.loghand(&words));
    let expected = lines(0, 0..written.seq);
    let size = |name: String| std::fs::metadata(place.logs.join(name)).map_or(0, |metadata| metadata.len());
    wait_until("all lines are there", || place.names().into_iter().map(size).sum::<u64>() >= expected.len() as u64);
    run.signal(Signal::SIGTERM);
    run.wait().assert_quiet_success();
    assert_same(&place.text(), &expected);
    assert_rotated(&place, 6);
}
