//! Folders and names that do not let a log be what it should be.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::disk::on_a_small_disk;
use crate::harness::{Place, Run, is_installed, left_out, lines, read_whole, wait_until};

const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// Whether we are root and can be nobody, to whom permissions mean something. The folder of tests is open to all then.
fn can_be_nobody(place: &Place) -> bool {
    if !is_installed("setpriv") || !nix::unistd::geteuid().is_root() {
        left_out("nobody can be played only by root, with setpriv");
        return false;
    }
    allow(place.logs.parent().unwrap(), 0o755);
    allow(&place.logs, 0o777);
    true
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// nobody must be able to reach the binary as well.
fn as_nobody(place: &Place, words: &str) -> Command {
    let binary = place.aside("loghand");
    if !binary.exists() {
        fs::copy(env!("CARGO_BIN_EXE_loghand"), &binary).unwrap();
    }
    let mut command = place.loghand_under(&NOBODY, words);
    // The binary is the first word behind setpriv's.
    let mut again = Command::new(command.get_program());
    again.args(NOBODY[1..].iter()).arg(binary).args(command.get_args().skip(NOBODY.len()));
    again.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::null());
    std::mem::swap(&mut command, &mut again);
    command
}

#[test]
fn a_read_only_folder_at_the_start_is_said_and_is_the_end() {
    let place = Place::new();
    if !can_be_nobody(&place) {
        return;
    }
    allow(&place.logs, 0o555);
    for words in ["rotate FILE --max-bytes 1K", "watch FILE", "tee --no-stdout FILE"] {
        let ended = Run::start(as_nobody(&place, words)).finish();
        ended.assert_code(1);
        let log = place.log().display().to_string();
        assert_eq!(ended.stderr, format!("loghand: {log}: cannot be opened: Permission denied\n"));
        assert!(place.names().is_empty());
    }
}

#[test]
fn a_folder_that_becomes_read_only_stops_rotation_and_not_the_log() {
    let place = Place::new();
    if !can_be_nobody(&place) {
        return;
    }
    let mut run = Run::start(as_nobody(&place, "rotate FILE --max-bytes 2K --backup-count 0"));
    run.send(&lines(0, 0..10));
    wait_until("the log is there", || place.text() == lines(0, 0..10));
    allow(&place.logs, 0o555);
    run.send(&lines(0, 10..200));
    run.wait_until_said("cannot be rolled over, so it grows on");
    wait_until("all lines are there", || place.text() == lines(0, 0..200));
    assert_eq!(place.names(), ["app.log"]);
    allow(&place.logs, 0o777);
    let mut sent = 200;
    wait_until("it is rolled over", || {
        run.send(&lines(0, sent..sent + 1));
        sent += 1;
        run.said().contains("rolled over again")
    });
    let ended = run.finish();
    ended.assert_code(1);
    assert_eq!(ended.stderr.matches("cannot be rolled over").count(), 1, "{}", ended.stderr);
    assert!(place.text() == lines(0, 0..sent));
    place.assert_nothing_temporary();
}

#[test]
fn a_disk_that_becomes_read_only_stops_rotation_and_not_the_log() {
    on_a_small_disk("size=1m", |place, _| {
        let mut run = place.start("rotate FILE --max-bytes 2K --backup-count 0");
        run.send(&lines(0, 0..10));
        wait_until("the log is there", || place.text() == lines(0, 0..10));
        // The kernel refuses while a file is open for writing, but not from above, for what is opened from now on.
        let remount = |read_only: &str| {
            let options = format!("remount,bind,{read_only}");
            Command::new("mount").args(["-o", &options]).arg(&place.logs).status().unwrap()
        };
        assert!(Command::new("mount").arg("--bind").arg(&place.logs).arg(&place.logs).status().unwrap().success());
        assert!(remount("ro").success());
        run.send(&lines(0, 10..200));
        run.wait_until_said("cannot be rolled over, so it grows on");
        wait_until("all lines are there", || place.text() == lines(0, 0..200));
        assert!(remount("rw").success());
        let mut sent = 200;
        wait_until("it is rolled over", || {
            run.send(&lines(0, sent..sent + 1));
            sent += 1;
            run.said().contains("rolled over again")
        });
        run.finish().assert_code(1);
        assert!(place.text() == lines(0, 0..sent));
        place.assert_nothing_temporary();
    });
}

