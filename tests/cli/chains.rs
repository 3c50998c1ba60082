//! Outlets behind `--`: each with its own level, format, buffer, and fate.

use crate::harness::World;

#[test]
fn every_outlet_gets_every_line() {
    let world = World::new();
    world
        .loghand("tee a.log -- tee --no-stdout b.log -- rotate c.log -- watch d.log")
        .stdin("one\n")
        .stdout("one\n")
        .leaves([("a.log", "one\n"), ("b.log", "one\n"), ("c.log", "one\n"), ("d.log", "one\n")]);
}

#[test]
fn each_outlet_has_its_own_level_and_format() {
    let world = World::new();
    world
        .loghand("tee --format <{message}> -- rotate all.log -- tee --no-stdout errors.log --level error -- watch names.log --format {levelname}")
        .stdin("INFO 1\nERROR 2\n")
        .stdout("<INFO 1>\n<ERROR 2>\n")
        .leaves([("all.log", "INFO 1\nERROR 2\n"), ("errors.log", "ERROR 2\n"), ("names.log", "INFO\nERROR\n")]);
}

#[test]
fn stdout_is_an_outlet_like_any_other() {
    let world = World::new();
    world
        .loghand("tee --no-stdout -- tee --level error -- tee --stderr --level critical")
        .stdin("INFO 1\nERROR 2\nCRITICAL 3\n")
        .stdout("ERROR 2\nCRITICAL 3\n")
        .stderr("CRITICAL 3\n")
        .leaves_nothing();
}

#[test]
fn an_outlet_that_cannot_be_opened_fails_alone() {
    let world = World::new();
    let says = "missing/a.log: its folder does not exist (--mkdir makes it): No such file or directory";
    for broken in ["rotate missing/a.log", "watch missing/a.log", "tee --no-stdout missing/a.log"] {
        world
            .loghand(&format!("tee b.log --mode w -- {broken} -- rotate c.log --mode w"))
            .stdin("one\n")
            .stdout("one\n")
            .code(1)
            .says(says)
            .leaves([("b.log", "one\n"), ("c.log", "one\n")]);
    }
}

#[test]
fn when_no_outlet_can_be_opened_no_input_is_read() {
    let world = World::new();
    let line = |n| {
        format!("loghand: missing/{n}.log: its folder does not exist (--mkdir makes it): No such file or directory\n")
    };
    let call = world.loghand("tee --no-stdout -- rotate missing/a.log -- watch missing/b.log");
    call.stdin("one\n").code(1).stderr(line("a") + &line("b")).leaves_nothing();
}

#[test]
fn flags_of_the_whole_program_stand_before_the_first_dashes() {
    let world = World::new();
    let call = world.loghand("-v tee --no-stdout -- rotate app.log --max-bytes 4");
    call.stdin("one\ntwo\n")
        .says("app.log: rolled over to app.log.1")
        .leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

#[test]
fn only_tee_takes_outlets() {
    for verb in ["rotate app.log", "watch app.log"] {
        let world = World::new();
        let says = "only 'tee' takes outlets behind '--': loghand tee --no-stdout -- rotate FILE -- rotate FILE";
        let call = world.loghand(&format!("{verb} -- rotate b.log")).stdin("one\n");
        call.code(2).stderr_has([says]).leaves_nothing();
    }
}

#[test]
fn dashes_without_an_outlet_are_wrong_usage() {
    for words in ["tee --", "tee -- rotate a.log --", "tee -- -- rotate a.log"] {
        let world = World::new();
        let call = world.loghand(words).stdin("one\n").code(2);
        call.stderr_has(["loghand: behind '--' an outlet is missing"]).leaves_nothing();
    }
}

#[test]
fn wrong_words_behind_dashes_are_wrong_usage_before_any_file_is_made() {
    for (outlet, says) in [
        ("rotat a.log", "unrecognized subcommand 'rotat'"),
        ("rotate a.log --max-bytes 10Q", "'10Q' is no size"),
        ("rotate a.log --once --force", "--once and --plan read no lines, so they are no outlet"),
        ("rotate a.log --plan", "--once and --plan read no lines, so they are no outlet"),
        ("rotate a.log b.log", "one FILE takes the lines; several go with --once"),
        ("rotate a.log --namer x", "'x' would call every archive the same"),
        ("tee --format %(nosuch)s", "--format"),
        ("generate x", "unrecognized subcommand 'generate'"),
    ] {
        let world = World::new();
        let call = world.loghand(&format!("tee first.log -- {outlet}")).stdin("one\n");
        call.code(2).stderr_has([says]).leaves_nothing();
    }
}
