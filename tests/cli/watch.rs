//! `loghand watch`: a file that somebody else moves, deletes or truncates.

use std::fs;

use rustix::process::Signal;

use crate::harness::World;

#[test]
fn lines_are_appended() {
    let world = World::new();
    world.put("app.log", "before\n");
    world.loghand("watch app.log").stdin("one\ntwo\n").leaves([("app.log", "before\none\ntwo\n")]);
}

#[test]
fn bytes_go_through_as_they_are() {
    let world = World::new();
    let bytes = b"\xef\xbb\xbfmark\r\n\n\0\n\xff\xfe\nno line end";
    world.loghand("watch app.log").stdin(bytes).leaves([("app.log", bytes)]);
}

#[test]
fn a_renamed_file_is_made_again_while_no_line_comes() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    world.rename("app.log", "app.log.1");
    watch.wrote("app.log", "").hears("two\n").wrote("app.log", "two\n");
    watch.leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

#[test]
fn a_deleted_file_is_made_again_while_no_line_comes() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    world.remove("app.log");
    watch.wrote("app.log", "").hears("two\n").wrote("app.log", "two\n");
    watch.leaves([("app.log", "two\n")]);
}

#[test]
fn a_line_right_after_a_rename_goes_into_the_new_file_or_the_renamed_one_and_never_nowhere() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    let mut all = "first\n".to_owned();
    watch.hears(&all).wrote("app.log", &all);
    for n in 0..50 {
        let line = format!("line {n}\n");
        watch.hears(&line);
        all += &line;
        if n % 5 == 4 && world.exists("app.log") {
            world.rename("app.log", &format!("old.{n:02}"));
        }
    }
    watch.signal(Signal::TERM).until_it_leaves();
    let mut names = world.names();
    names.sort_by_key(|name| name == "app.log");
    let found: String = names.iter().map(|name| fs::read_to_string(world.path(name)).unwrap()).collect();
    assert_eq!(found, all);
}

#[test]
fn a_new_file_in_its_place_is_gone_on_with() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    world.put("new", "begun by logrotate\n");
    world.rename("new", "app.log");
    watch.hears("two\n").wrote("app.log", "begun by logrotate\ntwo\n");
    watch.leaves([("app.log", "begun by logrotate\ntwo\n")]);
}

#[test]
fn a_truncated_file_is_gone_on_with_from_its_beginning() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    fs::File::options().write(true).open(world.path("app.log")).unwrap().set_len(0).unwrap();
    watch.hears("two\n").wrote("app.log", "two\n");
    watch.leaves([("app.log", "two\n")]);
}

#[test]
fn hup_opens_it_anew() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    world.rename("app.log", "app.log.1");
    watch.signal(Signal::HUP).wrote("app.log", "").hears("two\n").wrote("app.log", "two\n");
    watch.leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

#[test]
fn usr1_is_nothing_to_a_file_that_somebody_else_rotates() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    watch.signal(Signal::USR1).hears("two\n").wrote("app.log", "one\ntwo\n");
    watch.leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn a_symlink_is_followed_to_where_it_leads_by_then() {
    let world = World::new();
    world.put("a.log", "").put("b.log", "").symlink("app.log", "a.log");
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("a.log", "one\n");
    world.symlink("new", "b.log");
    world.rename("new", "app.log");
    watch.hears("two\n").wrote("b.log", "two\n");
    watch.leaves([("a.log", "one\n"), ("app.log@", "b.log"), ("b.log", "two\n")]);
}

#[test]
fn a_vanished_folder_is_waited_for_and_no_line_is_lost() {
    let world = World::new();
    world.folder("logs");
    let waiting = "logs/app.log: No such file or directory: trying again until it works, the producer waits";
    let mut watch = world.loghand("watch logs/app.log").stderr_has([waiting, "logs/app.log: writing again"]).start();
    watch.hears("one\n").wrote("logs/app.log", "one\n");
    world.rename("logs", "moved");
    watch.hears("two\n").until_stderr_has(waiting);
    world.folder("logs");
    watch.wrote("logs/app.log", "two\n");
    watch.leaves([("logs/app.log", "two\n"), ("moved/app.log", "one\n")]);
}

#[test]
fn a_vanished_folder_is_made_again_with_mkdir() {
    let world = World::new();
    let mut watch = world.loghand("watch logs/app.log --mkdir").start();
    watch.hears("one\n").wrote("logs/app.log", "one\n");
    world.rename("logs", "moved");
    watch.hears("two\n").wrote("logs/app.log", "two\n");
    watch.leaves([("logs/app.log", "two\n"), ("moved/app.log", "one\n")]);
}

#[test]
fn the_file_of_loghand_rotate_may_be_watched_by_another() {
    let world = World::new();
    let mut watch = world.loghand("watch app.log").start();
    watch.hears("one\n").wrote("app.log", "one\n");
    world.shell("loghand rotate --once app.log --force").start().until_it_leaves();
    world.until_holds("app.log.1", "one\n");
    watch.hears("two\n").wrote("app.log", "two\n");
    watch.leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}