#[test]
fn an_immutable_log_is_waited_for_and_an_append_only_one_is_written_but_not_rolled() {
    let place = Place::new();
    let chattr = |change: &str| {
        is_installed("chattr")
            && Command::new("chattr").arg(change).arg(place.log()).stderr(Stdio::null()).status().unwrap().success()
    };
    fs::write(place.log(), "").unwrap();
    if !chattr("+a") {
        return left_out("this file system knows no append-only files");
    }
    let mut run = place.start("rotate FILE --max-bytes 2K --backup-count 0");
    run.send(&lines(0, 0..200));
    run.wait_until_said("cannot be rolled over, so it grows on");
    wait_until("all lines are there", || fs::read(place.log()).unwrap() == lines(0, 0..200));
    assert_eq!(place.archives(), 0);
    assert!(chattr("-a"));
    let ended = run.finish();
    ended.assert_code(1);

    assert!(chattr("+i"));
    let ended = place.start("rotate FILE --max-bytes 2K --backup-count 0").finish();
    assert!(chattr("-i"));
    ended.assert_code(1);
    let log = place.log().display().to_string();
    assert_eq!(ended.stderr, format!("loghand: {log}: cannot be opened: Operation not permitted\n"));
}

#[test]
fn a_missing_folder_is_the_end_without_mkdir_and_is_made_with_it() {
    for verb in ["rotate", "watch", "tee --no-stdout"] {
        let place = Place::new();
        fs::remove_dir(&place.logs).unwrap();
        let ended = place.start(&format!("{verb} FILE")).finish();
        ended.assert_code(1);
        let log = place.log().display().to_string();
        assert!(ended.stderr.starts_with(&format!("loghand: {log}: its folder does not exist (--mkdir makes it)")));
        assert_eq!(ended.stderr.lines().count(), 1);

        let mut run = place.start(&format!("{verb} FILE --mkdir"));
        run.send(&lines(0, 0..10));
        run.finish_well();
        assert!(place.text() == lines(0, 0..10));
    }
}

#[test]
fn a_folder_that_vanishes_and_comes_back_takes_the_next_lines() {
    for words in ["rotate FILE --max-bytes 2K --backup-count 0", "rotate FILE --max-bytes 1M", "watch FILE"] {
        let place = Place::new();
        let mut run = place.start(words);
        run.send(&lines(0, 0..10));
        wait_until("the log is there", || place.text() == lines(0, 0..10));
        // Who watches it makes the file anew in between.
        wait_until("the folder is gone", || fs::remove_dir_all(&place.logs).is_ok());
        // Lines that find no folder wait; what was written into the deleted file before anybody looked is the deleter's.
        let mut sent = 10;
        wait_until("it has noticed", || {
            run.send(&lines(0, sent..sent + 1));
            sent += 1;
            run.said().contains("No such file or directory")
        });
        fs::create_dir(&place.logs).unwrap();
        run.send(&lines(0, sent..sent + 10));
        let ended = run.finish();
        ended.assert_code(0);
        let all = lines(0, 0..sent + 10);
        let text = place.text();
        assert!(all.ends_with(&text) && text.len() >= lines(0, sent - 1..sent + 10).len(), "{words}");
        assert!(ended.stderr.contains("writing again"), "{}", ended.stderr);
        place.assert_nothing_temporary();
    }
}

