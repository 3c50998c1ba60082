//! A log whose path tells the time, as cronolog's does: `logs/%Y/%m/%d/app.log`. Nothing is renamed; when the path
//! changes, writing goes on in the next file. The path is read back name by name, so that whoever deletes old files can
//! walk the directories and touch none but its own.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use super::civil;
use super::fields::{self, Field, FormatError, Grain, Reading};
use super::pattern::{Pattern, Piece, file_name};
use crate::clock::Zone;

/// A path with fields of strftime in it.
#[derive(Clone, Debug)]
pub struct DatedPath {
    root: PathBuf,
    names: Vec<Pattern>,
    grains: Vec<Grain>,
    tells_the_period: bool,
    zone: Zone,
}

impl DatedPath {
    /// Reads a path that is written by the wall of `zone`. None if it holds no field: then it is [`DatedPath::plain`].
    pub fn parse(path: &Path, zone: Zone) -> Result<Option<Self>, FormatError> {
        let mut root = PathBuf::new();
        let mut names: Vec<Pattern> = Vec::new();
        let mut all: Vec<Field> = Vec::new();
        for part in path.components() {
            let pieces = fields::parse_format(part.as_os_str().as_encoded_bytes(), fields::OF_PATHS)?;
            let found =
                pieces.iter().filter_map(|piece| if let Piece::Field(field) = piece { Some(*field) } else { None });
            let before = all.len();
            all.extend(found);
            if names.is_empty() && all.len() == before {
                root.push(plain_name(&pieces));
            } else {
                // None of the fields of a path takes digits as it likes, so a pattern is never blurred.
                names.extend(Pattern::new(pieces));
            }
        }
        fields::check_weeks(&all)?;
        let mut grains: Vec<Grain> = Vec::new();
        for field in &all {
            if !grains.contains(&field.grain()) {
                grains.push(field.grain());
            }
        }
        let tells_the_period = fields::tell_the_period(&all);
        Ok((!all.is_empty()).then_some(Self { root, names, grains, tells_the_period, zone }))
    }

    /// The path that is meant if there is no field in it: `%%` is a percent sign.
    pub fn plain(path: &Path) -> Result<PathBuf, FormatError> {
        let name = |part: Component<'_>| fields::parse_format(part.as_os_str().as_encoded_bytes(), fields::OF_PATHS);
        path.components().map(|part| name(part).map(|pieces| plain_name(&pieces))).collect()
    }

    /// The path that is written to at `now`.
    pub fn path_at(&self, now: DateTime<Utc>) -> PathBuf {
        self.path_of(&self.zone.civil(civil::clamp(now)))
    }

    /// The first instant after `now` at which the path is another one. It is found by the wall, so an hour that is
    /// lived twice is one file, unless the path tells minutes and so steps back.
    pub fn next_change(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut at = civil::clamp(now);
        let path = self.path_at(at);
        while at < civil::LAST {
            let wall = civil::wall(&self.zone, at);
            let ends = self.grains.iter().filter_map(|grain| grain.next(wall)).min();
            let end = ends.and_then(|end| at.checked_add_signed(end - wall)).unwrap_or(civil::LAST).min(civil::LAST);
            at = civil::next_shift(&self.zone, at, end).unwrap_or(end);
            if self.path_at(at) != path {
                break;
            }
        }
        at
    }

    /// The directories before the first name with a field: where a search for old files begins. Empty for the working
    /// directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many names follow [`DatedPath::root`]; the last one is the file's.
    pub fn component_count(&self) -> usize {
        self.names.len()
    }

    /// Whether `name` could be the name at `index` behind the root.
    pub fn component_matches(&self, index: usize, name: &OsStr) -> bool {
        self.names.get(index).is_some_and(|pattern| read(pattern, name).is_some())
    }

    /// Whether the path tells its period, so that old files have an order. `%a.log` and `%d/%H.log` do not: they come
    /// round again.
    pub fn tells_the_period(&self) -> bool {
        self.tells_the_period
    }

    /// Whether `path` is one that was or will be written to.
    pub fn matches(&self, path: &Path) -> bool {
        match self.read(path) {
            Some(reading) => !self.tells_the_period || self.period(path, &reading).is_some(),
            None => false,
        }
    }

    /// The start of the period of which `path` is, on the wall; None for a path that is not one of these, and for
    /// every path if they do not tell their period.
    pub fn parse_path(&self, path: &Path) -> Option<NaiveDateTime> {
        let reading = self.read(path)?;
        if self.tells_the_period { self.period(path, &reading) } else { None }
    }

    fn path_of(&self, time: &DateTime<FixedOffset>) -> PathBuf {
        let mut path = self.root.clone();
        for pattern in &self.names {
            let mut name = Vec::new();
            pattern.write(time, 1, &mut name);
            path.push(file_name(name));
        }
        path
    }

