//! A disk that is full, out of inodes, or broken.
//!
//! The small disk is a tmpfs in a mount namespace of the test's own thread: it is gone when the thread ends, whatever
//! happens.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;

use crate::harness::{
    Place, Random, Run, each_line, feed, is_installed, left_out, lines, oldest_first, read_line, read_whole, wait_until,
};

/// Runs `test` where `place.logs` is a tmpfs with these options.
pub fn on_a_small_disk(options: &'static str, test: impl FnOnce(&Place, &Disk) + Send + 'static) {
    let thread = thread::spawn(move || {
        let place = Place::new();
        let private = || {
            unshare(CloneFlags::CLONE_NEWNS)?;
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
            mount(Some("torture"), &place.logs, Some("tmpfs"), MsFlags::empty(), Some(options))
        };
        match private() {
            Err(error) => left_out(&format!("no disk may be mounted here: {error}")),
            Ok(()) => {
                let ballast = place.logs.join("ballast");
                test(&place, &Disk { ballast });
            }
        }
        // The folder can go only when nothing is mounted on it.
        let _ = nix::mount::umount2(&place.logs, nix::mount::MntFlags::MNT_DETACH);
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Most of these wait: for the next attempt, or for the end of the time of grace.
fn all_at_once<const N: usize>(cases: [&'static str; N], test: impl Fn(&'static str) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let test = &test;
            scope.spawn(move || test(case));
        }
    });
}

/// What else takes space there.
pub struct Disk {
    ballast: PathBuf,
}

impl Disk {
    /// Takes so many bytes.
    fn take(&self, bytes: usize) {
        fs::write(&self.ballast, vec![0; bytes]).unwrap();
    }

    fn free(&self) {
        fs::remove_file(&self.ballast).unwrap();
    }
}

/// How many records it says were lost.
pub fn lost(stderr: &str) -> u64 {
    let count = |line: &str| {
        let (before, _) = line.split_once(" lines lost").or_else(|| line.split_once(" line lost"))?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    };
    stderr.lines().filter_map(count).sum()
}

