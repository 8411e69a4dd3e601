//! Reading a JSON body strictly.
//!
//! A body is one flat JSON object: no member twice, none unknown, nothing after it. Members are kept
//! as the text the client wrote until their rule is known, so that `1e3` or `10.0` never passes for
//! an integer.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::pan;
use super::problem::Problem;
use crate::ids;
use crate::money::{Currency, MinorUnits};

/// Largest body, bytes.
const BODY_BYTES_MAX: usize = 16 * 1_024;
/// Time a body has to come, however long its client waits for the answer: it fits one packet or a
/// few, and a connection that dribbles one is wanted for nothing else.
const BODY_MAX: Duration = Duration::from_secs(2);
/// Deepest nesting that is read at all; nothing legal is deeper than 1.
const DEPTH_MAX: usize = 16;
/// Longest free text, characters.
const TEXT_CHARS_MAX: usize = 128;

/// Reads the body of a request that must be JSON; a body that comes too slowly is not waited for.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    deadline: Instant,
) -> Result<Bytes, Problem> {
    if !is_json(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_type_unsupported",
            "The body must be application/json in UTF-8, without a content encoding.",
        )
        .param("Content-Type"));
    }
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let due = deadline.min(Instant::now() + BODY_MAX);
    let Ok(read) = timeout_at(due, axum::body::to_bytes(body, BODY_BYTES_MAX)).await else {
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "The body must come within 2 s, and within the time the client waits.",
        )
        .not_charged());
    };
    read.map_err(|error| {
        let over = std::error::Error::source(&error)
            .is_some_and(|source| source.to_string().contains("length limit"));
        if over {
            too_large()
        } else {
            invalid("The body could not be read to its end.")
        }
    })
}

/// The members of a body, in the order they came.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object whose members are all among `known`.
    pub(super) fn parse(bytes: &'a [u8], known: &[&str]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|_| invalid("The body must be UTF-8."))?;
        if pan::found_in(text) {
            return Err(pan::problem());
        }
        if is_too_deep(bytes) {
            return Err(invalid("The body is nested too deeply."));
        }
        let members: Self = serde_json::from_str(text).map_err(|_| {
            invalid("The body must be one JSON object, with no member twice and nothing after it.")
        })?;
        // Escapes can hide digits from the look at the raw text.
        let hides_card = |raw: &RawValue| {
            raw.get().contains('\\')
                && serde_json::from_str::<String>(raw.get()).is_ok_and(|text| pan::found_in(&text))
        };
        if members
            .0
            .iter()
            .any(|(name, raw)| pan::found_in(name) || hides_card(raw))
        {
            return Err(pan::problem());
        }
        if members
            .0
            .iter()
            .any(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err(Problem::invalid(
                "unknown_field",
                format!("The body must have no members but {}.", quoted(known)),
            ));
        }
        Ok(members)
    }

    /// The id of a user or merchant.
    pub(super) fn account_id(&self, name: &'static str) -> Result<String, Problem> {
        let id = self.text(name)?.ok_or_else(|| missing(name))?;
        if ids::is_account_id(&id) {
            return Ok(id);
        }
        Err(Problem::invalid(
            "field_invalid",
            format!("`{name}` must be 1 to 64 of letters, digits, `.`, `_`, `-`."),
        )
        .param(name))
    }

    /// An amount in minor units.
    pub(super) fn amount(&self, name: &'static str) -> Result<MinorUnits, Problem> {
        let raw = self.raw(name).ok_or_else(|| missing(name))?;
        let is_integer = raw.bytes().all(|byte| byte.is_ascii_digit());
        is_integer
            .then(|| raw.parse().ok().and_then(MinorUnits::new))
            .flatten()
            .ok_or_else(|| {
                Problem::invalid(
                    "amount_invalid",
                    format!(
                        "`{name}` must be an integer number of minor units from 1 to \
                         999999999999, without quotes, fraction or exponent."
                    ),
                )
                .param(name)
            })
    }

    /// A currency.
    pub(super) fn currency(&self, name: &'static str) -> Result<Currency, Problem> {
        let code = self.text(name)?.ok_or_else(|| missing(name))?;
        Currency::parse(&code).ok_or_else(|| {
            Problem::invalid(
                "currency_unsupported",
                format!("`{name}` must be a supported ISO 4217 code in capitals, such as `CNY`."),
            )
            .param(name)
        })
    }

    /// Optional free text, without control characters.
    pub(super) fn free_text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let text = self.text(name)?;
        let acceptable = text.as_ref().is_none_or(|text| {
            text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control)
        });
        if acceptable {
            return Ok(text);
        }
        Err(Problem::invalid(
            "field_invalid",
            format!("`{name}` must be at most 128 characters, none of them a control character."),
        )
        .param(name))
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        serde_json::from_str(raw).map(Some).map_err(|_| {
            Problem::invalid("field_invalid", format!("`{name}` must be a string.")).param(name)
        })
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, raw)| raw.get())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members: Self::Value = Vec::with_capacity(8);
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.iter().any(|(earlier, _)| *earlier == name) {
                        return Err(M::Error::custom("a member is there twice"));
                    }
                    members.push((name, raw));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let encoded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(value) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| {
        parameter.eq_ignore_ascii_case("charset=utf-8")
            || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
    });
    is_json && is_utf8 && !encoded
}

/// Whether brackets outside strings nest deeper than anything legal.
fn is_too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

fn quoted(names: &[&str]) -> Cow<'static, str> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ").into()
}

fn missing(name: &'static str) -> Problem {
    Problem::invalid("field_required", format!("`{name}` must be given.")).param(name)
}

fn invalid(detail: &'static str) -> Problem {
    Problem::bad_request("body_invalid", detail)
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "The body must be at most 16384 bytes.",
    )
}
