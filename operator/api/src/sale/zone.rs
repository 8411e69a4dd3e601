//! Instants as people write them into a sale: with an offset, or as local times of its zone.
//!
//! A local time may not exist, or come twice, when clocks are changed. A sale is then never shorter
//! than what was meant: a missing time is the instant the clocks went forward; of a time that comes
//! twice a start is the first and an end the last (F21).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::FieldError;
use crate::spelling;

/// Where a sale names its zone.
const TIME_ZONE: &str = "spec.timeZone";
/// What an instant must be where the sale names no zone.
const INSTANT: &str = "be an RFC 3339 instant with a zone offset, for example \
                       `2026-11-11T00:00:00+08:00`, or a local time with `spec.timeZone` set";
/// What it must be where it does.
const IN_ZONE: &str = "be a local time, for example `2026-11-11T00:00:00`, or an RFC 3339 instant \
                       with a zone offset";

/// Which of two instants of one local time is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Something begins: the first.
    Start,
    /// Something ends: the last.
    End,
}

/// Reads the instants of one sale.
#[derive(Debug)]
pub(super) struct Reader<'sale> {
    zone: Option<(&'sale str, TimeZone)>,
    /// Local times that did not exist or came twice, and what was taken for them.
    pub(super) remarks: Vec<String>,
}

impl<'sale> Reader<'sale> {
    /// For a sale with `time_zone`, a name of the IANA database.
    pub(super) fn new(time_zone: Option<&'sale str>) -> Result<Self, FieldError> {
        // Names without a region, `EST` or `Japan`, are abbreviations that the schema refuses too.
        let plain = |name: &str| name == "UTC" || name.contains('/') && name != "Etc/Unknown";
        let known = |name: &'sale str| match TimeZone::get(name) {
            Ok(zone) if plain(name) => Ok((name, zone)),
            _ => Err(unknown(name)),
        };
        Ok(Self {
            zone: time_zone.map(known).transpose()?,
            remarks: Vec::new(),
        })
    }

    /// The instant that `field` holds.
    pub(super) fn instant(
        &mut self,
        field: &str,
        text: &str,
        edge: Edge,
    ) -> Result<Timestamp, FieldError> {
        let written = Written::of(text);
        if written == Some(Written::WithOffset)
            && let Ok(instant) = text.parse()
        {
            return Ok(instant);
        }
        let Some((name, zone)) = &self.zone else {
            return Err(FieldError::text(field, text, INSTANT));
        };
        let local = written.filter(|written| *written == Written::Local);
        let local = local.and_then(|_| text.parse::<DateTime>().ok());
        let taken = local.and_then(|local| resolved(local, zone, edge));
        let Some((instant, remark)) = taken else {
            return Err(FieldError::text(field, text, IN_ZONE));
        };
        if let Some(remark) = remark {
            let shown = instant.to_zoned(zone.clone());
            let shown = shown.strftime("%Y-%m-%dT%H:%M:%S%:z");
            self.remarks.push(format!(
                "`{field}` {text} {remark} in {name}; {shown} is taken"
            ));
        }
        Ok(instant)
    }
}

/// How an instant is written. jiff reads more than the schema accepts, a zone in brackets or a blank
/// for the `T` among it, and what a file holds must mean the same to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Local,
    WithOffset,
}

impl Written {
    fn of(text: &str) -> Option<Self> {
        let like = |text: &str, pattern: &str| {
            text.len() == pattern.len()
                && text
                    .chars()
                    .zip(pattern.chars())
                    .all(|(c, wanted)| match wanted {
                        '0' => c.is_ascii_digit(),
                        wanted => c == wanted,
                    })
        };
        let (time, rest) = text.split_at_checked(19)?;
        if !like(time, "0000-00-00T00:00:00") || !time.starts_with("20") || time.ends_with(":60") {
            return None;
        }
        let digits = rest.strip_prefix('.').map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit());
            rest.split_at(end.unwrap_or(rest.len()))
        });
        let rest = match digits {
            None => rest,
            Some((digits, rest)) if (1..=9).contains(&digits.len()) => rest,
            Some(_) => return None,
        };
        match rest {
            "" => Some(Self::Local),
            "Z" => Some(Self::WithOffset),
            rest if like(rest, "+00:00") || like(rest, "-00:00") => Some(Self::WithOffset),
            _ => None,
        }
    }
}

/// The instant of a local time, and what is odd about it.
fn resolved(
    local: DateTime,
    zone: &TimeZone,
    edge: Edge,
) -> Option<(Timestamp, Option<&'static str>)> {
    let at = |offset: Offset| offset.to_timestamp(local).ok();
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => Some((at(offset)?, None)),
        AmbiguousOffset::Gap { after, .. } => {
            // With the offset that holds later, the missing time lies before the change.
            let change = zone.following(at(after)?).next()?;
            Some((change.timestamp(), Some("does not exist")))
        }
        AmbiguousOffset::Fold { before, after } => {
            let offset = match edge {
                Edge::Start => before,
                Edge::End => after,
            };
            Some((at(offset)?, Some("comes twice")))
        }
    }
}

fn unknown(name: &str) -> FieldError {
    let zones: Vec<_> = jiff::tz::db().available().collect();
    let names = zones.iter().map(jiff::tz::TimeZoneName::as_str);
    let names: Vec<&str> = names.filter(|name| name.contains('/')).collect();
    let hint = spelling::hint(name, &names);
    let must = format!("be a zone of the IANA database, for example `Asia/Shanghai`{hint}");
    FieldError::text(TIME_ZONE, name, must)
}

#[cfg(test)]
mod tests;
