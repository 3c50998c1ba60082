//! The fields of strftime that can be read back from a name as surely as they were written: of a fixed width, or
//! digits that nothing else can be taken for. `Reading` puts the values that were read together again.
//!
//! Names of months and days are the English ones in every locale, so an archive keeps its name wherever it is read.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Weekday};
use thiserror::Error;

use super::pattern::Piece;

/// A time format that cannot serve in a name, with what would be right.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FormatError {
    #[error("'%{0}' is no field that can be read back from a name: use {1}, or %% for a percent sign")]
    Unknown(char, &'static str),
    #[error("a lone % at the end: %% stands for a percent sign")]
    Bare,
    #[error("%V counts weeks of the years of %G: use %G with %V, not %Y, or %Y with %U")]
    IsoWeek,
}

/// One field of strftime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    ShortYear,
    IsoYear,
    Month,
    MonthName,
    IsoWeek,
    SundayWeek,
    MondayWeek,
    DayOfYear,
    Day,
    Weekday,
    WeekdayName,
    Hour,
    Minute,
    Second,
    Micros,
    Offset,
    Epoch,
}

/// What a field changes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    Second,
    Minute,
    Hour,
    Day,
    Week(Weekday),
    Month,
    Year,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// By `%u`, which counts from Monday.
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The letters that name whole seconds and more: what a path that is given as a time format may hold.
pub(super) const OF_PATHS: &str = "%Y %y %m %b %d %j %a %u %U %W %G %V %F %H %M %S";
/// Those, and what tells an archive's instant more closely.
pub(super) const OF_ARCHIVES: &str = "%Y %y %m %b %d %j %a %u %U %W %G %V %F %H %M %S %f %z %s";

/// Splits `format` into text and the fields that `known` lists; `%F` is `%Y-%m-%d`.
pub(super) fn parse_format(format: &[u8], known: &'static str) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(percent) = rest.iter().position(|byte| *byte == b'%') {
        pieces.push(Piece::Text(rest[..percent].to_vec()));
        let Some(letter) = rest.get(percent + 1) else { return Err(FormatError::Bare) };
        match letter {
            b'%' => pieces.push(Piece::Text(b"%".to_vec())),
            _ if !known.bytes().any(|byte| byte != b' ' && byte != b'%' && byte == *letter) => {
                let rest = String::from_utf8_lossy(&rest[percent + 1..]);
                return Err(FormatError::Unknown(rest.chars().next().unwrap_or('%'), known));
            }
            b'F' => {
                let date = [Field::Year, Field::Month, Field::Day].map(Piece::Field);
                let [year, month, day] = date;
                let dash = || Piece::Text(b"-".to_vec());
                pieces.extend([year, dash(), month, dash(), day]);
            }
            letter => pieces.extend(Field::of(*letter).map(Piece::Field)),
        }
        rest = &rest[percent + 2..];
    }
    pieces.push(Piece::Text(rest.to_vec()));
    Ok(pieces)
}

/// Whether times that are written with these fields say which period they mean, and so have an order: `%d` needs its
/// month, `%m` its year, and so on.
pub(super) fn tell_the_period(fields: &[Field]) -> bool {
    use Field::*;
    let has = |field| fields.contains(&field);
    let weekday = has(Weekday) || has(WeekdayName);
    let month = has(Month) || has(MonthName);
    let week = has(SundayWeek) || has(MondayWeek) || has(IsoWeek);
    if has(Epoch) && fields.iter().all(|field| matches!(field, Epoch | Micros | Offset)) {
        return true;
    }
    let year = has(Year) || has(ShortYear);
    let iso = has(IsoYear) && has(IsoWeek);
    let day = (month && has(Day)) || has(DayOfYear) || (week && weekday);
    (year || (iso && !month && !has(DayOfYear) && !has(SundayWeek) && !has(MondayWeek)))
        && (!has(Day) || month)
        && (!weekday || day)
        && (!has(Hour) || day)
        && (!has(Minute) || has(Hour))
        && (!has(Second) || has(Minute))
        && (!has(Micros) || has(Second) || has(Epoch))
}

