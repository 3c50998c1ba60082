//! Runs a property on random cases and says, when one fails, how to get the same cases again.

use std::env;
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestError, TestRng, TestRunner};

/// Checks `property` on so many cases; LOGHAND_SEED chooses them, LOGHAND_CASES how many.
#[allow(dead_code, reason = "some tests choose their seeds themselves")]
pub fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let seed = asked_seed().unwrap_or_else(|| RandomState::new().hash_one("seed"));
    check_from(seed, cases, strategy, property);
}

/// LOGHAND_SEED.
pub fn asked_seed() -> Option<u64> {
    let seed = env::var("LOGHAND_SEED").ok()?;
    Some(seed.parse().expect("LOGHAND_SEED is a number"))
}

/// As [`check`], with cases that are chosen by this seed.
pub fn check_from<S: Strategy>(seed: u64, cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let cases = env::var("LOGHAND_CASES").map_or(cases, |cases| cases.parse().expect("LOGHAND_CASES is a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    match runner.run(strategy, property) {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("LOGHAND_SEED={seed}: {why}\nsmallest case: {case:#?}"),
        Err(TestError::Abort(why)) => panic!("LOGHAND_SEED={seed}: {why}"),
    }
}
