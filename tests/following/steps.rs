//! What may happen, and how loghand is called.

use proptest::prelude::*;
use proptest::strategy::Union;

/// What a test lets happen beside writing, rotating and stopping.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events {
    /// Loghand runs now and then instead of following.
    pub once: bool,
    pub kills: bool,
    /// Lines are cut or deleted.
    pub destroys: bool,
}

#[derive(Clone, Debug)]
pub struct Setup {
    pub once: bool,
    pub checkpoint: bool,
    pub pattern: Pattern,
    pub from_end: bool,
    pub poll: bool,
    /// The archives of each log have dates instead of numbers.
    pub dated: [bool; LOGS],
    /// The last log is a symlink that is switched to be rotated.
    pub linked: bool,
}

/// So many logs at most.
pub const LOGS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*.log`
    Logs,
    /// `*.log*`: archives, too.
    Archives,
    /// The name of the first log.
    Literal,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// Whole lines of these lengths, in one write or in one each. Ends a line that was begun.
    Lines {
        log: usize,
        lengths: Vec<usize>,
        at_once: bool,
    },
    /// Whole lines, and the beginning of one more, in one write.
    Begin {
        log: usize,
        lengths: Vec<usize>,
        rest: usize,
    },
    /// The log goes, by its kind: the numbers of its archives are shifted, or it gets a date.
    Rotate {
        log: usize,
        finish: bool,
        create: bool,
        keep: Option<usize>,
    },
    CopyTruncate {
        log: usize,
        looked_at: bool,
    },
    /// One of the plain archives is packed.
    Gzip {
        log: usize,
        which: usize,
        temporary: bool,
        looked_at: bool,
    },
    /// A writer that has not noticed appends to the last archive.
    Late {
        log: usize,
        lengths: Vec<usize>,
    },
    /// An editor puts a new file with one line more in its place.
    Edit {
        log: usize,
    },
    /// A second name for the first log comes, or goes.
    HardLink,
    Symlink,
    /// It is cut, and more than it held, or less, is written at once.
    Truncate {
        log: usize,
        regrows: bool,
    },
    Delete {
        log: usize,
    },
    DeleteOldest {
        log: usize,
    },
    /// Waits until everything is read.
    Quiesce,
    /// TERM.
    Stop {
        restart: bool,
    },
    Kill {
        restart: bool,
    },
    Start,
}

pub fn setups(events: Events) -> impl Strategy<Value = Setup> {
    let pattern = prop::sample::select(vec![Pattern::Logs, Pattern::Logs, Pattern::Archives, Pattern::Literal]);
    let flags = (prop::bool::weighted(0.8), prop::bool::weighted(0.1), prop::bool::weighted(0.2), any::<bool>());
    (pattern, flags, any::<[bool; LOGS]>()).prop_map(move |(pattern, flags, dated)| {
        let (checkpoint, from_end, poll, linked) = flags;
        let checkpoint = checkpoint || events.once || events.kills;
        Setup { once: events.once, checkpoint, pattern, from_end, poll: poll && !events.once, dated, linked }
    })
}

pub fn steps(events: Events) -> impl Strategy<Value = Vec<Step>> {
    let log = || prop_oneof![3 => Just(0usize), 1 => 1..LOGS];
    let length = || {
        prop_oneof![
            200 => 0usize..60,
            40 => 60usize..2000,
            3 => 250_000usize..300_000,
            1 => 1_000_000usize..1_200_000,
        ]
    };
    let lengths = || prop::collection::vec(length(), 1..6);
    let lines =
        (log(), lengths(), any::<bool>()).prop_map(|(log, lengths, at_once)| Step::Lines { log, lengths, at_once });
    let begin = (log(), prop::collection::vec(0usize..60, 0..3), length())
        .prop_map(|(log, lengths, rest)| Step::Begin { log, lengths, rest });
    let rotate = (log(), any::<bool>(), any::<bool>(), prop::option::weighted(0.2, 1usize..4))
        .prop_map(|(log, finish, create, keep)| Step::Rotate { log, finish, create, keep });
    let copy = (log(), any::<bool>()).prop_map(|(log, looked_at)| Step::CopyTruncate { log, looked_at });
    let gzip = (log(), 0usize..3, any::<bool>(), any::<bool>())
        .prop_map(|(log, which, temporary, looked_at)| Step::Gzip { log, which, temporary, looked_at });
    let late = (log(), lengths()).prop_map(|(log, lengths)| Step::Late { log, lengths });
    // Between two runs, one that is copied and emptied at once is not always known again.
    let edits = if events.once { 0 } else { 2 };
    let edit = log().prop_map(|log| Step::Edit { log });
    let truncate = (log(), any::<bool>()).prop_map(|(log, regrows)| Step::Truncate { log, regrows });
    let delete = log().prop_map(|log| Step::Delete { log });
    let oldest = log().prop_map(|log| Step::DeleteOldest { log });
    let stop = any::<bool>().prop_map(|restart| Step::Stop { restart });
    let kill = any::<bool>().prop_map(|restart| Step::Kill { restart });
    let (kills, destroys) = (4 * u32::from(events.kills), 4 * u32::from(events.destroys));
    let steps = [
        (20, lines.boxed()),
        (6, begin.boxed()),
        (10, rotate.boxed()),
        (3, copy.boxed()),
        (6, gzip.boxed()),
        (4, late.boxed()),
        (edits, edit.boxed()),
        (1, Just(Step::HardLink).boxed()),
        (1, Just(Step::Symlink).boxed()),
        (destroys, truncate.boxed()),
        (destroys, delete.boxed()),
        (destroys / 2, oldest.boxed()),
        (10, Just(Step::Quiesce).boxed()),
        (5, stop.boxed()),
        (kills, kill.boxed()),
        (4, Just(Step::Start).boxed()),
    ];
    let step = Union::new_weighted(steps.into_iter().filter(|(weight, _)| *weight > 0).collect());
    prop::collection::vec(step, 1..40)
}
