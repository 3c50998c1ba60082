//! Which of two archives of one log is older.

use std::cmp::Ordering;
use std::time::SystemTime;

use chrono::NaiveDateTime;

/// What a name tells of an archive's age.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// A chain of numbers, the highest the oldest.
    Number(u32),
    /// A date with or without a clock, by UTC where an offset is written. Of one time, the highest serial number is the
    /// youngest.
    Date { at: NaiveDateTime, serial: u32 },
    /// Milliseconds since 1970.
    Epoch { millis: u64, serial: u32 },
    /// The label of multilog, svlogd and s6-log, as a number.
    Tai64n(u128),
    /// Nothing.
    Unknown,
}

impl Order {
    /// The older is the lesser. None when the names do not tell the same kind of thing.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(other.cmp(one)),
            (Self::Date { at, serial }, Self::Date { at: other_at, serial: other }) => {
                Some((at, serial).cmp(&(other_at, other)))
            }
            (Self::Epoch { millis, serial }, Self::Epoch { millis: other_millis, serial: other }) => {
                Some((millis, serial).cmp(&(other_millis, other)))
            }
            (Self::Tai64n(one), Self::Tai64n(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }

    fn kind(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Date { .. } => 1,
            Self::Epoch { .. } => 2,
            Self::Tai64n(_) => 3,
            Self::Unknown => 4,
        }
    }
}

/// The order of two archives of one log: by what their names tell if both tell the same kind of thing, else by when they
/// were last written.
///
/// Of three archives it may go round in a circle, when a name and a time of writing contradict each other, and the
/// standard sorts may panic at that: for more than two there is [`sort_oldest_first`].
pub fn oldest_first(one: (&Order, SystemTime), other: (&Order, SystemTime)) -> Ordering {
    one.0.compare(other.0).unwrap_or(Ordering::Equal).then(one.1.cmp(&other.1))
}

/// Sorts archives of one log: those of one kind as their names tell, and the kinds among each other by when the files
/// were last written.
pub fn sort_oldest_first<T>(archives: &mut Vec<T>, of: impl Fn(&T) -> (&Order, SystemTime)) {
    // Within a kind the order is total.
    archives.sort_by(|one, other| {
        let (one, other) = (of(one), of(other));
        one.0.kind().cmp(&other.0.kind()).then_with(|| oldest_first(one, other))
    });
    let mut kinds: Vec<_> = Vec::new();
    while let Some(first) = archives.first() {
        let kind = of(first).0.kind();
        let end = archives.iter().position(|archive| of(archive).0.kind() != kind).unwrap_or(archives.len());
        kinds.push(archives.drain(..end).collect::<Vec<_>>().into_iter().peekable());
    }
    loop {
        let heads = kinds.iter_mut().filter_map(|kind| kind.peek().map(|head| of(head).1).map(|time| (time, kind)));
        let Some((_, kind)) = heads.min_by_key(|(time, _)| *time) else { return };
        archives.extend(kind.next());
    }
}
