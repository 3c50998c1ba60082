//! `watch` on a file that others move, delete, truncate and put back, as fast as they can.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal;

use crate::harness::{
    Place, Random, Run, assert_all_lines, each_line, feed, is_installed, left_out, lines, read_line, read_whole,
    wait_until,
};

/// Feeds a watched log until `disturb` has found it so many times; returns how many lines there were.
fn under_a_storm(place: &Place, hits: u64, mut disturb: impl FnMut(u64) -> bool) -> u64 {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let feeding = scope.spawn(|| {
            let mut run = place.start("watch FILE");
            let mut random = Random::new(1);
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) {
                feed(run.stdin.as_mut().unwrap(), 0, sent..sent + 100, &mut random).unwrap();
                sent += 100;
                // The storm is to fall between batches as well.
                thread::yield_now();
            }
            run.finish_well();
            sent
        });
        let over = Over(&over);
        let (mut calls, mut found) = (0, 0);
        wait_until("the storm is over", || {
            for _ in 0..20 {
                found += u64::from(disturb(calls));
                calls += 1;
            }
            found >= hits
        });
        drop(over);
        feeding.join().unwrap()
    })
}

/// Says that it is over, also when it has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What is kept of a line, or a panic if it is torn.
fn seq(line: &[u8]) -> u64 {
    read_line(line).unwrap_or_else(|| panic!("torn: {:?}", String::from_utf8_lossy(line))).1
}

#[test]
fn renamed_again_and_again_it_loses_and_doubles_nothing() {
    let place = Place::new();
    let mut moved = Vec::new();
    let sent = under_a_storm(&place, 40, |call| {
        let to = place.aside(&format!("moved.{call}"));
        let found = fs::rename(place.log(), &to).is_ok();
        if found {
            moved.push(to);
        }
        found
    });
    let mut text: Vec<u8> = moved.iter().flat_map(|path| read_whole(path)).collect();
    text.extend(fs::read(place.log()).unwrap_or_default());
    assert!(text == lines(0, 0..sent), "{} bytes of {}", text.len(), lines(0, 0..sent).len());
    assert!(place.names().len() <= 1);
}

#[test]
fn renamed_and_created_by_others_it_loses_and_doubles_nothing() {
    let place = Place::new();
    let mut moved = Vec::new();
    let sent = under_a_storm(&place, 1000, |call| {
        let to = place.aside(&format!("moved.{call}"));
        let found = fs::rename(place.log(), &to).is_ok();
        if found {
            moved.push(to);
            // As logrotate's `create` does; when the writer was faster, the file is its own.
            let _ = File::create_new(place.log());
        }
        found
    });
    let mut text: Vec<u8> = moved.iter().flat_map(|path| read_whole(path)).collect();
    text.extend(fs::read(place.log()).unwrap_or_default());
    assert!(text == lines(0, 0..sent), "{} bytes of {}", text.len(), lines(0, 0..sent).len());
}

#[test]
fn deleted_again_and_again_it_loses_only_what_the_deleter_deleted() {
    let place = Place::new();
    let mut deleted: Vec<(File, u64)> = Vec::new();
    let sent = under_a_storm(&place, 200, |_| {
        if let Ok(file) = File::open(place.log())
            && file.metadata().unwrap().len() > 0
            && fs::remove_file(place.log()).is_ok()
        {
            // Lines that come from here on must be in another file, whoever else has them.
            let len = file.metadata().unwrap().len();
            if file.metadata().unwrap().nlink() == 0 {
                deleted.push((file, len));
                return true;
            }
        }
        false
    });
    let mut there = vec![false; sent as usize];
    for (file, len) in &mut deleted {
        let mut text = vec![0; *len as usize];
        std::os::unix::fs::FileExt::read_exact_at(file, &mut text, 0).unwrap();
        // The kernel may have been in the middle of a batch.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        each_line(&text[..whole]).for_each(|line| there[seq(line) as usize] = true);
    }
    let text = fs::read(place.log()).unwrap_or_default();
    let kept: Vec<u64> = each_line(&text).map(seq).collect();
    assert!(kept.is_sorted_by(|a, b| a < b), "a line is doubled, or out of order");
    kept.iter().for_each(|seq| there[*seq as usize] = true);
    let missing: Vec<usize> = (0..there.len()).filter(|seq| !there[*seq]).take(5).collect();
    assert!(missing.is_empty(), "lost: {missing:?} …");
}

#[test]
fn truncated_again_and_again_it_goes_on_at_the_new_end() {
    let place = Place::new();
    let sent = under_a_storm(&place, 1000, |_| match File::options().write(true).open(place.log()) {
        Ok(file) => file.metadata().unwrap().len() > 0 && file.set_len(0).is_ok(),
        Err(_) => false,
    });
    let mut run = place.start("watch FILE");
    run.send(&lines(0, sent..sent + 10));
    run.finish_well();
    // A hole, half a line, or a line that comes back would not be how all lines end.
    let text = fs::read(place.log()).unwrap();
    assert!(lines(0, 0..sent + 10).ends_with(&text) && text.ends_with(&lines(0, sent..sent + 10)));
}

