//! Times for a person half asleep: local and UTC, and how far away.
//!
//! The only place where the plugin reads the clock and the time zone of the machine.

use std::ffi::OsStr;
use std::sync::Once;

use floodgate_api::spelling;
use jiff::{Timestamp, Zoned, tz::TimeZone};

/// An unknown zone is warned of once, however often the clock is read.
static WARNED: Once = Once::new();

/// The instant everything is shown relative to, and the zone it is shown in.
#[derive(Clone, Debug)]
pub struct Moment {
    now: Timestamp,
    zone: TimeZone,
}

impl Moment {
    /// Now, or `at` for what was saved in a file, in the zone of the machine (`TZ`).
    pub fn new(at: Option<Timestamp>) -> Self {
        Self {
            now: at.unwrap_or_else(Timestamp::now),
            zone: zone(),
        }
    }

    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// `Wed 11 Nov 00:00:00 CST (Tue 16:00:00 UTC)`; the day is left out when it is today, the year
    /// when it is this one, and UTC when it is the local zone.
    pub fn instant(&self, at: Timestamp) -> String {
        let today = at_zone(self.now, &self.zone).date();
        let local = at_zone(at, &self.zone);
        let day = if local.date() == today {
            String::new()
        } else if local.year() == today.year() {
            format!("{} ", local.strftime("%a %-d %b"))
        } else {
            format!("{} ", local.strftime("%a %-d %b %Y"))
        };
        let text = format!("{day}{}", local.strftime("%H:%M:%S %Z"));
        let utc = at_zone(at, &TimeZone::UTC);
        if local.offset().seconds() == 0 {
            return text;
        }
        let utc_day = if utc.date() == local.date() {
            String::new()
        } else {
            format!("{} ", utc.strftime("%a"))
        };
        format!("{text} ({utc_day}{} UTC)", utc.strftime("%H:%M:%S"))
    }

    /// `in 12 min`, `4 min ago` or `now`.
    pub fn relative(&self, at: Timestamp) -> String {
        let seconds = seconds(self.now, at);
        match seconds {
            0 => "now".to_owned(),
            1.. => format!("in {}", span(seconds)),
            _ => format!("{} ago", span(-seconds)),
        }
    }

    /// Seconds from now until `at`, negative when it has passed.
    pub fn seconds_until(&self, at: Timestamp) -> i64 {
        seconds(self.now, at)
    }

    /// `for 4 min`, since `at`.
    pub fn lasting(&self, at: Timestamp) -> String {
        format!("for {}", span(seconds(at, self.now).max(0)))
    }
}

/// The zone of the machine; UTC, with a warning, where `TZ` names no known one.
fn zone() -> TimeZone {
    TimeZone::try_system().unwrap_or_else(|_| {
        if let Some(name) = std::env::var_os("TZ").filter(|name| !name.is_empty()) {
            WARNED.call_once(|| eprintln!("{}", unknown(&name)));
        }
        TimeZone::UTC
    })
}

fn unknown(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let zones: Vec<_> = jiff::tz::db().available().collect();
    let zones: Vec<&str> = zones.iter().map(jiff::tz::TimeZoneName::as_str).collect();
    let hint = spelling::hint(&name, &zones);
    format!("warning: `TZ` is `{name}`, which is no known time zone; times are in UTC{hint}")
}

/// An instant of the command line.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    text.trim().parse().map_err(|_| {
        "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`"
            .to_owned()
    })
}

fn at_zone(at: Timestamp, zone: &TimeZone) -> Zoned {
    at.to_zoned(zone.clone())
}

/// Whole seconds from `from` to `to`.
pub fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// A number of seconds in at most two units: `45 s`, `3 min 20 s`, `12 min`, `2 h 5 min`, `3 d 4 h`.
pub fn span(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large} {unit}")
        } else {
            format!("{large} {unit} {small} {small_unit}")
        }
    };
    match seconds {
        ..60 => format!("{seconds} s"),
        // Near to T0 the seconds count; further away they are noise.
        60..600 => two(minutes, "min", seconds % 60, "s"),
        600..3_600 => format!("{minutes} min"),
        3_600..86_400 => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(now: &str, zone: &str) -> Moment {
        Moment {
            now: now.parse().unwrap(),
            zone: TimeZone::get(zone).unwrap(),
        }
    }

    #[test]
    fn an_instant_has_local_time_and_utc_and_its_day_unless_it_is_today() {
        let at: Timestamp = "2026-11-10T16:00:00Z".parse().unwrap();
        for (now, zone, text) in [
            (
                "2026-11-10T15:00:00Z",
                "Asia/Shanghai",
                "Wed 11 Nov 00:00:00 CST (Tue 16:00:00 UTC)",
            ),
            (
                "2026-11-10T16:30:00Z",
                "Asia/Shanghai",
                "00:00:00 CST (Tue 16:00:00 UTC)",
            ),
            (
                "2026-11-10T15:00:00Z",
                "Europe/Berlin",
                "17:00:00 CET (16:00:00 UTC)",
            ),
            ("2026-11-10T15:00:00Z", "UTC", "16:00:00 UTC"),
            ("2026-11-09T15:00:00Z", "UTC", "Tue 10 Nov 16:00:00 UTC"),
            (
                "2027-01-09T15:00:00Z",
                "UTC",
                "Tue 10 Nov 2026 16:00:00 UTC",
            ),
        ] {
            assert_eq!(moment(now, zone).instant(at), text);
        }
    }

    #[test]
    fn far_times_lose_their_small_units_and_near_ones_keep_seconds() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (200, "3 min 20 s"),
            (725, "12 min"),
            (3_600, "1 h"),
            (7_500, "2 h 5 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
        let moment = moment("2026-11-10T15:00:00Z", "UTC");
        let relative = |at: &str| moment.relative(at.parse().unwrap());
        assert_eq!(relative("2026-11-10T15:12:00Z"), "in 12 min");
        assert_eq!(relative("2026-11-10T14:59:30Z"), "30 s ago");
        assert_eq!(relative("2026-11-10T15:00:00.4Z"), "now");
    }

    #[test]
    fn an_instant_needs_a_date_a_time_and_an_offset() {
        assert!(instant("2026-11-11T00:00:00+08:00").is_ok());
        for text in [
            "tomorrow",
            "2026-11-11",
            "2026-11-11T00:00:00",
            "1794326400",
            "",
        ] {
            let refused = instant(text).unwrap_err();
            assert!(refused.contains("for example `2026-11-11T00:00:00+08:00`"));
        }
    }
}