/// Refuses the week of one calendar with the year of the other: around New Year it names a week eleven months away.
pub(super) fn check_weeks(fields: &[Field]) -> Result<(), FormatError> {
    let has = |field| fields.contains(&field);
    let year = has(Field::Year) || has(Field::ShortYear);
    let mixed = if has(Field::IsoYear) { !has(Field::IsoWeek) } else { has(Field::IsoWeek) && year };
    if mixed { Err(FormatError::IsoWeek) } else { Ok(()) }
}

impl Field {
    fn of(letter: u8) -> Option<Self> {
        Some(match letter {
            b'Y' => Self::Year,
            b'y' => Self::ShortYear,
            b'G' => Self::IsoYear,
            b'm' => Self::Month,
            b'b' => Self::MonthName,
            b'V' => Self::IsoWeek,
            b'U' => Self::SundayWeek,
            b'W' => Self::MondayWeek,
            b'j' => Self::DayOfYear,
            b'd' => Self::Day,
            b'u' => Self::Weekday,
            b'a' => Self::WeekdayName,
            b'H' => Self::Hour,
            b'M' => Self::Minute,
            b'S' => Self::Second,
            b'f' => Self::Micros,
            b'z' => Self::Offset,
            b's' => Self::Epoch,
            _ => return None,
        })
    }

    /// The number of bytes it takes; None for `%s`, which takes as many digits as it needs.
    pub(super) fn width(self) -> Option<usize> {
        Some(match self {
            Self::Weekday => 1,
            Self::DayOfYear | Self::MonthName | Self::WeekdayName => 3,
            Self::Year | Self::IsoYear => 4,
            Self::Offset => 5,
            Self::Micros => 6,
            Self::Epoch => return None,
            _ => 2,
        })
    }

    pub(super) fn is_digits(self) -> bool {
        !matches!(self, Self::MonthName | Self::WeekdayName | Self::Offset)
    }

    pub(super) fn grain(self) -> Grain {
        match self {
            Self::Year | Self::ShortYear => Grain::Year,
            Self::Month | Self::MonthName => Grain::Month,
            Self::IsoYear | Self::IsoWeek | Self::MondayWeek => Grain::Week(Weekday::Mon),
            Self::SundayWeek => Grain::Week(Weekday::Sun),
            Self::DayOfYear | Self::Day | Self::Weekday | Self::WeekdayName => Grain::Day,
            Self::Hour => Grain::Hour,
            Self::Minute => Grain::Minute,
            Self::Second | Self::Micros | Self::Offset | Self::Epoch => Grain::Second,
        }
    }

    /// Appends the field of `time`, whose year is one of four digits.
    pub(super) fn write(self, time: &DateTime<FixedOffset>, out: &mut Vec<u8>) {
        let sunday = i64::from(time.weekday().num_days_from_sunday());
        let monday = i64::from(time.weekday().num_days_from_monday());
        let week = |weekday: i64| (i64::from(time.ordinal()) + 6 - weekday) / 7;
        let value = match self {
            Self::Year => i64::from(time.year()),
            Self::ShortYear => i64::from(time.year().rem_euclid(100)),
            Self::IsoYear => i64::from(time.iso_week().year()),
            Self::Month => i64::from(time.month()),
            Self::MonthName => return out.extend(name(&MONTHS, i64::from(time.month0()))),
            Self::IsoWeek => i64::from(time.iso_week().week()),
            Self::SundayWeek => week(sunday),
            Self::MondayWeek => week(monday),
            Self::DayOfYear => i64::from(time.ordinal()),
            Self::Day => i64::from(time.day()),
            Self::Weekday => monday + 1,
            Self::WeekdayName => return out.extend(name(&WEEKDAYS, monday)),
            Self::Hour => i64::from(time.hour()),
            Self::Minute => i64::from(time.minute()),
            Self::Second => i64::from(time.second()),
            Self::Micros => i64::from(time.nanosecond() / 1_000).min(999_999),
            Self::Offset => {
                let minutes = time.offset().local_minus_utc() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let minutes = minutes.abs();
                return out.extend(format!("{sign}{:02}{:02}", minutes / 60, minutes % 60).into_bytes());
            }
            Self::Epoch => time.timestamp().max(0),
        };
        let width = self.width().unwrap_or(1);
        out.extend(format!("{value:0width$}").into_bytes());
    }