    fn read(&self, path: &Path) -> Option<Reading> {
        let mut names = path.strip_prefix(&self.root).ok()?.components();
        let mut reading = Reading::default();
        for pattern in &self.names {
            reading.append(read(pattern, names.next()?.as_os_str())?);
        }
        names.next().is_none().then_some(reading)
    }

    fn period(&self, path: &Path, reading: &Reading) -> Option<NaiveDateTime> {
        let civil = reading.civil()?;
        // Written again it is the same path, or the fields contradict each other.
        (self.path_of(&civil.and_utc().fixed_offset()) == path).then_some(civil)
    }
}

fn read(pattern: &Pattern, name: &OsStr) -> Option<Reading> {
    let (reading, _, rest) = pattern.read(name.as_encoded_bytes())?;
    (rest.is_empty() && reading.is_possible()).then_some(reading)
}

/// The name that pieces without a field spell.
fn plain_name(pieces: &[Piece]) -> std::ffi::OsString {
    let text = |piece: &Piece| if let Piece::Text(text) = piece { text.clone() } else { Vec::new() };
    file_name(pieces.iter().flat_map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn dated(path: &str, zone: Tz) -> DatedPath {
        DatedPath::parse(Path::new(path), Zone::of(zone)).unwrap().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The next paths after the one at `from`, with the instants at which they begin.
    fn changes(path: &DatedPath, from: &str, count: usize) -> Vec<(String, String)> {
        let mut now = at(from);
        let mut next = || {
            now = path.next_change(now);
            (now.format("%FT%TZ").to_string(), path.path_at(now).display().to_string())
        };
        (0..count).map(|_| next()).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(one, other)| (one.to_string(), other.to_string())).collect()
    }

    #[test]
    fn the_path_is_written_by_the_wall_of_the_zone() {
        let path = dated("/var/log/%Y/%m/%d/app-%H%%.log", Tz::Asia__Tokyo);
        assert_eq!(path.path_at(at("2026-12-31T20:30:00Z")), Path::new("/var/log/2027/01/01/app-05%.log"));
    }

    #[test]
    fn a_path_without_a_field_is_a_plain_one() {
        for (path, plain) in [("logs/app.log", "logs/app.log"), ("/100%%/app%%d.log", "/100%/app%d.log")] {
            assert!(DatedPath::parse(Path::new(path), Zone::utc()).unwrap().is_none());
            assert_eq!(DatedPath::plain(Path::new(path)).unwrap(), Path::new(plain));
        }
    }

    #[test]
    fn fields_that_cannot_be_read_back_are_refused_by_name() {
        for (path, says) in [
            ("%Y/%p.log", "'%p'"),
            ("cpu%.log", "'%.'"),
            ("%Y-%s", "'%s'"),
            ("50%", "lone %"),
            ("%Y/W%V", "%G with %V"),
        ] {
            let error = DatedPath::parse(Path::new(path), Zone::utc()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_finest_field_decides_when_the_path_changes() {
        for (path, next) in [
            ("%Y.log", "2028-01-01T00:00:00Z"),
            ("%Y/%m.log", "2027-03-01T00:00:00Z"),
            ("%G-W%V.log", "2027-02-22T00:00:00Z"),
            ("%Y-%U.log", "2027-02-21T00:00:00Z"),
            ("%Y/%j.log", "2027-02-18T00:00:00Z"),
            ("%a.log", "2027-02-18T00:00:00Z"),
            ("%d/%H.log", "2027-02-17T11:00:00Z"),
            ("%H%M.log", "2027-02-17T10:21:00Z"),
            ("%H%M%S.log", "2027-02-17T10:20:31Z"),
        ] {
            assert_eq!(dated(path, Tz::UTC).next_change(at("2027-02-17T10:20:30.5Z")), at(next), "{path}");
        }
    }

    #[test]
    fn weeks_are_cut_at_new_year_where_their_field_is() {
        assert_eq!(
            changes(&dated("%Y-%U", Tz::UTC), "2025-12-30T00:00:00Z", 2),
            pairs(&[("2026-01-01T00:00:00Z", "2026-00"), ("2026-01-04T00:00:00Z", "2026-01")])
        );
        assert_eq!(
            changes(&dated("%G-%V", Tz::UTC), "2025-12-30T00:00:00Z", 1),
            pairs(&[("2026-01-05T00:00:00Z", "2026-02")])
        );
    }

    #[test]
    fn an_hour_lived_twice_is_one_file_and_an_hour_skipped_is_none() {
        let hourly = dated("%H.log", Tz::America__New_York);
        assert_eq!(
            changes(&hourly, "2012-11-04T04:30:00Z", 2),
            pairs(&[("2012-11-04T05:00:00Z", "01.log"), ("2012-11-04T07:00:00Z", "02.log")])
        );
        assert_eq!(changes(&hourly, "2012-03-11T06:30:00Z", 1), pairs(&[("2012-03-11T07:00:00Z", "03.log")]));
    }

    #[test]
    fn minutes_step_back_with_the_clock() {
        let path = dated("%H%M", Tz::America__New_York);
        assert_eq!(
            changes(&path, "2012-11-04T05:58:30Z", 2),
            pairs(&[("2012-11-04T05:59:00Z", "0159"), ("2012-11-04T06:00:00Z", "0100")])
        );
    }

    #[test]
    fn midnights_that_zones_skip_or_repeat_are_found() {
        for (zone, from, expected) in [
            (Tz::America__Sao_Paulo, "2018-11-03T12:00:00Z", &[("2018-11-04T03:00:00Z", "2018-11-04")][..]),
            (Tz::Pacific__Apia, "2011-12-29T12:00:00Z", &[("2011-12-30T10:00:00Z", "2011-12-31")]),
            // At 00:01 the clock went back to 23:01 of the day before.
            (
                Tz::America__St_Johns,
                "2008-11-01T12:00:00Z",
                &[
                    ("2008-11-02T02:30:00Z", "2008-11-02"),
                    ("2008-11-02T02:31:00Z", "2008-11-01"),
                    ("2008-11-02T03:30:00Z", "2008-11-02"),
                ],
            ),
        ] {
            assert_eq!(changes(&dated("%F", zone), from, expected.len()), pairs(expected), "{zone}");
        }
    }

    #[test]
    fn directories_are_recognised_name_by_name() {
        let path = dated("logs/app/%Y/%m/%d-app.log", Tz::UTC);
        assert_eq!((path.root(), path.component_count()), (Path::new("logs/app"), 3));
        let matches = |index, name| path.component_matches(index, OsStr::new(name));
        assert!(matches(0, "2026") && matches(1, "12") && matches(2, "31-app.log"));
        for (index, name) in [
            (0, "26"),
            (0, "20260"),
            (0, "old"),
            (1, "13"),
            (1, "00"),
            (2, "32-app.log"),
            (2, "01-app.log.gz"),
            (3, "x"),
        ] {
            assert!(!matches(index, name), "{index} {name}");
        }
    }

    #[test]
    fn a_path_of_its_own_tells_its_period_and_any_other_does_not() {
        let path = dated("logs/%Y/%m/%Y%m%d.log", Tz::UTC);
        let own = Path::new("logs/2026/11/20261120.log");
        assert_eq!(path.parse_path(own), Some("2026-11-20T00:00:00".parse().unwrap()));
        assert!(path.matches(own));
        for other in [
            "logs/2026/11/20261020.log",
            "logs/2026/02/20260230.log",
            "2026/11/20261120.log",
            "logs/2026/11/20261120.log/x",
            "logs/2026/11",
            "logs/2026/11/20261120.log.1",
            "/logs/2026/11/20261120.log",
        ] {
            assert!(!path.matches(Path::new(other)), "{other}");
            assert_eq!(path.parse_path(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn a_path_that_comes_round_again_has_no_period() {
        let path = dated("%a/%H.log", Tz::UTC);
        assert!(!path.tells_the_period());
        assert!(path.matches(Path::new("Mon/23.log")) && !path.matches(Path::new("Mon/24.log")));
        assert_eq!(path.parse_path(Path::new("Mon/23.log")), None);
    }

    proptest! {
        #[test]
        fn the_path_stays_until_the_next_change_and_is_read_back(
            seconds in 0i64..2_500_000_000,
            part in 0.0f64..1.0,
            path in prop::sample::select(vec![
                "x/%Y.log", "x/%Y/%m.log", "x/%G/%V.log", "x/%Y-%U", "x/%Y-%W-%a", "x/%y/%j", "x/%F/%H", "x/%b%Y/%d/%H%M", "%F%H%M%S",
                "x/%d/%H.log", "x/%u", "x/%M",
            ]),
            zone in prop::sample::select(vec![
                Tz::UTC, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::America__Sao_Paulo, Tz::Asia__Beirut,
                Tz::Pacific__Apia, Tz::Africa__Casablanca, Tz::America__Havana, Tz::America__St_Johns, Tz::Asia__Kathmandu,
            ]),
        ) {
            let dated = dated(path, zone);
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let here = dated.path_at(now);
            let next = dated.next_change(now);
            prop_assert!(next > now);
            prop_assert_ne!(dated.path_at(next), here.clone());
            prop_assert_eq!(dated.path_at(next - TimeDelta::seconds(1)), here.clone());
            let between = now + TimeDelta::seconds(((next - now).num_seconds() as f64 * part) as i64);
            prop_assert_eq!(dated.path_at(between.min(next - TimeDelta::seconds(1))), here.clone());
            prop_assert!(dated.matches(&here));
            prop_assert_eq!(dated.parse_path(&here).is_some(), dated.tells_the_period());
        }
    }
}
