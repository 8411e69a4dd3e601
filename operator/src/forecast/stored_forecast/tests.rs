//! What is read back is what was written, or nothing.

use floodgate_forecast::{FitOptions, Series, UnixMillis, fit};

use super::*;
use crate::tests::fixtures::forecast_target as target;

pub(in crate::forecast) fn kept() -> StoredForecast {
    let start = UnixMillis(1_767_571_200_000);
    let samples = (1..=14 * 288_i64).map(|index| {
        let second = index * 300;
        let angle = std::f64::consts::TAU * (second % 86_400) as f64 / 86_400.0;
        let jitter = (index * 7_919 % 13) as f64;
        (start.plus_s(second), 100.0 + 60.0 * angle.sin() + jitter)
    });
    let series = Series::from_samples(300, &samples.collect::<Vec<_>>()).unwrap();
    let model = fit(&series, &FitOptions::default()).unwrap();
    let name = model_name(&model).unwrap();
    StoredForecast {
        path: model.path(&series, 26 * 3_600).named(name.clone()),
        model,
        accuracy: Accuracy::default(),
        about: About::new(name, "2026-11-10T12:00:00Z".parse().unwrap(), &target()),
    }
}

/// The data with one value changed, and signed anew where `signed` says so.
fn changed(key: &str, change: impl Fn(&str) -> String, signed: bool) -> BTreeMap<String, String> {
    let mut data = kept().encode().unwrap();
    let value = change(&data[key]);
    data.insert(key.to_owned(), value);
    if signed {
        data.insert(DIGEST_KEY.to_owned(), digest(&data).unwrap());
    }
    data
}

#[test]
fn s4_a_stored_forecast_is_read_back_as_it_was() {
    let kept = kept();
    let data = kept.encode().unwrap();
    assert_eq!(StoredForecast::decode(&data).unwrap(), kept);
    let model = data[MODEL_KEY].len();
    assert!(model <= MODEL_BYTES_MAX, "{model} bytes");
    let all: usize = data.values().map(String::len).sum();
    assert!(all < 131_072, "{all} bytes");
}

#[test]
fn a_name_says_which_model_it_is() {
    let kept = kept();
    let digest = hex(&Sha256::digest(
        kept.encode().unwrap()[MODEL_KEY].as_bytes(),
    ));
    assert_eq!(
        kept.about.model,
        format!("ridge-direct-weekly/{}", &digest[..8])
    );
    assert_eq!(kept.path.model(), kept.about.model);
}

#[test]
fn what_was_changed_or_cut_is_refused_with_what_is_wrong() {
    let drop_last = |text: &str| text[..text.len() - 1].to_owned();
    for key in [MODEL_KEY, PATH_KEY, ACCURACY_KEY] {
        let error = StoredForecast::decode(&changed(key, drop_last, false)).unwrap_err();
        assert!(
            matches!(error, StoredForecastError::Corrupt),
            "{key}: {error}"
        );
        let error = StoredForecast::decode(&changed(key, drop_last, true)).unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
    for key in [ABOUT_KEY, MODEL_KEY, PATH_KEY, ACCURACY_KEY, DIGEST_KEY] {
        let mut data = kept().encode().unwrap();
        data.remove(key);
        let error = StoredForecast::decode(&data).unwrap_err().to_string();
        assert!(
            error.contains(&format!("`{key}` is missing")) && error.contains("fitted anew"),
            "{error}"
        );
    }
    assert!(StoredForecast::decode(&BTreeMap::new()).is_err());
}

#[test]
fn f62_another_version_is_refused_and_named() {
    let now = format!("\"version\":{STORED_VERSION}");
    let newer = |text: &str| text.replace(&now, "\"version\":9");
    let error = StoredForecast::decode(&changed(ABOUT_KEY, newer, true)).unwrap_err();
    let message = error.to_string();
    let says = format!("`version` is 9.{MODEL_VERSION}, must be {STORED_VERSION}.{MODEL_VERSION}");
    assert!(message.contains(&says), "{message}");
}

#[test]
fn f18_a_model_whose_parts_do_not_fit_is_refused() {
    let short = |text: &str| {
        let mut model: serde_json::Value = serde_json::from_str(text).unwrap();
        let weights = model["buckets"][3]["coefficients"].as_array_mut().unwrap();
        weights.pop();
        model.to_string()
    };
    let error = StoredForecast::decode(&changed(MODEL_KEY, short, true)).unwrap_err();
    assert!(matches!(error, StoredForecastError::Unsound), "{error}");
}

#[test]
fn f18_a_path_that_is_none_is_refused_even_when_it_was_signed() {
    let without_step = |text: &str| {
        let mut path: serde_json::Value = serde_json::from_str(text).unwrap();
        path["step_s"] = 0.into();
        path.to_string()
    };
    let shorter = |text: &str| {
        let mut path: serde_json::Value = serde_json::from_str(text).unwrap();
        path["upper_rps"].as_array_mut().unwrap().pop();
        path.to_string()
    };
    for error in [
        StoredForecast::decode(&changed(PATH_KEY, without_step, true)).unwrap_err(),
        StoredForecast::decode(&changed(PATH_KEY, shorter, true)).unwrap_err(),
    ] {
        assert!(
            matches!(error, StoredForecastError::Undecodable(..)),
            "{error}"
        );
    }
}

#[test]
fn a_model_for_another_question_is_told_apart() {
    let same = target();
    let mut other = target();
    other.quantile_percent = 90;
    assert_eq!(fitted_for(&same), fitted_for(&target()));
    assert_ne!(fitted_for(&same), fitted_for(&other));
    other = target();
    other.refit_s = 60;
    assert_eq!(fitted_for(&same), fitted_for(&other), "only when, not what");
}
