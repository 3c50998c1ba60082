//! `loghand tee`: StreamHandler, FileHandler, NullHandler.

use crate::harness::World;

#[test]
fn lines_go_to_stdout_and_to_every_file() {
    let world = World::new();
    world
        .loghand("tee a.log b.log")
        .stdin("one\ntwo\n")
        .stdout("one\ntwo\n")
        .leaves([("a.log", "one\ntwo\n"), ("b.log", "one\ntwo\n")]);
}

#[test]
fn without_files_lines_go_to_stdout_alone() {
    World::new().loghand("tee").stdin("one\ntwo\n").stdout("one\ntwo\n").leaves_nothing();
}

#[test]
fn files_are_appended_to() {
    let world = World::new();
    world.put("app.log", "before\n");
    world.loghand("tee app.log").stdin("one\n").stdout("one\n").leaves([("app.log", "before\none\n")]);
}

#[test]
fn stderr_takes_the_lines_instead_of_stdout() {
    let world = World::new();
    world.loghand("tee --stderr app.log").stdin("one\n").stderr("one\n").leaves([("app.log", "one\n")]);
}

#[test]
fn no_stdout_leaves_the_files_alone_to_take_lines() {
    let world = World::new();
    world.loghand("tee --no-stdout app.log").stdin("one\n").leaves([("app.log", "one\n")]);
}

#[test]
fn null_takes_everything_and_makes_no_file() {
    let world = World::new();
    world.loghand("tee --no-stdout null:").stdin("one\n").leaves_nothing();
    world.loghand("tee null: app.log").stdin("one\n").stdout("one\n").leaves([("app.log", "one\n")]);
}

#[test]
fn bytes_go_through_as_they_are() {
    let world = World::new();
    let bytes = b"\xef\xbb\xbfmark\r\n\n\r\n\0nul\0\n\xff\xfe not utf-8 \x80\n\x1b[31mcolour\x1b[0m\nno line end";
    world.loghand("tee app.log").stdin(bytes).stdout(bytes).leaves([("app.log", bytes)]);
}

#[test]
fn every_byte_value_survives_in_lines_of_every_kind() {
    let world = World::new();
    let bytes: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    world.loghand("tee app.log").stdin(&bytes).stdout(&bytes).leaves([("app.log", &bytes)]);
}

#[test]
fn a_line_longer_than_any_buffer_goes_through_whole() {
    let world = World::new();
    let line = [&vec![b'x'; 3 << 20][..], b"\nshort\n"].concat();
    world.loghand("tee app.log").stdin(&line).stdout(&line).leaves([("app.log", &line)]);
}

#[test]
fn an_input_without_lines_still_makes_the_file() {
    World::new().loghand("tee app.log").stdin("").leaves([("app.log", "")]);
}

#[test]
fn a_line_is_passed_on_before_the_next_one_comes() {
    let world = World::new();
    let mut tee = world.loghand("tee").stdout("one\ntwo\n").start();
    tee.hears("one\n").until_stdout("one\n").hears("two\n").until_stdout("one\ntwo\n");
    tee.leaves_nothing();
}

#[test]
fn a_file_that_cannot_be_opened_is_said_and_the_others_take_the_lines() {
    let world = World::new();
    let says = "missing/a.log: its folder does not exist (--mkdir makes it): No such file or directory";
    world
        .loghand("tee missing/a.log b.log")
        .stdin("one\n")
        .stdout("one\n")
        .code(1)
        .says(says)
        .leaves([("b.log", "one\n")]);
}

#[test]
fn when_no_file_can_be_opened_no_input_is_read() {
    let world = World::new();
    let says = "missing/a.log: its folder does not exist (--mkdir makes it): No such file or directory";
    let (reader, mut writer) = std::io::pipe().unwrap();
    let input = reader.try_clone().unwrap();
    world.loghand("tee --no-stdout missing/a.log").stdin_from(input).code(1).says(says).leaves_nothing();
    std::io::Write::write_all(&mut writer, b"still there").unwrap();
    drop(writer);
    assert_eq!(std::io::read_to_string(reader).unwrap(), "still there");
}

#[test]
fn a_folder_is_no_file() {
    let world = World::new();
    world.folder("logs");
    let says = "logs: cannot be opened: Is a directory";
    world.loghand("tee logs").stdin("one\n").stdout("one\n").code(1).says(says).leaves([("logs/", "")]);
}

#[test]
fn a_symlink_is_written_through_as_a_shell_does() {
    let world = World::new();
    world.put("real.log", "before\n").symlink("app.log", "real.log");
    world
        .loghand("tee --no-stdout app.log")
        .stdin("one\n")
        .leaves([("app.log@", "real.log"), ("real.log", "before\none\n")]);
}

#[test]
fn names_that_a_shell_would_read_as_patterns_are_names() {
    let world = World::new();
    world.loghand("tee --no-stdout").arg("a [b] *?.log").stdin("one\n").leaves([("a [b] *?.log", "one\n")]);
}

#[test]
fn a_dash_before_a_file_name_needs_no_outlet() {
    let world = World::new();
    world.loghand("tee --no-stdout ./-app.log").stdin("one\n").leaves([("-app.log", "one\n")]);
}

#[test]
fn a_real_pipeline_gets_what_the_producer_wrote() {
    let world = World::new();
    let lines: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    world.shell("seq 100000 | loghand tee app.log | cat").stdout(&lines).leaves([("app.log", &lines)]);
}
