//! Several processes append to one log, which is rolled over and compressed under them.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{
    Place, Random, Run, assert_all_lines, each_line, feed, lines, oldest_first, read_line, read_whole, wait_until,
};

/// Starts one process per count, feeds them all at once, and waits for their ends.
fn write_at_once(place: &Place, words: &str, counts: &[u64]) {
    let ended: Vec<_> = thread::scope(|scope| {
        let feeding: Vec<_> = (0u64..)
            .zip(counts)
            .map(|(writer, count)| {
                scope.spawn(move || {
                    let mut run = place.start(words);
                    let mut random = Random::new(writer);
                    feed(run.stdin.as_mut().unwrap(), writer, 0..*count, &mut random).unwrap();
                    run.finish()
                })
            })
            .collect();
        feeding.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    ended.iter().for_each(super::harness::Ended::assert_quiet_success);
}

/// Says that writing is over, also when it has failed.
struct SaysOver<'a>(&'a AtomicBool);

impl Drop for SaysOver<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn eight_writers_roll_by_size_and_compress() {
    let place = Place::new();
    let counts = [200_000; 8];
    write_at_once(&place, "rotate FILE --max-bytes 2M --compress=gzip:1 --backup-count 0", &counts);
    assert!(place.archives() >= 20, "too few rollovers to prove anything: {:?}", place.names());
    assert!(place.names().iter().any(|name| name.ends_with(".gz")));
    place.assert_nothing_temporary();
    assert_all_lines(&place, &counts);
}

#[test]
fn eight_writers_roll_by_the_clock() {
    let place = Place::new();
    let enough = AtomicBool::new(false);
    let counts: Vec<AtomicU64> = (0..8).map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for (writer, count) in (0u64..).zip(&counts) {
            let (place, enough) = (&place, &enough);
            scope.spawn(move || {
                let mut run = place.start("rotate FILE --when S --backup-count 0 --compress=gzip:1");
                let mut random = Random::new(writer);
                while !enough.load(Ordering::Relaxed) {
                    let from = count.load(Ordering::Relaxed);
                    let to = from + 1 + random.below(50);
                    feed(run.stdin.as_mut().unwrap(), writer, from..to, &mut random).unwrap();
                    count.store(to, Ordering::Relaxed);
                    thread::yield_now();
                }
                run.finish_well();
            });
        }
        let _over = SaysOver(&enough);
        wait_until("four periods have passed", || place.archives() >= 4);
    });
    place.assert_nothing_temporary();
    let counts: Vec<u64> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    assert_all_lines(&place, &counts);
}

#[test]
fn what_remains_of_few_archives_is_whole_and_in_order() {
    let place = Place::new();
    let counts = [40_000; 8];
    write_at_once(&place, "rotate FILE --max-bytes 100K --compress=gzip:1 --backup-count 5", &counts);
    place.assert_nothing_temporary();
    let mut last = [None; 8];
    for path in oldest_first(&place.logs, "app.log") {
        for line in each_line(&read_whole(&path)) {
            let Some((writer, seq)) = read_line(line) else {
                panic!("{}: torn: {:?}", path.display(), String::from_utf8_lossy(line))
            };
            let last = &mut last[writer as usize];
            assert!(*last < Some(seq), "{}: writer {writer}: {seq} after {last:?}", path.display());
            *last = Some(seq);
        }
    }
    assert!(last.contains(&Some(39_999)), "the last line of all is gone: {last:?}");
    // Whoever ended last has pruned, and nobody wrote to an old file any more.
    assert!(place.archives() <= 5, "{:?}", place.names());
}

#[test]
fn the_file_of_an_idle_writer_is_neither_compressed_nor_deleted() {
    let place = Place::new();
    let words = "rotate FILE --max-bytes 20K --compress=gzip:1 --backup-count 3";
    let mut idle = place.start(words);
    idle.send(&lines(0, 0..10));
    wait_until("the idle writer's lines are there", || place.text() == lines(0, 0..10));
    let inode = |name: &str| std::os::unix::fs::MetadataExt::ino(&fs::metadata(place.logs.join(name)).unwrap());
    let held = inode("app.log");

    // Within a tenth of a second it need not have noticed that the name leads elsewhere.
    let noticed = Instant::now() + Duration::from_millis(200);
    for from in (0..).step_by(10_000) {
        let mut busy = place.start(words);
        busy.send(&lines(1, from..from + 10_000));
        busy.finish_well();
        if Instant::now() > noticed {
            break;
        }
    }
    let held_as: Vec<String> = place.names().into_iter().filter(|name| inode(name) == held).collect();
    assert!(matches!(&held_as[..], [name] if !name.ends_with(".gz") && name != "app.log"), "{:?}", place.names());

    // Its next lines go where the others are, and what it held becomes surplus.
    idle.send(&lines(0, 10..20));
    idle.finish_well();
    place.assert_nothing_temporary();
    assert!(!place.names().into_iter().any(|name| inode(&name) == held), "{:?}", place.names());
    let text = place.text();
    assert!(text.ends_with(&lines(0, 10..20)));
    assert!(each_line(&text).all(|line| read_line(line).is_some()));
}

