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

use std::time::Duration;

use proptest::test_runner::{TestCaseError, TestCaseResult};

use steps::{Events, Setup, Step, setups, steps};
use world::World;

/// Cases mostly wait.
const THREADS: u32 = 6;

/// Which histories are lived through unless LOGHAND_SEED says others.
const SEED: u64 = 500;

/// How long nothing happens between two steps of a history that has time: loghand may look at everything once, and what
/// it waits for itself (a renamed file's last lines) is longer.
const LEISURE: Duration = Duration::from_millis(15);

/// Whether there is time between the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Leisurely,
    /// Several rotations within a millisecond, and the next before the last was noticed.
    AtOnce,
}

/// LOGHAND_CASES says how many in each thread.
fn check(cases: u32, pace: Pace, events: Events) {
    let property = |(setup, steps): (Setup, Vec<Step>)| history(&setup, pace, &steps);
    // The same histories each time, unless others are asked for: what races is told by what was not changed.
    let seed = random::asked_seed().unwrap_or(SEED);
    let each = |salt| random::check_from(seed + salt, cases / THREADS, &(setups(events), steps(events)), property);
    std::thread::scope(|scope| {
        for salt in 0..u64::from(THREADS) {
            scope.spawn(move || each(salt));
        }
    });
}

fn history(setup: &Setup, pace: Pace, steps: &[Step]) -> TestCaseResult {
    let mut world = World::new(setup.clone());
    let lived = steps.iter().try_for_each(|step| {
        world.take(step)?;
        if pace == Pace::Leisurely && world.is_followed() {
            world.quiesce()?;
            std::thread::sleep(LEISURE);
        }
        Ok(())
    });
    let lived = lived.and_then(|()| world.end());
    lived.map_err(|why| TestCaseError::fail(format!("{why}\n{}", world.story())))
}

const KILLS: Events = Events { once: false, kills: true, destroys: false };
const CUTS: Events = Events { once: false, kills: false, destroys: true };
const ALL: Events = Events { once: false, kills: true, destroys: true };

#[test]
fn whoever_rotates_no_line_is_lost_or_doubled() {
    check(36, Pace::Leisurely, Events::default());
}

#[test]
fn kills_repeat_only_what_the_checkpoint_did_not_cover() {
    check(24, Pace::Leisurely, KILLS);
}

#[test]
#[ignore = "about one history in a hundred, with several cuts before a line was read, still fails or says too much"]
fn what_is_cut_or_deleted_costs_no_more_than_is_said() {
    check(90, Pace::Leisurely, CUTS);
}

#[test]
fn a_cron_job_with_a_checkpoint_reads_each_line_once() {
    check(240, Pace::AtOnce, Events { once: true, ..Events::default() });
}

#[test]
#[ignore = "about one history in some hundreds, in which files change their names within a millisecond, still fails"]
fn whoever_rotates_at_once_no_line_is_lost_or_doubled() {
    check(240, Pace::AtOnce, Events::default());
}

#[test]
#[ignore = "about one history in some hundreds, in which everything happens within milliseconds, still fails"]
fn anything_at_all_may_happen_at_once() {
    check(120, Pace::AtOnce, KILLS);
    check(120, Pace::AtOnce, CUTS);
    check(120, Pace::AtOnce, ALL);
    check(60, Pace::AtOnce, Events { once: true, ..ALL });
}
