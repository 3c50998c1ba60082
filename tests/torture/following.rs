//! Following at rest, in great numbers, without watches, and through folders that are exchanged.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sys::signal::Signal;

use crate::disk::on_a_small_disk;
use crate::follower::{Follower, assert_each, length};
use crate::harness::{Place, Run, is_installed, left_out, lines, wait_until};

fn append(path: &Path, text: &[u8]) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text).unwrap();
}

fn numbered(place: &Place, number: u64) -> std::path::PathBuf {
    place.logs.join(format!("f{number}x.log"))
}

fn all(place: &Place) -> String {
    format!("--input {}/*.log", place.logs.display())
}

/// How often its threads have been given the processor.
fn switches(run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{}/task", run.id())).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        found.extend(status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned));
    }
    found
}

#[test]
fn a_term_that_comes_while_it_starts_is_not_lost() {
    let place = Place::new();
    for _ in 0..100 {
        // It is sent as soon as it would not kill.
        Follower::start(&place, &all(&place)).stop();
    }
}

#[test]
fn an_idle_follower_makes_no_system_call() {
    let place = Place::new();
    (0..500).for_each(|number| append(&numbered(&place, number), &lines(number, 0..2)));
    let mut follower = Follower::start(&place, &all(&place));
    follower.wait_for(length(&[2; 500]));
    // Whoever is at rest for two seconds would be for ever: nothing happens that could wake it.
    wait_until("it rests for two seconds", || {
        let before = switches(&follower.run);
        thread::sleep(Duration::from_secs(2));
        switches(&follower.run) == before
    });
    if !is_installed("strace") {
        return left_out("strace is not installed");
    }
    let (trace, id) = (place.aside("trace"), follower.run.id().to_string());
    let mut strace = Command::new("timeout");
    strace.args(["-s", "INT", "2", "strace", "-f", "-o"]).arg(&trace).args(["-p", &id]).stdout(Stdio::null());
    let said = Run::start(strace).wait().stderr;
    let trace = fs::read_to_string(&trace).unwrap_or_default();
    if !said.contains("attached") {
        return left_out(&format!("nothing may be traced here: {said}"));
    }
    // Being attached to interrupts epoll_wait(2) once.
    let is_call = |line: &&str| {
        !["unfinished", "detached", "EINTR", "ERESTART", "resuming"].iter().any(|word| line.contains(word))
    };
    let calls: Vec<&str> = trace.lines().filter(is_call).collect();
    assert!(calls.is_empty(), "{trace}");
    follower.assert_each(&[2; 500]);
}

#[test]
fn thousands_of_files_in_little_memory() {
    const FILES: u64 = 5000;
    let place = Place::new();
    (0..FILES).step_by(2).for_each(|number| append(&numbered(&place, number), &lines(number, 0..2)));
    let mut follower = Follower::start(&place, &all(&place));
    follower.wait_for(1);
    (0..FILES).for_each(|number| {
        append(&numbered(&place, number), &lines(number, if number % 2 == 0 { 2..4 } else { 0..4 }))
    });
    follower.wait_for(length(&[4; FILES as usize]));
    let peak = follower.peak();
    assert!(peak < 64 << 20, "{peak}");
    follower.assert_each(&[4; FILES as usize]);
}

#[test]
fn more_files_than_descriptors() {
    const FILES: u64 = 600;
    let place = Place::new();
    let log = |number| numbered(&place, number);
    (0..FILES).for_each(|number| append(&log(number), &lines(number, 0..5)));
    let mut follower = Follower::start_under(&place, &["prlimit", "--nofile=256"], &all(&place));
    follower.wait_for(length(&[5; FILES as usize]));
    for number in 0..FILES {
        append(&log(number), &lines(number, 5..8));
        if number % 3 == 2 {
            continue;
        }
        let archive = format!("{}.1", log(number).display());
        fs::rename(log(number), &archive).unwrap();
        append(Path::new(&archive), &lines(number, 8..10));
        if number % 3 == 1 {
            let mut packed = flate2::write::GzEncoder::new(
                File::create(format!("{archive}.gz")).unwrap(),
                flate2::Compression::fast(),
            );
            packed.write_all(&fs::read(&archive).unwrap()).unwrap();
            packed.finish().unwrap();
            fs::remove_file(&archive).unwrap();
        }
        append(&log(number), &lines(number, 10..12));
    }
    let counts: Vec<u64> = (0..FILES).map(|number| if number % 3 == 2 { 8 } else { 12 }).collect();
    follower.assert_each(&counts);
}

