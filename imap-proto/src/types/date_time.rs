//! Dates as commands and responses write them (RFC 9051 §9, `date` and `date-time`).

use super::invalid::Invalid;
use core::fmt;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day, with months and days counted from 1.
    ///
    /// # Errors
    /// [`Invalid::Date`] if no calendar has it, or the year has more than four digits.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, Invalid> {
        let date = Self { year, month, day };
        if year > 9999 || day == 0 || day > date.days_in_month() {
            return Err(Invalid::Date);
        }
        Ok(date)
    }

    /// Reads `1-Feb-1994`, the day with one or two digits.
    ///
    /// # Errors
    /// [`Invalid::Date`].
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        let mut parts = octets.split(|octet| *octet == b'-');
        let (Some(day), Some(month), Some(year), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Invalid::Date);
        };
        if year.len() != 4 || day.is_empty() || day.len() > 2 {
            return Err(Invalid::Date);
        }
        Self::new(digits(year)?, month_number(month)?, u8::try_from(digits(day)?).unwrap_or(0))
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Days since 1 January 1970, negative before.
    #[must_use]
    pub fn days(self) -> i64 {
        // Years that begin in March: the leap day is then the last of the year.
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day so many days after 1 January 1970, by eras of 400 years.
    fn from_days(days: i64) -> Result<Self, Invalid> {
        let days = days.checked_add(719_468).ok_or(Invalid::Date)?;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = u16::try_from(year + era * 400 + carry).map_err(|_| Invalid::Date)?;
        Self::new(year, u8::try_from(month).unwrap_or(0), u8::try_from(day).unwrap_or(0))
    }

    /// 0 for a month that is none.
    fn days_in_month(self) -> u8 {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        }
    }

    /// Three letters, as every date of mail has them.
    fn month_name(self) -> &'static str {
        MONTHS.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or("Jan")
    }
}

impl fmt::Display for Date {
    /// As a search key writes it: no zero before the day.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:04}", self.day, self.month_name(), self.year)
    }
}

/// A moment with its zone, as INTERNALDATE and APPEND carry it.
///
/// ```
/// use mail_imap_proto::types::DateTime;
/// let date = DateTime::parse(b" 1-Feb-1994 21:52:25 -0800").unwrap();
/// assert_eq!(date.unix(), 760_168_345);
/// assert_eq!(date.to_string(), " 1-Feb-1994 21:52:25 -0800");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    date: Date,
    hour: u8,
    minute: u8,
    second: u8,
    /// Minutes east of Greenwich.
    zone: i16,
}

impl DateTime {
    /// The octets of a moment on the wire.
    pub(crate) const LEN: usize = 26;

    /// A moment. `zone` counts minutes east of Greenwich. A second of 60 is a leap second.
    ///
    /// # Errors
    /// [`Invalid::Date`] for an hour above 23, a minute above 59, a second above 60 or a zone of a day or more.
    pub fn new(date: Date, hour: u8, minute: u8, second: u8, zone: i16) -> Result<Self, Invalid> {
        if hour > 23 || minute > 59 || second > 60 || zone.unsigned_abs() >= 24 * 60 {
            return Err(Invalid::Date);
        }
        Ok(Self { date, hour, minute, second, zone })
    }