    /// The value of a field that was written as `text`. Whether it is a possible one shows when the time is put together.
    pub(super) fn read(self, text: &[u8]) -> Option<i64> {
        match self {
            Self::MonthName => MONTHS.iter().position(|name| name.as_bytes() == text).map(|month| month as i64 + 1),
            Self::WeekdayName => WEEKDAYS.iter().position(|name| name.as_bytes() == text).map(|day| day as i64 + 1),
            Self::Offset => {
                let (sign, digits) = text.split_first()?;
                let digits = number(digits)?;
                let seconds = (digits / 100 * 60 + digits % 100) * 60;
                match sign {
                    b'+' => Some(seconds),
                    b'-' => Some(-seconds),
                    _ => None,
                }
            }
            _ => number(text),
        }
    }
}

impl Grain {
    /// When the field changes next after `civil`, if nobody turns the clock.
    pub(super) fn next(self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let seconds = |length: i64| {
            let passed = civil.and_utc().timestamp().rem_euclid(length);
            civil.with_nanosecond(0)?.checked_add_signed(TimeDelta::seconds(length - passed))
        };
        let date = civil.date();
        let day = match self {
            Self::Second => return seconds(1),
            Self::Minute => return seconds(60),
            Self::Hour => return seconds(3_600),
            Self::Day => date.succ_opt()?,
            // The weeks of %U and %W are cut at New Year.
            Self::Week(first) => {
                let week = date.checked_add_days(Days::new(7 - u64::from(date.weekday().days_since(first))))?;
                week.min(Self::Year.next(civil)?.date())
            }
            Self::Month => date.with_day(1)?.checked_add_months(Months::new(1))?,
            Self::Year => NaiveDate::from_ymd_opt(date.year().checked_add(1)?, 1, 1)?,
        };
        Some(day.into())
    }
}

/// What was read from a name, field by field.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading(Vec<(Field, i64)>);

