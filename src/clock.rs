//! The time of day, handed in.
//!
//! Nothing in loghand looks up the clock on its own: whoever needs the time holds a `Clock`, so a test turns it by
//! hand. `Zone` is the other half: civil time by a zone's rules, for schedules and for names.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Local, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};

/// The wall clock, or a clock that a test turns by hand.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::set`] moves it.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(start))))
    }

    /// Whether it is the system's clock, by which the kernel can wake.
    pub fn is_system(&self) -> bool {
        matches!(self.0, Source::System)
    }

    /// The time of day.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => SystemTime::now().into(),
            Source::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock; the system's clock stays as it is.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Source::Manual(time) = &self.0 {
            *time.lock().unwrap_or_else(PoisonError::into_inner) = to;
        }
    }

    /// The monotonic instant at which the time of day will be `at`, as far as can be told now.
    pub fn instant_of(&self, at: DateTime<Utc>) -> Instant {
        let wait = (at - self.now()).to_std().unwrap_or(Duration::ZERO);
        let now = Instant::now();
        now.checked_add(wait).unwrap_or(now)
    }
}

/// Civil time by the rules of a zone, daylight saving included.
#[derive(Clone)]
pub struct Zone(Arc<dyn Rules + Send + Sync>);

impl Zone {
    /// The zone of this machine (`TZ`, or `/etc/localtime`).
    pub fn local() -> Self {
        Self::of(Local)
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self::of(Utc)
    }

    /// Any zone that chrono knows.
    pub fn of<Tz: TimeZone + Send + Sync + 'static>(zone: Tz) -> Self {
        Self(Arc::new(zone))
    }

    /// What the clock on the wall shows at `instant`, with its offset from UTC.
    pub fn civil(&self, instant: DateTime<Utc>) -> DateTime<chrono::FixedOffset> {
        self.0.civil(instant)
    }

    /// Whether `other` is this very zone or a clone of it, so that what was written for one holds for the other.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The instants at which the clock on the wall shows `civil`: none in a spring gap, two in an autumn fold.
    pub fn instants(&self, civil: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        self.0.instants(civil)
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zone")
    }
}

trait Rules {
    fn civil(&self, instant: DateTime<Utc>) -> DateTime<chrono::FixedOffset>;
    fn instants(&self, civil: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>>;
}

impl<Tz: TimeZone> Rules for Tz {
    fn civil(&self, instant: DateTime<Utc>) -> DateTime<chrono::FixedOffset> {
        let offset = self.offset_from_utc_datetime(&instant.naive_utc()).fix();
        instant.with_timezone(&offset)
    }

    fn instants(&self, civil: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        self.from_local_datetime(&civil).map(|time| time.to_utc())
    }
}