#[test]
fn writers_come_and_go_all_the_time() {
    let place = Place::new();
    let counts: Vec<u64> = (0..96).map(|writer| 300 + writer % 7 * 100).collect();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut random = Random::new(7);
                loop {
                    let writer = next.fetch_add(1, Ordering::Relaxed);
                    let Some(count) = counts.get(writer as usize) else { return };
                    let mut run = place.start("rotate FILE --max-bytes 30K --compress=gzip:1 --backup-count 0");
                    feed(run.stdin.as_mut().unwrap(), writer, 0..*count, &mut random).unwrap();
                    run.finish_well();
                }
            });
        }
    });
    place.assert_nothing_temporary();
    assert_all_lines(&place, &counts);
}

#[test]
fn killed_writers_do_not_disturb_the_others() {
    let place = Place::new();
    let words = "rotate FILE --max-bytes 300K --compress=gzip:1 --backup-count 0";
    let over = AtomicBool::new(false);
    let counts = [60_000u64; 4];
    let killed = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let _over = SaysOver(&over);
            write_at_once(&place, words, &counts);
        });
        let mut random = Random::new(4);
        let mut killed = 4;
        while !over.load(Ordering::Relaxed) {
            let mut victim = place.start(words);
            let mut stdin = victim.stdin.take().unwrap();
            let seed = random.next();
            let feeding = scope.spawn(move || feed(&mut stdin, killed, 0..u64::MAX, &mut Random::new(seed)));
            thread::sleep(Duration::from_micros(random.below(60_000)));
            victim.kill();
            assert!(feeding.join().unwrap().is_err());
            killed += 1;
        }
        writing.join().unwrap();
        killed
    });
    // One that starts and ends clears what the killed ones left.
    place.start(words).finish_well();
    place.assert_nothing_temporary();

    let mut next = vec![0; killed as usize];
    for path in oldest_first(&place.logs, "app.log") {
        for line in each_line(&read_whole(&path)) {
            // A kill can cut a line in two, and what another writer appended then stands behind the first half.
            let whole = (0..line.len()).find_map(|at| read_line(&line[at..]).map(|read| (at, read)));
            let (torn, read) = match whole {
                Some((at, read)) => (&line[..at], Some(read)),
                None => (line, None),
            };
            if let Some((writer, seq)) = read {
                assert_eq!(seq, next[writer as usize], "{}: writer {writer}", path.display());
                next[writer as usize] += 1;
            }
            assert!(
                torn.is_empty() || is_beginning_of_a_victims_line(torn, &next),
                "{}: {:?}",
                path.display(),
                String::from_utf8_lossy(line)
            );
        }
    }
    assert_eq!(next[..4], counts);
    assert!(next[4..].iter().any(|count| *count > 0), "no victim ever wrote: {next:?}");
}

/// Whether a torn piece is how the next line of a killed writer begins.
fn is_beginning_of_a_victims_line(torn: &[u8], next: &[u64]) -> bool {
    let torn = torn.strip_suffix(b"\n").unwrap_or(torn);
    (4u64..).zip(&next[4..]).any(|(writer, seq)| lines(writer, *seq..seq + 1).starts_with(torn))
}

#[test]
fn a_cron_job_rolls_under_running_writers() {
    let place = Place::new();
    let counts = [60_000u64; 4];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _over = SaysOver(&over);
            write_at_once(&place, "rotate FILE --max-bytes 1G --backup-count 0", &counts);
        });
        wait_until("there is a line", || fs::metadata(place.log()).is_ok_and(|metadata| metadata.len() > 0));
        while !over.load(Ordering::Relaxed) {
            Run::start(place.loghand("rotate --once --force FILE --backup-count 0 --compress=gzip:1")).finish_well();
        }
    });
    assert!(place.archives() > 0);
    place.assert_nothing_temporary();
    assert_all_lines(&place, &counts);
}

#[test]
fn a_roll_lock_that_is_never_let_go_does_not_keep_a_compressor_from_its_end() {
    let place = Place::new();
    fs::write(place.logs.join("app.log.1"), lines(0, 0..9)).unwrap();
    let lock = place.logs.join(".app.log.lock");
    let held = fs::File::create(&lock).unwrap();
    held.try_lock().unwrap();
    let words = "rotate FILE --max-bytes 1M --backup-count 0 --compress";
    place.start(words).finish_well();
    assert_eq!(place.names(), [".app.log.lock", "app.log", "app.log.1"]);
    drop(held);
    place.start(words).finish_well();
    assert_eq!(place.names(), ["app.log", "app.log.1.gz"]);
}