impl Reading {
    pub(super) fn push(&mut self, field: Field, value: i64) {
        self.0.push((field, value));
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn get(&self, field: Field) -> Option<i64> {
        self.0.iter().find(|(other, _)| *other == field).map(|(_, value)| *value)
    }

    fn small(&self, field: Field) -> Option<u32> {
        self.get(field).and_then(|value| u32::try_from(value).ok())
    }

    /// Whether each value is possible for its field, whatever the others say.
    pub(super) fn is_possible(&self) -> bool {
        self.0.iter().all(|(field, value)| match field {
            Field::Month | Field::MonthName => (1..=12).contains(value),
            Field::Day => (1..=31).contains(value),
            Field::DayOfYear => (1..=366).contains(value),
            Field::IsoWeek => (1..=53).contains(value),
            Field::SundayWeek | Field::MondayWeek => (0..=53).contains(value),
            Field::Weekday | Field::WeekdayName => (1..=7).contains(value),
            Field::Hour => (0..=23).contains(value),
            Field::Minute | Field::Second => (0..=59).contains(value),
            _ => true,
        })
    }

    /// The start of the period that was read, if the fields tell it; a contradiction between fields is not noticed.
    pub(super) fn civil(&self) -> Option<NaiveDateTime> {
        let part = |field| self.small(field).unwrap_or(0);
        let date = self.date()?;
        date.and_hms_micro_opt(part(Field::Hour), part(Field::Minute), part(Field::Second), part(Field::Micros))
    }

    /// The time that was read. Where neither an offset nor `%s` was written, the offset stands as zero.
    pub(super) fn time(&self) -> Option<DateTime<FixedOffset>> {
        let offset = self.get(Field::Offset).map(|seconds| i32::try_from(seconds).ok()).unwrap_or(Some(0));
        let offset = FixedOffset::east_opt(offset?)?;
        let Some(epoch) = self.get(Field::Epoch) else {
            return self.civil()?.and_local_timezone(offset).single();
        };
        let instant = DateTime::from_timestamp(epoch, self.small(Field::Micros).unwrap_or(0).checked_mul(1_000)?)?;
        if self.get(Field::Offset).is_some() {
            return Some(instant.with_timezone(&offset));
        }
        let offset = self.civil().map_or(Some(0), |civil| self.offset_between(civil, epoch))?;
        Some(instant.with_timezone(&FixedOffset::east_opt(offset)?))
    }

    /// The offset nearest to zero, in quarters of an hour if possible, by which `epoch` falls in the period of `civil`.
    fn offset_between(&self, civil: NaiveDateTime, epoch: i64) -> Option<i32> {
        const QUARTER: i64 = 900;
        let next = self
            .0
            .iter()
            .filter(|(field, _)| *field != Field::Epoch)
            .filter_map(|(field, _)| field.grain().next(civil));
        let least = civil.and_utc().timestamp() - epoch;
        let most = next.min()?.and_utc().timestamp() - 1 - epoch;
        let (up, down) = (least.div_euclid(QUARTER) * QUARTER + QUARTER, most.div_euclid(QUARTER) * QUARTER);
        let offset = match (least, most) {
            (..=0, 0..) => 0,
            (1.., _) if least % QUARTER == 0 => least,
            (1.., _) => {
                if up <= most {
                    up
                } else {
                    least
                }
            }
            _ => {
                if down >= least {
                    down
                } else {
                    most
                }
            }
        };
        i32::try_from(offset).ok()
    }

    /// The year that `%y` means: the one nearest to `%s`, or else of 1969 to 2068, as POSIX has it.
    fn with_century(&self, short: i64) -> i64 {
        let near = self.get(Field::Epoch).and_then(|epoch| DateTime::from_timestamp(epoch, 0));
        let first = near.map_or(1_969, |near| i64::from(near.year()) - 50);
        first + (short - first).rem_euclid(100)
    }

    fn date(&self) -> Option<NaiveDate> {
        let weekday = self.small(Field::Weekday).or_else(|| self.small(Field::WeekdayName));
        let weekday = weekday.map(|day| Weekday::try_from(day.checked_sub(1)? as u8).ok());
        let weekday = weekday.map_or(Some(None), |day| day.map(Some))?;
        let short = || self.get(Field::ShortYear).map(|year| self.with_century(year));
        let Some(year) = self.get(Field::Year).or_else(short) else {
            let year = i32::try_from(self.get(Field::IsoYear)?).ok()?;
            return NaiveDate::from_isoywd_opt(year, self.small(Field::IsoWeek)?, weekday.unwrap_or(Weekday::Mon));
        };
        let year = i32::try_from(year).ok()?;
        if let Some(day) = self.small(Field::DayOfYear) {
            return NaiveDate::from_yo_opt(year, day);
        }
        if let Some(month) = self.small(Field::Month).or_else(|| self.small(Field::MonthName)) {
            return NaiveDate::from_ymd_opt(year, month, self.small(Field::Day).unwrap_or(1));
        }
        let new_year = NaiveDate::from_ymd_opt(year, 1, 1)?;
        let week = self.small(Field::SundayWeek).map(|week| (week, Weekday::Sun));
        let Some((week, first)) = week.or_else(|| self.small(Field::MondayWeek).map(|week| (week, Weekday::Mon)))
        else {
            return Some(new_year);
        };
        // Week 1 begins with the first such weekday of the year; the days before it are week 0.
        let into_week = weekday.map_or(0, |day| day.days_since(first));
        let week_1 = i64::from(first.days_since(new_year.weekday()));
        let days = week_1 + (i64::from(week) - 1) * 7 + i64::from(into_week);
        match u64::try_from(days) {
            Ok(days) => new_year.checked_add_days(Days::new(days)),
            Err(_) => weekday.is_none().then_some(new_year),
        }
    }
}

fn name(names: &[&'static str], index: i64) -> impl Iterator<Item = u8> + use<> {
    usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default().bytes()
}

/// A number of digits only, and no more of them than a time can have.
fn number(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    (digits.iter().all(u8::is_ascii_digit) && digits.len() <= 12).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn fields(format: &str) -> Vec<Field> {
        let pieces = parse_format(format.as_bytes(), OF_ARCHIVES).unwrap();
        pieces.iter().filter_map(|piece| if let Piece::Field(field) = piece { Some(*field) } else { None }).collect()
    }

    fn days() -> impl Iterator<Item = DateTime<FixedOffset>> {
        let offset = FixedOffset::west_opt(12_600).unwrap();
        let start = offset.with_ymd_and_hms(1999, 12, 20, 1, 2, 3).unwrap();
        (0..40_000).map(move |step| start + TimeDelta::hours(step * 7))
    }

    #[test]
    fn every_field_is_written_as_strftime_writes_it() {
        for letter in OF_ARCHIVES.replace(['%', ' ', 'f'], "").chars() {
            let format = format!("%{letter}");
            for time in days().step_by(10) {
                let mut out = Vec::new();
                for (index, field) in fields(&format).into_iter().enumerate() {
                    out.extend(if letter == 'F' && index > 0 { &b"-"[..] } else { b"" });
                    field.write(&time, &mut out);
                }
                assert_eq!(String::from_utf8(out).unwrap(), time.format(&format).to_string(), "{format}");
            }
        }
    }

    #[test]
    fn a_date_is_read_back_from_every_way_to_write_it() {
        for format in ["%Y%m%d", "%y%j", "%b%d%Y", "%Y%U%u", "%Y%W%a", "%G%V%u", "%F", "%s"] {
            for time in days() {
                let mut reading = Reading::default();
                for field in fields(format) {
                    let mut text = Vec::new();
                    field.write(&time, &mut text);
                    reading.push(field, field.read(&text).unwrap());
                }
                assert!(reading.is_possible());
                if format == "%s" {
                    assert_eq!(reading.time(), Some(time));
                } else {
                    assert_eq!(reading.civil().unwrap().date(), time.date_naive(), "{format}");
                }
            }
        }
    }

    #[test]
    fn a_format_tells_the_period_if_it_goes_down_from_the_year_without_a_gap() {
        for format in
            ["%Y", "%y%m", "%F_%H-%M-%S", "%Y%j%H", "%G-W%V", "%G%V%u%H", "%Y-%U", "%s", "%s.%f", "%Y%m%d-%s", "%F%a"]
        {
            assert!(tell_the_period(&fields(format)), "{format}");
        }
        for format in ["", "%H", "%m%d", "%Y%d", "%F-%M", "%F%H%S", "%a", "%G", "%V", "%s%H", "%G%V%m", "%Y%U%H", "%z"]
        {
            assert!(!tell_the_period(&fields(format)), "{format}");
        }
    }

    #[test]
    fn fields_that_cannot_be_read_back_are_named() {
        let error = |format: &str| parse_format(format.as_bytes(), OF_PATHS).unwrap_err().to_string();
        for (format, named) in [("%e", "'%e'"), ("a%Zb", "'%Z'"), ("%-d", "'%-'"), ("%é", "'%é'"), ("%s", "'%s'")] {
            assert!(error(format).starts_with(named), "{}", error(format));
        }
        assert!(error("100%").contains("%% stands for"));
        assert_eq!(check_weeks(&fields("%Y-%V")), Err(FormatError::IsoWeek));
        assert_eq!(check_weeks(&fields("%G-%m-%d")), Err(FormatError::IsoWeek));
        assert_eq!(check_weeks(&fields("%G-%V")), Ok(()));
    }
}