#[test]
fn a_line_of_a_gibibyte_in_little_memory() {
    const LINE: u64 = 1 << 30;
    let place = Place::new();
    // A hole reads as bytes like others, and takes no place.
    File::create(place.log()).unwrap().set_len(LINE).unwrap();
    let mut command = place.loghand("tee --follow --input FILE");
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.stdin(Stdio::null()).stdout(writer);
    let mut run = Run::start(command);
    append(&place.log(), b"\nnext\n");
    let (mut buffer, mut count) = (vec![0; 1 << 20], 0);
    while count < LINE + 6 {
        count += reader.read(&mut buffer).unwrap() as u64;
    }
    let status = fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap();
    let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().trim_end_matches(" kB");
    let [peak, program] = ["VmHWM:", "RssFile:"].map(|name| field(name).parse::<u64>().unwrap());
    // Without the program's own text, which is large where nothing is optimised.
    assert!(peak - program < 8 << 10, "{peak} KiB, {program} of them the program");
    run.signal(Signal::SIGTERM);
    run.wait().assert_quiet_success();
    assert_eq!(count, LINE + 6);
}

#[test]
fn a_busy_file_does_not_keep_others_waiting() {
    let place = Place::new();
    let (busy, other) = (place.logs.join("busy.log"), place.logs.join("other.log"));
    append(&busy, b"");
    append(&other, b"");
    let follower = Follower::start(&place, &all(&place));
    let block = lines(0, 0..20_000);
    // So much at most, lest a failure fills the disk.
    let mut left = 300;
    for seq in 0..5 {
        append(&other, &lines(1, seq..seq + 1));
        let mut found = false;
        let mut at = 0;
        while !found {
            assert!(left > 0, "line {seq} did not come while the other file was written to");
            append(&busy, &block);
            left -= 1;
            let text = follower.text();
            let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
            let needle = lines(1, seq..seq + 1);
            found = memchr::memmem::find(&text[at.min(whole)..whole], &needle).is_some();
            at = whole.saturating_sub(200);
        }
    }
}

/// Starts it where so few watches and instances are allowed.
fn with_few(place: &Place, limit: &str, value: u64) -> Option<Run> {
    let set = format!("echo {value} > /proc/sys/user/{limit}");
    let probe = Command::new("unshare").args(["-Ur", "sh", "-c", &set]).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        left_out(&format!("no limit of its own for {limit}"));
        return None;
    }
    let script = format!("{set}; exec \"$@\"");
    let words = format!("tee --follow --input {}/*/*.log", place.logs.display());
    let mut command = place.loghand_under(&["unshare", "-Ur", "sh", "-c", &script, "sh"], &words);
    command.stdin(Stdio::null()).stdout(OpenOptions::new().append(true).create(true).open(place.aside("out")).unwrap());
    Some(Run::start(command))
}

