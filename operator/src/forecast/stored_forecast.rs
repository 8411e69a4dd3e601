//! What of a forecast outlives the process, as the data of a `ConfigMap`. Pure.
//!
//! Invariant: what is read back is, byte for byte, what was written for the same question; anything
//! else is refused with a reason, and the model is fitted anew.

use std::collections::BTreeMap;

use floodgate_forecast::{Accuracy, ForecastPath, MODEL_BYTES_MAX, MODEL_VERSION, Mask, Model};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::target::ForecastTarget;

/// Who made it, when, and for what question.
pub const ABOUT_KEY: &str = "about.json";
/// The fitted model; the first characters of its SHA-256 are part of its name.
pub const MODEL_KEY: &str = "model.json";
/// The path that was made with it right after the fit.
pub const PATH_KEY: &str = "path.json";
/// How its promises have come true so far.
pub const ACCURACY_KEY: &str = "accuracy.json";
/// SHA-256 over all the others.
pub const DIGEST_KEY: &str = "sha256";

/// Version of the keys and of [`About`].
const STORED_VERSION: u32 = 2;
/// Characters of the digest that distinguish one model from the next.
const NAME_CHARS: usize = 8;

/// A forecast that outlives the process.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredForecast {
    pub model: Model,
    /// The path made right after the fit.
    pub path: ForecastPath,
    /// How its promises have come true.
    pub accuracy: Accuracy,
    /// Whatever else is to be known.
    pub about: About,
}

/// What is stored beside the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct About {
    /// Version of this form.
    pub version: u32,
    /// Version of what a model means.
    pub model_version: u32,
    /// Name of the model, as decisions print it.
    pub model: String,
    /// When it was fitted.
    pub fitted_at: Timestamp,
    /// What it was fitted for: a short digest of store, query, window, step and quantile.
    pub fitted_for: String,
    /// Windows that were left out of its history.
    pub masks: Vec<Mask>,
    /// Hours of history it was fitted on.
    pub history_hours: u32,
    /// Largest load in that history, requests/s.
    pub peak_rps: f64,
}

/// Why a kept forecast is not used, or not written.
#[derive(Debug, thiserror::Error)]
pub enum StoredForecastError {
    /// A key is missing.
    #[error("the stored model is not used: `{0}` is missing; the model is fitted anew")]
    Missing(&'static str),
    /// The digest does not fit.
    #[error(
        "the stored model is not used: it is not what was written, by its `{DIGEST_KEY}`; \
         the model is fitted anew"
    )]
    Corrupt,
    /// Another version wrote it.
    #[error(
        "the stored model is not used: `version` is {0}, must be {STORED_VERSION}.{MODEL_VERSION}; \
         the model is fitted anew"
    )]
    Version(String),
    /// A value cannot be read.
    #[error("the stored model is not used: `{0}` cannot be read; the model is fitted anew")]
    Undecodable(&'static str, #[source] serde_json::Error),
    /// The parts of the model do not fit each other.
    #[error("the stored model is not used: its parts do not fit; the model is fitted anew")]
    Unsound,
    /// Longer than a `ConfigMap` is asked to hold.
    #[error("the model is not stored: it has {0} bytes, must be at most {MODEL_BYTES_MAX}")]
    TooLarge(usize),
    /// It cannot be written as JSON.
    #[error("the model is not stored: `{0}` cannot be written as JSON")]
    Unencodable(&'static str, #[source] serde_json::Error),
}

/// The version alone, which every form has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    version: u32,
    model_version: u32,
}

/// Full name of a model: what it is, and the beginning of its digest.
pub fn model_name(model: &Model) -> Result<String, StoredForecastError> {
    let digest = hex(&Sha256::digest(encoded(MODEL_KEY, model)?.as_bytes()));
    Ok(format!(
        "{}/{}",
        model.basis().as_str(),
        &digest[..NAME_CHARS]
    ))
}

/// What a model is fitted for; one fitted for something else does not serve.
pub fn fitted_for(wanted: &ForecastTarget) -> String {
    let ForecastTarget {
        source_url,
        query,
        history_days,
        step_s,
        quantile_percent,
        ..
    } = wanted;
    let question = format!("{history_days} {step_s} {quantile_percent} {source_url} {query}");
    hex(&Sha256::digest(question.as_bytes()))[..16].to_owned()
}

impl About {
    /// What is said of a model of this version.
    pub fn new(model: String, fitted_at: Timestamp, wanted: &ForecastTarget) -> Self {
        Self {
            version: STORED_VERSION,
            model_version: MODEL_VERSION,
            model,
            fitted_at,
            fitted_for: fitted_for(wanted),
            masks: wanted.masks.clone(),
            history_hours: 0,
            peak_rps: 0.0,
        }
    }
}

impl StoredForecast {
    /// The data of the `ConfigMap`.
    pub fn encode(&self) -> Result<BTreeMap<String, String>, StoredForecastError> {
        let Self {
            model,
            path,
            accuracy,
            about,
        } = self;
        let model = encoded(MODEL_KEY, model)?;
        if model.len() > MODEL_BYTES_MAX {
            return Err(StoredForecastError::TooLarge(model.len()));
        }
        let mut data = BTreeMap::from([
            (ABOUT_KEY.to_owned(), encoded(ABOUT_KEY, about)?),
            (MODEL_KEY.to_owned(), model),
            (PATH_KEY.to_owned(), encoded(PATH_KEY, path)?),
            (ACCURACY_KEY.to_owned(), encoded(ACCURACY_KEY, accuracy)?),
        ]);
        data.insert(DIGEST_KEY.to_owned(), digest(&data)?);
        Ok(data)
    }

    /// Reads the data of the `ConfigMap` back.
    pub fn decode(data: &BTreeMap<String, String>) -> Result<Self, StoredForecastError> {
        let versions: Versions = decoded(data, ABOUT_KEY)?;
        let Versions {
            version,
            model_version,
        } = versions;
        if (version, model_version) != (STORED_VERSION, MODEL_VERSION) {
            return Err(StoredForecastError::Version(format!(
                "{version}.{model_version}"
            )));
        }
        if *text(data, DIGEST_KEY)? != digest(data)? {
            return Err(StoredForecastError::Corrupt);
        }
        let kept = Self {
            model: decoded(data, MODEL_KEY)?,
            path: decoded(data, PATH_KEY)?,
            accuracy: decoded(data, ACCURACY_KEY)?,
            about: decoded(data, ABOUT_KEY)?,
        };
        if !kept.model.is_sound() {
            return Err(StoredForecastError::Unsound);
        }
        Ok(kept)
    }
}

fn text<'a>(
    data: &'a BTreeMap<String, String>,
    key: &'static str,
) -> Result<&'a String, StoredForecastError> {
    data.get(key).ok_or(StoredForecastError::Missing(key))
}

fn encoded(key: &'static str, value: &impl Serialize) -> Result<String, StoredForecastError> {
    serde_json::to_string(value).map_err(|source| StoredForecastError::Unencodable(key, source))
}

fn decoded<T: DeserializeOwned>(
    data: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<T, StoredForecastError> {
    let text = text(data, key)?;
    serde_json::from_str(text).map_err(|source| StoredForecastError::Undecodable(key, source))
}

fn digest(data: &BTreeMap<String, String>) -> Result<String, StoredForecastError> {
    let mut digest = Sha256::new();
    for key in [ABOUT_KEY, MODEL_KEY, PATH_KEY, ACCURACY_KEY] {
        let text = text(data, key)?;
        digest.update(text.len().to_be_bytes());
        digest.update(text.as_bytes());
    }
    Ok(hex(&digest.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub(super) mod tests;