#[test]
fn everything_at_once_tears_no_line() {
    let place = Place::new();
    let mut random = Random::new(9);
    let mut moved: Vec<PathBuf> = Vec::new();
    under_a_storm(&place, 500, |call| {
        let to = place.aside(&format!("moved.{call}"));
        let found = place.log().exists();
        match random.below(4) {
            0 => {
                if fs::rename(place.log(), &to).is_ok() {
                    moved.push(to);
                }
            }
            1 => drop(fs::remove_file(place.log())),
            2 => drop(File::create(place.log())),
            _ => {
                // Another file takes the name in one step.
                fs::write(&to, "").unwrap();
                fs::rename(&to, place.log()).unwrap();
            }
        }
        found
    });
    moved.push(place.log());
    let mut last = None;
    for path in moved {
        let Ok(text) = fs::read(&path) else { continue };
        for line in each_line(&text) {
            let seq = seq(line);
            assert!(last < Some(seq), "{}: {seq} after {last:?}", path.display());
            last = Some(seq);
        }
    }
}

#[test]
fn a_file_that_is_taken_away_comes_back_while_no_line_comes() {
    let place = Place::new();
    let mut run = place.start("watch FILE");
    run.send(&lines(0, 0..1));
    wait_until("the line is there", || place.text() == lines(0, 0..1));
    for round in 1..30 {
        match round % 3 {
            0 => fs::remove_file(place.log()).unwrap(),
            1 => fs::rename(place.log(), place.aside("moved")).unwrap(),
            _ => {
                fs::write(place.aside("other"), "").unwrap();
                fs::rename(place.aside("other"), place.log()).unwrap();
            }
        }
        wait_until("the file is there again", || place.log().exists());
        run.send(&lines(0, round..round + 1));
        wait_until("the next line is in it", || fs::read(place.log()).unwrap() == lines(0, round..round + 1));
    }
    run.finish_well();
}

#[test]
fn lines_after_a_deletion_are_in_the_new_file() {
    let place = Place::new();
    let mut run = place.start("watch FILE");
    for round in 0..100 {
        let (from, to) = (round * 5, round * 5 + 5);
        run.send(&lines(0, from..to));
        wait_until("the lines are there", || fs::read(place.log()).is_ok_and(|text| text == lines(0, from..to)));
        fs::remove_file(place.log()).unwrap();
    }
    run.finish_well();
}

#[test]
fn hup_opens_the_file_anew() {
    let place = Place::new();
    let mut run = place.start("watch FILE");
    for round in 0..20 {
        run.send(&lines(0, round..round + 1));
        wait_until("the line is there", || fs::read(place.log()).is_ok_and(|text| text == lines(0, round..round + 1)));
        fs::rename(place.log(), place.aside("moved")).unwrap();
        run.signal(Signal::SIGHUP);
        wait_until("there is a new file", || fs::metadata(place.log()).is_ok_and(|metadata| metadata.len() == 0));
    }
    run.finish_well();
}

/// Runs the real logrotate once on the log.
pub fn logrotate(place: &Place, how: &str) {
    let (config, state) = (place.aside("logrotate.conf"), place.aside("logrotate.state"));
    let text = format!("\"{}\" {{\n rotate 10000\n {how}\n}}\n", place.log().display());
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let mut command = Command::new("logrotate");
    if !std::path::Path::new("/usr/bin/logrotate").exists() {
        command = Command::new("/usr/sbin/logrotate");
    }
    command.arg("-f").arg("-s").arg(state).arg(config).stdin(Stdio::null()).stdout(Stdio::null());
    let ended = Run::start(command).wait();
    assert!(ended.status.success(), "logrotate: {}", ended.stderr);
}

#[test]
fn logrotate_with_create_or_without_loses_nothing() {
    if !is_installed("logrotate") {
        return left_out("logrotate is not installed");
    }
    for how in ["create\n nocompress", "nocreate\n missingok", "create 0640\n compress\n delaycompress\n missingok"] {
        let place = Place::new();
        let over = AtomicBool::new(false);
        let mut sent = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                let _over = Over(&over);
                wait_until("the log is there", || place.log().exists());
                wait_until("it is rotated often enough", || {
                    logrotate(&place, how);
                    place.archives() >= 10
                });
            });
            let mut run = place.start("watch FILE");
            let mut random = Random::new(3);
            while !over.load(Ordering::Relaxed) {
                feed(run.stdin.as_mut().unwrap(), 0, sent..sent + 20, &mut random).unwrap();
                sent += 20;
                wait_until("it is read", || rustix::io::ioctl_fionread(run.stdin.as_ref().unwrap()).unwrap() == 0);
            }
            run.finish_well();
        });
        assert_all_lines(&place, &[sent]);
    }
}

#[test]
fn logrotate_with_copytruncate_keeps_what_was_there_before_it_copied() {
    if !is_installed("logrotate") {
        return left_out("logrotate is not installed");
    }
    let place = Place::new();
    let mut run = place.start("watch FILE");
    for round in 0..15 {
        let (from, to) = (round * 10, round * 10 + 10);
        run.send(&lines(0, from..to));
        wait_until("the lines are there", || fs::read(place.log()).is_ok_and(|text| text == lines(0, from..to)));
        logrotate(&place, "copytruncate");
    }
    run.finish_well();
    assert_all_lines(&place, &[150]);
}