#[test]
fn with_too_few_watches_it_says_so_once_and_looks() {
    for (limit, value) in [("max_inotify_watches", 3), ("max_inotify_instances", 0)] {
        let place = Place::new();
        let log = |number: u64| place.logs.join(format!("{number}/x.log"));
        for number in 0..10 {
            fs::create_dir(place.logs.join(number.to_string())).unwrap();
            append(&log(number), &lines(number, 0..2));
        }
        let Some(mut run) = with_few(&place, limit, value) else { return };
        let out = place.aside("out");
        let has = |count| fs::metadata(&out).unwrap().len() >= length(&[count; 10]);
        wait_until("all is there", || has(2));
        (0..10).for_each(|number| append(&log(number), &lines(number, 2..4)));
        wait_until("all is there", || has(4));
        run.signal(Signal::SIGTERM);
        let ended = run.wait();
        ended.assert_code(0);
        assert_eq!(ended.stderr.matches("looking every 1 s").count(), 1, "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert_each(&fs::read(&out).unwrap(), &[4; 10]);
    }
}

#[test]
fn more_events_than_the_queue_holds() {
    let most: u64 = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    let place = Place::new();
    append(&numbered(&place, 0), &lines(0, 0..1));
    let mut follower = Follower::start(&place, &all(&place));
    follower.wait_for(length(&[1]));
    follower.run.signal(Signal::SIGSTOP);
    // One after the other in two files: what is the same as the event before it takes no place in the queue.
    let mut files = [0, 1].map(|number| {
        OpenOptions::new().append(true).create(true).open(place.logs.join(format!("noise{number}"))).unwrap()
    });
    for event in 0..most.min(1 << 17) + 1000 {
        files[event as usize % 2].write_all(b"x").unwrap();
    }
    fs::rename(numbered(&place, 0), place.logs.join("f0x.log.1")).unwrap();
    append(&numbered(&place, 0), &lines(0, 1..3));
    append(&numbered(&place, 1), &lines(1, 0..3));
    follower.run.signal(Signal::SIGCONT);
    follower.assert_each(&[3, 3]);
}

#[test]
fn a_folder_that_is_deleted_and_made_anew() {
    let place = Place::new();
    let mut follower = Follower::start(&place, "--input FILE");
    for round in 0..5 {
        append(&place.log(), &lines(0, round * 3..round * 3 + 3));
        follower.wait_for(length(&[round * 3 + 3]));
        fs::remove_dir_all(&place.logs).unwrap();
        fs::create_dir(&place.logs).unwrap();
    }
    follower.assert_each(&[15]);
}

#[test]
fn a_symlink_to_a_folder_that_is_switched() {
    let place = Place::new();
    let link = place.aside("link");
    let to = |round: u64| {
        let (folder, fresh) = (place.logs.join(round.to_string()), place.aside("fresh"));
        fs::create_dir(&folder).unwrap();
        append(&folder.join("app.log"), &lines(0, round * 3..round * 3 + 3));
        symlink(folder, &fresh).unwrap();
        fs::rename(fresh, &link).unwrap();
    };
    to(0);
    let mut follower = Follower::start(&place, &format!("--input {}/app.log", link.display()));
    for round in 1..5 {
        follower.wait_for(length(&[round * 3]));
        to(round);
    }
    follower.assert_each(&[15]);
}

#[test]
fn a_hard_link_that_takes_the_name() {
    let place = Place::new();
    append(&place.log(), &lines(0, 0..3));
    let mut follower = Follower::start(&place, "--input FILE");
    for round in 1..5 {
        follower.wait_for(length(&[round * 3]));
        let (other, link) = (place.aside(&format!("other{round}")), place.logs.join("link"));
        append(&other, &lines(0, round * 3..round * 3 + 1));
        fs::hard_link(&other, &link).unwrap();
        fs::rename(&link, place.log()).unwrap();
        // By the other name.
        append(&other, &lines(0, round * 3 + 1..round * 3 + 2));
        append(&place.log(), &lines(0, round * 3 + 2..round * 3 + 3));
    }
    follower.assert_each(&[15]);
}

#[test]
fn a_bind_mount_whose_source_is_renamed() {
    on_a_small_disk("size=1m", |place, _| {
        let (source, moved, target) = (place.logs.join("source"), place.logs.join("moved"), place.logs.join("target"));
        fs::create_dir(&source).unwrap();
        fs::create_dir(&target).unwrap();
        append(&source.join("app.log"), &lines(0, 0..3));
        mount(Some(&source), &target, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        let mut follower = Follower::start(place, &format!("--input {}/app.log", target.display()));
        follower.wait_for(length(&[3]));
        fs::rename(&source, &moved).unwrap();
        append(&moved.join("app.log"), &lines(0, 3..6));
        follower.wait_for(length(&[6]));
        fs::rename(moved.join("app.log"), moved.join("app.log.1")).unwrap();
        append(&moved.join("app.log"), &lines(0, 6..9));
        follower.assert_each(&[9]);
        nix::mount::umount2(&target, nix::mount::MntFlags::MNT_DETACH).unwrap();
    });
}