fn times(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// Whether it has read all that was sent and waits for more, or for space.
fn wait_until_read(run: &Run) {
    let stdin = run.stdin.as_ref().unwrap();
    wait_until("the pipe is empty", || rustix::io::ioctl_fionread(stdin).unwrap() == 0);
}

#[test]
fn lines_wait_for_space_and_all_arrive() {
    on_a_small_disk("size=1m", |place, disk| {
        disk.take(700 << 10);
        let mut run = place.start("rotate FILE --max-bytes 100K --backup-count 0");
        let mut stdin = run.stdin.take().unwrap();
        let feeding = thread::spawn(move || feed(&mut stdin, 0, 0..12_000, &mut Random::new(1)));
        run.wait_until_said("waiting for space");
        disk.free();
        feeding.join().unwrap().unwrap();
        let ended = run.wait();
        ended.assert_code(0);
        let log = place.log().display().to_string();
        assert_eq!(
            ended.stderr,
            format!(
                "loghand: {log}: No space left on device: waiting for space, the producer waits too\n\
                 loghand: {log}: writing again\n"
            )
        );
        assert!(place.text() == lines(0, 0..12_000));
        place.assert_nothing_temporary();
    });
}

#[test]
fn a_watched_file_and_a_plain_one_wait_for_space_too() {
    for words in ["watch FILE", "tee --no-stdout FILE"] {
        on_a_small_disk("size=1m", move |place, disk| {
            disk.take(900 << 10);
            let mut run = place.start(words);
            let mut stdin = run.stdin.take().unwrap();
            let feeding = thread::spawn(move || feed(&mut stdin, 0, 0..8_000, &mut Random::new(2)));
            run.wait_until_said("waiting for space");
            disk.free();
            feeding.join().unwrap().unwrap();
            let ended = run.wait();
            ended.assert_code(0);
            assert_eq!((times(&ended.stderr, "waiting for space"), times(&ended.stderr, "writing again")), (1, 1));
            assert!(place.text() == lines(0, 0..8_000));
        });
    }
}

#[test]
fn what_is_dropped_is_whole_lines_and_counted() {
    on_a_small_disk("size=1m", |place, disk| {
        disk.take(800 << 10);
        let mut run = place.start("rotate FILE --max-bytes 100K --backup-count 0 --on-disk-full drop");
        let mut stdin = run.stdin.take().unwrap();
        feed(&mut stdin, 0, 0..12_000, &mut Random::new(3)).unwrap();
        run.stdin = Some(stdin);
        wait_until_read(&run);
        run.wait_until_said("lost: No space left on device");
        disk.free();
        run.send(&lines(0, 12_000..12_100));
        let ended = run.finish();
        ended.assert_code(1);

        let text = place.text();
        let mut last = None;
        let mut there = 0;
        for line in each_line(&text) {
            let (writer, seq) = read_line(line).unwrap_or_else(|| panic!("torn: {:?}", String::from_utf8_lossy(line)));
            assert!(writer == 0 && last < Some(seq), "{seq} after {last:?}");
            last = Some(seq);
            there += 1;
        }
        assert_eq!(there + lost(&ended.stderr), 12_100, "{}", ended.stderr);
        assert!(text.ends_with(&lines(0, 12_000..12_100)), "it does not go on when there is space");
        // At once, and the rest at the end.
        assert!(times(&ended.stderr, "lost:") <= 2, "{}", ended.stderr);
    });
}

#[test]
fn only_own_archives_and_the_oldest_first_make_room() {
    on_a_small_disk("size=1m", |place, disk| {
        let foreign = ["app.log.old", "app.log.1.bak", "other.log.1"];
        for name in foreign {
            fs::write(place.logs.join(name), vec![b'f'; 20 << 10]).unwrap();
        }
        disk.take(300 << 10);
        let mut run = place.start("rotate FILE --max-bytes 50K --backup-count 0 --on-disk-full reclaim");
        feed(run.stdin.as_mut().unwrap(), 0, 0..60_000, &mut Random::new(4)).unwrap();
        run.finish().assert_code(0);
        for name in foreign {
            assert_eq!(fs::read(place.logs.join(name)).unwrap(), vec![b'f'; 20 << 10]);
            fs::remove_file(place.logs.join(name)).unwrap();
        }
        let text = place.text();
        let all = lines(0, 0..60_000);
        assert!(text.len() > 100 << 10 && all.ends_with(&text), "{:?}", place.names());
        place.assert_nothing_temporary();
    });
}

#[test]
fn told_to_stop_on_a_full_disk_it_leaves_and_says_what_is_lost() {
    all_at_once(["rotate FILE --max-bytes 100K --backup-count 0", "tee --no-stdout FILE", "watch FILE"], |words| {
        on_a_small_disk("size=1m", move |place, disk| {
            disk.take(1000 << 10);
            let mut run = place.start(words);
            let sent = 1_500;
            run.send(&lines(0, 0..sent));
            run.wait_until_said("waiting for space");
            run.signal(Signal::SIGTERM);
            let ended = run.wait();
            ended.assert_code(1);
            disk.free();
            let text = place.text();
            let there = each_line(&text).inspect(|line| assert!(read_line(line).is_some())).count() as u64;
            assert!(there > 0 && lines(0, 0..there) == text);
            assert_eq!(there + lost(&ended.stderr), sent, "{}", ended.stderr);
        });
    });
}

#[test]
fn a_log_that_cannot_begin_for_want_of_space_begins_later() {
    on_a_small_disk("size=1m,nr_inodes=8", |place, disk| {
        // Every inode is taken, so nothing can be created.
        disk.take(1);
        let takers: Vec<PathBuf> = (0..100)
            .map(|number| place.logs.join(format!("taker{number}")))
            .take_while(|path| fs::File::create(path).is_ok())
            .collect();
        let mut run = place.start("rotate FILE --max-bytes 10K --backup-count 0");
        run.send(&lines(0, 0..100));
        run.wait_until_said("waiting for space");
        takers.iter().for_each(|path| fs::remove_file(path).unwrap());
        run.finish().assert_code(0);
        assert!(place.text() == lines(0, 0..100));
    });
}

#[test]
fn a_log_that_cannot_be_rolled_for_want_of_inodes_grows_and_rolls_later() {
    on_a_small_disk("size=4m,nr_inodes=8", |place, disk| {
        disk.take(1);
        let mut run = place.start("rotate FILE --max-bytes 10K --backup-count 0");
        run.send(&lines(0, 0..10));
        wait_until("the log is there", || place.text() == lines(0, 0..10));
        let takers: Vec<PathBuf> = (0..100)
            .map(|number| place.logs.join(format!("taker{number}")))
            .take_while(|path| fs::File::create(path).is_ok())
            .collect();
        run.send(&lines(0, 10..2_000));
        run.wait_until_said("cannot be rolled over, so it grows on");
        wait_until("all lines are there", || place.text() == lines(0, 0..2_000));
        takers.iter().for_each(|path| fs::remove_file(path).unwrap());
        let mut sent = 2_000;
        wait_until("it is rolled over", || {
            run.send(&lines(0, sent..sent + 1));
            sent += 1;
            run.said().contains("rolled over again")
        });
        let ended = run.finish();
        ended.assert_code(1);
        assert_eq!(times(&ended.stderr, "cannot be rolled over"), 1, "{}", ended.stderr);
        assert!(place.text() == lines(0, 0..sent));
        place.assert_nothing_temporary();
    });
}

#[test]
fn a_compression_without_space_leaves_the_plain_archive() {
    on_a_small_disk("size=1m", |place, disk| {
        // Not to be compressed to less than there is.
        let mut noise = Vec::new();
        let mut random = Random::new(5);
        while noise.len() < 400 << 10 {
            writeln!(noise, "{:016x}{:016x}", random.next(), random.next()).unwrap();
        }
        fs::write(place.logs.join("app.log.1"), &noise).unwrap();
        disk.take(500 << 10);
        let mut run = place.start("rotate FILE --max-bytes 1M --backup-count 0 --compress");
        run.wait_until_said("not compressed");
        run.send(&lines(0, 0..10));
        let ended = run.finish();
        ended.assert_code(1);
        assert_eq!(times(&ended.stderr, "\n"), 1, "{}", ended.stderr);
        assert_eq!(place.names(), ["app.log", "app.log.1", "ballast"]);
        assert!(fs::read(place.logs.join("app.log.1")).unwrap() == noise);
        disk.free();

        // Once there is space, the next run does it.
        place.start("rotate FILE --backup-count 0 --compress").finish_well();
        assert_eq!(place.names(), ["app.log", "app.log.1.gz"]);
        assert!(read_whole(&place.logs.join("app.log.1.gz")) == noise);
    });
}

#[test]
fn a_limit_on_file_sizes_is_a_full_disk_and_ends_nothing() {
    let place = Place::new();
    // The signal that comes with it would end a program that does not know it.
    let limit = ["prlimit", "--fsize=20000"];
    if !is_installed("prlimit") {
        return left_out("prlimit is not installed");
    }
    let mut run = Run::start(place.loghand_under(&limit, "rotate FILE --max-bytes 10K --backup-count 0"));
    feed(run.stdin.as_mut().unwrap(), 0, 0..2_000, &mut Random::new(6)).unwrap();
    run.finish_well();
    assert!(place.text() == lines(0, 0..2_000));

    let place = Place::new();
    let words = "rotate FILE --max-bytes 50K --backup-count 0 --on-disk-full drop";
    let mut run = Run::start(place.loghand_under(&limit, words));
    feed(run.stdin.as_mut().unwrap(), 0, 0..2_000, &mut Random::new(7)).unwrap();
    let ended = run.finish();
    ended.assert_code(1);
    let text = place.text();
    let there = each_line(&text).inspect(|line| assert!(read_line(line).is_some())).count() as u64;
    assert_eq!(there + lost(&ended.stderr), 2_000, "{}", ended.stderr);
}

/// A run whose system calls fail as `inject` says, on the log file itself.
fn with_faults(place: &Place, inject: &[&str], words: &str) -> Option<Run> {
    if !is_installed("strace") {
        left_out("strace is not installed, so no call fails");
        return None;
    }
    let log = place.log().display().to_string();
    let mut before = vec!["strace", "-f", "-qq", "-o", "/dev/null", "-P", &log];
    for fault in inject {
        before.extend(["-e", fault]);
    }
    Some(Run::start(place.loghand_under(&before, words)))
}

#[test]
fn failing_and_short_writes_lose_nothing() {
    all_at_once(["EIO", "ENOSPC", "EINTR", "EAGAIN", "EDQUOT", "ESTALE"], |error| {
        let place = Place::new();
        fs::write(place.log(), "").unwrap();
        let fault = format!("inject=write:error={error}:when=2+3");
        let words = "rotate FILE --max-bytes 50K --backup-count 0";
        let Some(mut run) = with_faults(&place, &["trace=write", &fault], words) else { return };
        for from in (0..1_000).step_by(100) {
            run.send(&lines(0, from..from + 100));
            wait_until("the lines are there", || place.text() == lines(0, 0..from + 100));
        }
        run.finish().assert_code(0);
        place.assert_nothing_temporary();
    });
}

#[test]
fn a_broken_disk_is_said_once_and_waited_for() {
    let place = Place::new();
    fs::write(place.log(), "").unwrap();
    let Some(mut run) = with_faults(
        &place,
        &["trace=write", "inject=write:error=EIO:when=2..4"],
        "rotate FILE --max-bytes 50K --backup-count 0",
    ) else {
        return;
    };
    run.send(&lines(0, 0..10));
    wait_until("the first lines are there", || place.text() == lines(0, 0..10));
    run.send(&lines(0, 10..20));
    let ended = run.finish();
    ended.assert_code(0);
    let log = place.log().display().to_string();
    assert_eq!(
        ended.stderr,
        format!(
            "loghand: {log}: Input/output error: trying again until it works, the producer waits\n\
             loghand: {log}: writing again\n"
        )
    );
    assert!(place.text() == lines(0, 0..20));
}

#[test]
fn a_disk_that_cannot_be_synced_is_said_and_writing_goes_on() {
    let place = Place::new();
    fs::write(place.log(), "").unwrap();
    let faults = ["trace=fsync,fdatasync", "inject=fsync,fdatasync:error=EIO"];
    let words = "rotate FILE --max-bytes 2K --backup-count 0 --fsync rollover";
    let Some(mut run) = with_faults(&place, &faults, words) else { return };
    run.send(&lines(0, 0..300));
    let ended = run.finish();
    ended.assert_code(1);
    assert!(ended.stderr.contains("cannot be forced to disk"), "{}", ended.stderr);
    assert!(place.archives() > 3, "{:?}", place.names());
    assert!(place.text() == lines(0, 0..300));
    place.assert_nothing_temporary();
}

#[test]
fn a_rename_that_fails_is_tried_again_and_nothing_is_lost() {
    all_at_once(["EIO", "ENOSPC", "EXDEV", "EACCES", "EBUSY"], |fault| {
        let place = Place::new();
        let fault = format!("inject=renameat2:error={fault}:when=1");
        let words = "rotate FILE --max-bytes 2K --backup-count 0";
        let Some(mut run) = with_faults(&place, &["trace=renameat2", &fault], words) else { return };
        let mut sent = 0;
        wait_until("it is rolled over", || {
            run.send(&lines(0, sent..sent + 100));
            sent += 100;
            run.said().contains("rolled over again")
        });
        let ended = run.finish();
        ended.assert_code(1);
        assert_eq!(times(&ended.stderr, "cannot be rolled over, so it grows on"), 1, "{}", ended.stderr);
        assert!(place.text() == lines(0, 0..sent));
        place.assert_nothing_temporary();
    });
}

#[test]
fn a_compression_without_space_is_tried_again_at_the_next_rollover() {
    if !is_installed("strace") {
        return left_out("strace is not installed, so no call fails");
    }
    let place = Place::new();
    let text = lines(0, 0..100);
    fs::write(place.log(), &text).unwrap();
    // The first copy of each thread finds the disk full; on one processor there is one thread.
    let strace = ["taskset", "-c", "0", "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"];
    let strace = [&strace[..], &["-e", "inject=fsync:error=ENOSPC:when=1"]].concat();
    let mut run = Run::start(place.loghand_under(&strace, "rotate FILE --max-bytes 1K --backup-count 0 --compress"));
    run.send(b"one\n");
    run.wait_until_said("app.log.1: not compressed: No space left on device");
    run.send(&lines(1, 0..100));
    let ended = run.finish();
    ended.assert_code(0);
    let plain = place.names().into_iter().find(|name| name.starts_with("app.log.") && !name.ends_with(".gz"));
    assert_eq!(plain, None);
    assert!(place.text() == [&text[..], b"one\n", &lines(1, 0..100)].concat());
}

#[test]
fn a_compression_that_fails_half_way_leaves_the_plain_archive() {
    if !is_installed("strace") {
        return left_out("strace is not installed, so no call fails");
    }
    for fault in ["fsync:error=EIO", "utimensat:error=EPERM", "renameat2:error=EIO", "fsync:error=ENOSPC"] {
        let place = Place::new();
        fs::write(place.logs.join("app.log.1"), lines(0, 0..1_000)).unwrap();
        let syscall = fault.split(':').next().unwrap();
        let (trace, inject) = (format!("trace={syscall}"), format!("inject={fault}"));
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        let mut run = Run::start(place.loghand_under(&strace, "rotate FILE --compress --backup-count 0"));
        let ended = run.finish();
        ended.assert_code(1);
        assert!(ended.stderr.contains("app.log.1: not compressed: "), "{}", ended.stderr);
        assert_eq!(place.names(), ["app.log", "app.log.1"], "{fault}");
        assert!(place.text() == lines(0, 0..1_000));
    }
}

#[test]
fn eight_writers_wait_for_space_together() {
    on_a_small_disk("size=2m", |place, disk| {
        disk.take(1700 << 10);
        let counts = [3_000u64; 8];
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                wait_until("the disk is full", || space_left(&place.logs) == 0);
                disk.free();
            });
            for (writer, count) in (0u64..).zip(counts) {
                scope.spawn(move || {
                    let mut run = place.start("rotate FILE --max-bytes 100K --backup-count 0");
                    feed(run.stdin.as_mut().unwrap(), writer, 0..count, &mut Random::new(writer)).unwrap();
                    run.finish().assert_code(0);
                });
            }
            waits.join().unwrap();
        });
        // Of a line that found no more space the beginning may stand there as well: on a line of its own, or (when the
        // space came back in that very moment) before another writer's line.
        let text = place.text();
        let expected: Vec<Vec<u8>> = (0..8).map(|writer| lines(writer, 0..3_000)).collect();
        let whole: HashSet<&[u8]> = expected.iter().flat_map(|text| each_line(text)).collect();
        let is_beginnings = |bytes: &[u8]| bytes.iter().all(|b| b.is_ascii_digit() || b" x.".contains(b));
        let without_beginning = |line: &'_ [u8]| {
            let cut = (0..=line.len()).find(|at| whole.contains(&line[*at..]) && is_beginnings(&line[..*at]));
            assert!(cut.is_some() || is_beginnings(line.trim_ascii_end()), "{:?}", String::from_utf8_lossy(line));
            cut
        };
        let found: Vec<&[u8]> =
            each_line(&text).filter_map(|line| without_beginning(line).map(|cut| &line[cut..])).collect();
        for (writer, expected) in (0u64..).zip(&expected) {
            let own = found.iter().filter(|line| line.starts_with(format!("{writer} ").as_bytes()));
            assert!(own.copied().eq(each_line(expected)), "each line of {writer} once, in order");
        }
        assert!(oldest_first(&place.logs, "app.log").len() > 1);
        place.assert_nothing_temporary();
    });
}

fn space_left(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).unwrap().f_bavail
}