    /// Reads `" 1-Feb-1994 21:52:25 -0800"` without the quotes: the day has two places, the first of which may be a space.
    ///
    /// # Errors
    /// [`Invalid::Date`].
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        let [
            d1,
            d2,
            b'-',
            m1,
            m2,
            m3,
            b'-',
            y1,
            y2,
            y3,
            y4,
            b' ',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
            b' ',
            sign,
            z1,
            z2,
            z3,
            z4,
        ] = octets
        else {
            return Err(Invalid::Date);
        };
        let day = if *d1 == b' ' { two(&b'0', d2)? } else { two(d1, d2)? };
        let year = u16::from(two(y1, y2)?) * 100 + u16::from(two(y3, y4)?);
        let date = Date::new(year, month_number(&[*m1, *m2, *m3])?, day)?;
        let (hours, minutes) = (two(z1, z2)?, two(z3, z4)?);
        // RFC 5322 §3.3 reads a zone as hours and minutes: +0060 is none, whatever it adds up to.
        if minutes > 59 {
            return Err(Invalid::Date);
        }
        let zone = i16::from(hours) * 60 + i16::from(minutes);
        let zone = match sign {
            b'+' => zone,
            b'-' => -zone,
            _ => return Err(Invalid::Date),
        };
        Self::new(date, two(h1, h2)?, two(n1, n2)?, two(s1, s2)?, zone)
    }

    /// The same without the space before a day of one digit, or without a zone, which is then UTC: how some servers write it.
    pub(crate) fn loose(octets: &[u8]) -> Result<Self, Invalid> {
        // What is written loosely is made strict first, so that the grammar stands once.
        let pad = usize::from(octets.get(1) == Some(&b'-'));
        let end = pad.saturating_add(octets.len());
        let mut whole = *b"                     +0000";
        if end != 20 && end != whole.len() {
            return Err(Invalid::Date);
        }
        if let Some(place) = whole.get_mut(pad..end) {
            place.copy_from_slice(octets);
        }
        Self::parse(&whole)
    }

    /// All of it in 64 bits, for the tape: a date is read once.
    pub(crate) const fn packed(self) -> u64 {
        let [zone_high, zone_low] = self.zone.to_be_bytes();
        let [year_high, year_low] = self.date.year.to_be_bytes();
        // A year has 14 bits and a month 4, so that they share two octets and two bits.
        let months = year_high << 2 | self.date.month >> 2;
        let days = (self.date.month & 3) << 6 | self.date.day;
        u64::from_be_bytes([months, year_low, days, self.hour, self.minute, self.second, zone_high, zone_low])
    }

    /// What was packed.
    pub(crate) const fn unpacked(packed: u64) -> Self {
        let [months, year_low, days, hour, minute, second, zone_high, zone_low] = packed.to_be_bytes();
        let year = u16::from_be_bytes([months >> 2, year_low]);
        let month = (months & 3) << 2 | days >> 6;
        let date = Date { year, month, day: days & 0x3f };
        Self { date, hour, minute, second, zone: i16::from_be_bytes([zone_high, zone_low]) }
    }

    /// The moment `seconds` after 1 January 1970 UTC, written in UTC.
    ///
    /// # Errors
    /// [`Invalid::Date`] outside the years 0 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Self, Invalid> {
        let date = Date::from_days(seconds.div_euclid(86_400))?;
        let of_day = seconds.rem_euclid(86_400);
        let part = |n: i64| u8::try_from(n).unwrap_or(0);
        Self::new(date, part(of_day / 3600), part(of_day / 60 % 60), part(of_day % 60), 0)
    }

    /// Seconds since 1 January 1970 UTC, negative before.
    #[must_use]
    pub fn unix(self) -> i64 {
        let of_day = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        self.date.days() * 86_400 + of_day - i64::from(self.zone) * 60
    }

    /// The day, in its own zone. Searches compare this day and disregard time and zone (RFC 9051 §6.4.4).
    #[must_use]
    pub const fn date(self) -> Date {
        self.date
    }

    /// Hour, minute and second, in its own zone.
    #[must_use]
    pub const fn time(self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// Minutes east of Greenwich.
    #[must_use]
    pub const fn zone(self) -> i16 {
        self.zone
    }
}

impl fmt::Display for DateTime {
    /// As it stands on the wire, without the quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.unsigned_abs();
        let sign = if self.zone < 0 { '-' } else { '+' };
        write!(f, "{:2}-{}-{:04} ", self.date.day, self.date.month_name(), self.date.year)?;
        write!(f, "{:02}:{:02}:{:02} ", self.hour, self.minute, self.second)?;
        write!(f, "{sign}{:02}{:02}", zone / 60, zone % 60)
    }
}

/// The number of a month, whose name has no case.
fn month_number(name: &[u8]) -> Result<u8, Invalid> {
    let &[a, b, c] = name else { return Err(Invalid::Date) };
    // Setting this bit makes letters lower-case, and makes no other octet a letter.
    Ok(match &[a | 0x20, b | 0x20, c | 0x20] {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return Err(Invalid::Date),
    })
}

/// A number of two digits.
fn two(a: &u8, b: &u8) -> Result<u8, Invalid> {
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    if a > 9 || b > 9 { Err(Invalid::Date) } else { Ok(a * 10 + b) }
}