#[test]
fn a_folder_that_vanishes_is_made_again_with_mkdir() {
    for words in ["rotate FILE --max-bytes 2K --backup-count 0 --mkdir", "watch FILE --mkdir"] {
        let place = Place::new();
        let mut run = place.start(words);
        run.send(&lines(0, 0..10));
        wait_until("the log is there", || place.text() == lines(0, 0..10));
        // Who watches it makes the file anew in between.
        wait_until("the folder is gone", || fs::remove_dir_all(&place.logs).is_ok());
        let mut sent = 10;
        wait_until("the folder is there again", || {
            run.send(&lines(0, sent..sent + 1));
            sent += 1;
            place.log().exists()
        });
        run.send(&lines(0, sent..sent + 100));
        run.finish().assert_code(0);
        let text = place.text();
        assert!(lines(0, 0..sent + 100).ends_with(&text) && text.len() >= lines(0, sent..sent + 100).len());
        place.assert_nothing_temporary();
    }
}

#[test]
fn archives_that_have_no_place_to_go_stop_rotation_and_not_the_log() {
    let place = Place::new();
    // A file stands where the archives' folder should be.
    fs::write(place.logs.join("old"), "in the way\n").unwrap();
    let mut run = place.start("rotate FILE --max-bytes 2K --backup-count 0 --namer old/{base}.{n}");
    run.send(&lines(0, 0..200));
    run.wait_until_said("cannot be rolled over, so it grows on");
    wait_until("all lines are there", || fs::read(place.log()).unwrap() == lines(0, 0..200));
    fs::remove_file(place.logs.join("old")).unwrap();
    let mut sent = 200;
    wait_until("it is rolled over", || {
        run.send(&lines(0, sent..sent + 1));
        sent += 1;
        run.said().contains("rolled over again")
    });
    let ended = run.finish();
    ended.assert_code(1);
    assert_eq!(ended.stderr.matches("cannot be rolled over").count(), 1, "{}", ended.stderr);
    assert_eq!(place.names(), ["app.log", "old"]);
    let archive = read_whole(&place.logs.join("old/app.log.1"));
    assert!([archive, fs::read(place.log()).unwrap()].concat() == lines(0, 0..sent));
}

#[test]
fn a_folder_in_an_archives_place_is_stepped_over() {
    let place = Place::new();
    fs::create_dir(place.logs.join("app.log.1")).unwrap();
    fs::create_dir(place.logs.join("app.log.3.gz")).unwrap();
    symlink("/etc/passwd", place.logs.join("app.log.5")).unwrap();
    let mut run = place.start("rotate FILE --max-bytes 1K --backup-count 0 --compress");
    run.send(&lines(0, 0..150));
    let ended = run.finish();
    ended.assert_code(0);
    assert!(ended.stderr.contains("app.log.1: is taken, so the archive is called"), "{}", ended.stderr);
    let archives: Vec<String> = place.names().into_iter().filter(|name| name.ends_with("gz")).collect();
    assert!(
        archives.starts_with(&["app.log.2.gz".into(), "app.log.3.gz".into(), "app.log.4.gz".into()])
            || archives.len() > 4
    );
    assert!(place.logs.join("app.log.1").is_dir() && place.logs.join("app.log.3.gz").is_dir());
    assert_eq!(fs::read_link(place.logs.join("app.log.5")).unwrap(), Path::new("/etc/passwd"));
    let mut numbers: Vec<u32> = archives
        .iter()
        .map(|name| name.trim_start_matches("app.log.").trim_end_matches(".gz").parse().unwrap())
        .collect();
    numbers.retain(|number| *number != 3);
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    assert!(!numbers.contains(&1) && !numbers.contains(&5) && numbers.len() > 3, "{numbers:?}");
    let mut text = Vec::new();
    numbers.iter().for_each(|number| text.extend(read_whole(&place.logs.join(format!("app.log.{number}.gz")))));
    text.extend(fs::read(place.log()).unwrap());
    assert!(text == lines(0, 0..150));
}

#[test]
fn a_folder_where_the_log_should_be_is_refused() {
    for verb in ["rotate", "watch", "tee --no-stdout"] {
        let place = Place::new();
        fs::create_dir(place.log()).unwrap();
        let ended = place.start(&format!("{verb} FILE")).finish();
        ended.assert_code(1);
        assert!(ended.stderr.to_lowercase().contains("is a folder") || ended.stderr.contains("s a directory"));
        assert_eq!(place.names(), ["app.log"]);
    }
}

