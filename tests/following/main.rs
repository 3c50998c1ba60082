//! Random histories of logs that are followed, against an in-memory truth: whatever is renamed, packed, copied, cut or
//! deleted, and whenever loghand is stopped or killed, its output holds every line that it must hold and none twice.
//!
//! `steps` says what may happen, `world` does it to the files and keeps the truth, `run` is the program at work, and
//! `verdict` compares what it put out.

#[path = "../random/mod.rs"]
mod random;
mod run;
mod steps;
mod verdict;
mod world;

use proptest::test_runner::{TestCaseError, TestCaseResult};

use steps::{Events, Setup, Step, setups, steps};
use world::World;

/// Cases mostly wait.
const THREADS: u32 = 6;

/// LOGHAND_CASES says how many in each thread.
fn check(cases: u32, events: Events) {
    let property = |(setup, steps): (Setup, Vec<Step>)| history(&setup, &steps);
    let each = |salt| random::check(salt, cases / THREADS, &(setups(events), steps(events)), property);
    std::thread::scope(|scope| {
        for salt in 0..u64::from(THREADS) {
            scope.spawn(move || each(salt));
        }
    });
}

fn history(setup: &Setup, steps: &[Step]) -> TestCaseResult {
    let mut world = World::new(setup.clone());
    let lived = steps.iter().try_for_each(|step| world.take(step)).and_then(|()| world.end());
    lived.map_err(|why| TestCaseError::fail(format!("{why}\n{}", world.story())))
}

#[test]
fn whoever_rotates_no_line_is_lost_or_doubled() {
    check(240, Events::default());
}

#[test]
fn kills_repeat_only_what_the_checkpoint_did_not_cover() {
    check(180, Events { kills: true, ..Events::default() });
}

#[test]
fn what_is_cut_or_deleted_costs_no_more_than_is_said() {
    check(180, Events { destroys: true, ..Events::default() });
}

#[test]
fn a_cron_job_with_a_checkpoint_reads_each_line_once() {
    check(180, Events { once: true, ..Events::default() });
}

#[test]
fn anything_at_all_may_happen() {
    check(120, Events { once: false, kills: true, destroys: true });
    check(60, Events { once: true, kills: true, destroys: true });
}