/// A number of at most four digits.
fn digits(octets: &[u8]) -> Result<u16, Invalid> {
    if octets.len() > 4 || !octets.iter().all(u8::is_ascii_digit) {
        return Err(Invalid::Date);
    }
    Ok(octets.iter().fold(0, |n, digit| n * 10 + u16::from(digit.wrapping_sub(b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_twelve_centuries_counts_one() {
        let mut days = Date::new(1600, 1, 1).unwrap().days();
        for year in 1600..2800 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Ok(date) = Date::new(year, month, day) else { continue };
                    assert_eq!(date.days(), days, "{date}");
                    assert_eq!(Date::from_days(days), Ok(date));
                    assert_eq!(Date::parse(date.to_string().as_bytes()), Ok(date));
                    let moment =
                        DateTime::new(date, 23, 59, 60, days.rem_euclid(2879) as i16 - 1439).unwrap();
                    assert_eq!(DateTime::unpacked(moment.packed()), moment);
                    days += 1;
                }
            }
        }
        assert_eq!(Date::new(1970, 1, 1).unwrap().days(), 0);
        assert_eq!(Date::new(2000, 3, 1).unwrap().days(), 11_017);
    }

    #[test]
    fn no_calendar_has_these() {
        let bad = [
            "0-Jan-2000",
            "32-Jan-2000",
            "29-Feb-1900",
            "31-Apr-2000",
            "1-Foo-2000",
            "1-Jan-200",
            "1-Jan-20000",
            "01-Jan",
        ];
        for date in bad.iter().chain(&["001-Jan-2000", "-Jan-2000", "1-Jan-2000-", "+1-Jan-2000", ""]) {
            assert_eq!(Date::parse(date.as_bytes()), Err(Invalid::Date), "{date}");
        }
        let bad = ["32-Foo-9999 99:99:99 +9999", "1-Feb-1994 21:52:25 -0800", "01-Feb-1994 24:00:00 +0000"];
        let more =
            ["01-Feb-1994 21:52:25 0800 ", "01-Feb-1994 21:52:25 +0860", "01-Feb-1994 21:52:61 +0000", ""];
        for date in bad.iter().chain(&more) {
            assert_eq!(DateTime::parse(date.as_bytes()), Err(Invalid::Date), "{date}");
        }
    }

    #[test]
    fn a_moment_survives_the_wire_and_the_clock() {
        for text in ["17-Jul-1996 02:44:25 -0700", " 1-Feb-1994 21:52:25 -0800", "31-Dec-9999 23:59:60 +2359"]
        {
            let date = DateTime::parse(text.as_bytes()).unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(text.len(), 26);
            assert_eq!(DateTime::unpacked(date.packed()), date);
        }
        assert_eq!(DateTime::parse(b"17-Jul-1996 02:44:25 -0700").unwrap().unix(), 837_596_665);
        for seconds in [0, -1, 837_596_665, 4_102_444_800, -2_208_988_800] {
            assert_eq!(DateTime::from_unix(seconds).unwrap().unix(), seconds);
        }
        assert_eq!(DateTime::from_unix(i64::MAX), Err(Invalid::Date));
        assert_eq!(DateTime::from_unix(i64::MIN), Err(Invalid::Date));
    }

    #[test]
    fn a_loose_date_is_the_strict_one_with_what_it_lacks() {
        for (loose, strict) in [
            ("1-Feb-1994 21:52:25 -0800", " 1-Feb-1994 21:52:25 -0800"),
            ("01-Feb-1994 21:52:25", " 1-Feb-1994 21:52:25 +0000"),
            ("1-FEB-1994 21:52:25", " 1-Feb-1994 21:52:25 +0000"),
        ] {
            assert!(DateTime::parse(loose.as_bytes()).is_err(), "{loose}");
            let strict = DateTime::parse(strict.as_bytes()).unwrap();
            assert_eq!(DateTime::loose(loose.as_bytes()), Ok(strict), "{loose}");
        }
        for bad in [
            "",
            "1",
            "1-",
            "1-Feb-1994",
            "31-Feb-1994 21:52:25",
            "1-Feb-1994 21:52:25 -080",
            "1-Fe*-1994 21:52:25",
        ] {
            assert_eq!(DateTime::loose(bad.as_bytes()), Err(Invalid::Date), "{bad}");
        }
    }
}