#[test]
fn a_symlink_is_refused_where_files_are_moved_and_followed_where_not() {
    let place = Place::new();
    let real = place.aside("real.log");
    fs::write(&real, "").unwrap();
    symlink(&real, place.log()).unwrap();
    let ended = place.start("rotate FILE --max-bytes 1K").finish();
    ended.assert_code(1);
    assert!(ended.stderr.contains("is a symlink") && ended.stderr.contains("real.log"), "{}", ended.stderr);
    for verb in ["watch", "tee --no-stdout"] {
        let mut run = place.start(&format!("{verb} FILE"));
        run.send(&lines(0, 0..10));
        run.finish_well();
        assert!(fs::read(&real).unwrap() == lines(0, 0..10));
        fs::write(&real, "").unwrap();
        assert!(place.log().is_symlink());
    }
}

#[test]
fn a_fifo_waits_for_its_reader_and_is_never_rolled() {
    for words in ["rotate FILE --max-bytes 1K", "tee --no-stdout FILE", "watch FILE"] {
        let place = Place::new();
        mkfifo(&place.log(), Mode::S_IRWXU).unwrap();
        let mut run = place.start(words);
        run.send(&lines(0, 0..100));
        run.wait_until_said("trying again until it works");
        let mut reader = fs::File::open(place.log()).unwrap();
        drop(run.stdin.take());
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap();
        run.wait().assert_code(0);
        assert!(text == lines(0, 0..100), "{words}");
        assert_eq!(place.names(), ["app.log"]);
    }
}

#[test]
fn a_fifo_whose_reader_goes_away_ends_with_a_word() {
    let place = Place::new();
    mkfifo(&place.log(), Mode::S_IRWXU).unwrap();
    let mut run = place.start("rotate FILE --max-bytes 1K");
    let reader = std::thread::spawn({
        let log = place.log();
        move || drop(fs::File::open(log).unwrap())
    });
    run.send(&lines(0, 0..10));
    reader.join().unwrap();
    // The first lines may still have gone into the pipe that nobody reads any more.
    while std::io::Write::write_all(run.stdin.as_mut().unwrap(), &lines(0, 10..20)).is_ok() {}
    let ended = run.wait();
    ended.assert_code(1);
    assert!(ended.stderr.contains("its reader went away"), "{}", ended.stderr);
}

#[test]
fn devices_are_written_to_and_never_rolled() {
    let place = Place::new();
    for words in ["rotate /dev/null --max-bytes 10 --when S", "tee --no-stdout /dev/null", "watch /dev/null"] {
        let mut run = place.start(words);
        run.send(&lines(0, 0..100));
        run.finish_well();
        assert!(!Path::new("/dev/null.1").exists());
    }
    let mut run = place.start("rotate /dev/full --max-bytes 10 --on-disk-full drop");
    run.send(&lines(0, 0..100));
    let ended = run.finish();
    ended.assert_code(1);
    assert!(ended.stderr.contains("lost: No space left on device"), "{}", ended.stderr);
    assert_eq!(crate::disk::lost(&ended.stderr), 100);
}

#[test]
fn closed_descriptors_are_survived() {
    for (closing, code) in [("<&-", 0), (">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0)] {
        let place = Place::new();
        let line = format!("echo hello | \"$@\" {closing}");
        let mut shell = Command::new("sh");
        let loghand = place.loghand("rotate FILE --max-bytes 1K");
        shell.args(["-c", &line, "sh"]).arg(loghand.get_program()).args(loghand.get_args()).stdin(Stdio::null());
        let ended = Run::start(shell).wait();
        ended.assert_code(code);
        // No descriptor of its own may have become the log.
        let expected: &[u8] = if closing.contains('<') { b"" } else { b"hello\n" };
        assert_eq!(fs::read(place.log()).unwrap(), expected, "{closing}");
        assert_eq!(place.names(), ["app.log"]);
    }
}

#[test]
fn unreadable_archives_are_counted_moved_and_deleted_all_the_same() {
    let place = Place::new();
    if !can_be_nobody(&place) {
        return;
    }
    for number in 1..=3 {
        let archive = place.logs.join(format!("app.log.{number}"));
        fs::write(&archive, "secret\n").unwrap();
        allow(&archive, 0o000);
    }
    let mut run = Run::start(as_nobody(&place, "rotate FILE --max-bytes 1K --backup-count 3"));
    run.send(&lines(0, 0..100));
    let ended = run.finish();
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(place.names(), ["app.log", "app.log.1", "app.log.2", "app.log.3"]);
    assert!(lines(0, 0..100).ends_with(&place.text()));

    // To be compressed they would have to be read.
    let archive = place.logs.join("app.log.3");
    fs::write(&archive, "secret\n").unwrap();
    allow(&archive, 0o000);
    let ended = Run::start(as_nobody(&place, "rotate FILE --max-bytes 1K --backup-count 3 --compress")).finish();
    ended.assert_code(1);
    assert!(ended.stderr.contains("app.log.3: not compressed: Permission denied"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert_eq!(fs::read(&archive).unwrap(), b"secret\n");
}

#[test]
fn a_folder_that_cannot_be_listed_takes_lines_and_says_that_archives_are_not_found() {
    let place = Place::new();
    if !can_be_nobody(&place) {
        return;
    }
    allow(&place.logs, 0o733);
    let mut run = Run::start(as_nobody(&place, "rotate FILE --max-bytes 1M --backup-count 3"));
    run.send(&lines(0, 0..100));
    let ended = run.finish();
    ended.assert_code(1);
    assert!(ended.stderr.contains("its archives"), "{}", ended.stderr);
    assert!(place.text() == lines(0, 0..100));
}

#[test]
fn copy_and_truncate_empties_the_file_that_it_copied_and_nothing_else() {
    if !is_installed("strace") {
        return left_out("strace is not installed, so nothing can be made slow");
    }
    let place = Place::new();
    fs::write(place.log(), lines(0, 0..3)).unwrap();
    // The copy gets its name late; in the meantime the log's name is given to another file.
    let slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2"];
    let slow = [&slow[..], &["-e", "inject=renameat2:delay_enter=2000000"]].concat();
    let words = "rotate --once --force --copy-truncate FILE";
    let mut run = Run::start(place.loghand_under(&slow, words));
    let copied = |name: &String| {
        name.ends_with(".tmp") && fs::read(place.logs.join(name)).is_ok_and(|text| text == lines(0, 0..3))
    };
    wait_until("the log is copied", || place.names().iter().any(copied));
    fs::rename(place.log(), place.aside("moved")).unwrap();
    fs::write(place.log(), "precious\n").unwrap();
    run.wait();
    assert_eq!(fs::read_to_string(place.log()).unwrap(), "precious\n");
    assert_eq!(fs::read(place.aside("moved")).unwrap(), b"");
    assert_eq!(fs::read(place.logs.join("app.log.1")).unwrap(), lines(0, 0..3));
}

#[test]
fn another_users_side_file_is_one_that_is_held_unless_it_was_left_behind() {
    let place = Place::new();
    if !can_be_nobody(&place) {
        return;
    }
    let side_file = place.logs.join(".app.log.lock");
    fs::write(&side_file, "").unwrap();
    allow(&side_file, 0o600);
    let mut run = Run::start(as_nobody(&place, "rotate FILE --max-bytes 1K"));
    run.send(&lines(0, 0..100));
    let ended = run.finish();
    // Nobody rolled, as if root were in the middle of it.
    assert_eq!((ended.stderr.as_str(), ended.status.code()), ("", Some(0)));
    assert_eq!(place.text(), lines(0, 0..100));

    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&side_file).unwrap().set_modified(long_ago).unwrap();
    let mut run = Run::start(as_nobody(&place, "rotate FILE --max-bytes 1K"));
    run.send(&lines(0, 100..200));
    let ended = run.finish();
    ended.assert_code(1);
    assert!(ended.stderr.contains(".app.log.lock: Permission denied"), "{}", ended.stderr);
    assert_eq!(place.text(), lines(0, 0..200));
}
