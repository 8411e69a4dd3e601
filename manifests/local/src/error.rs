//! The one line a person reads when a step failed.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// What any step may fail with.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A step of bringing the cluster up or down that failed.
#[derive(Debug)]
pub struct StepError {
    /// The step, as shown in the progress.
    pub step: String,
    /// Where to read on, if the step has a log.
    pub log: Option<PathBuf>,
    cause: Cause,
}

impl StepError {
    /// A failed step and its cause; the log is named only if it exists.
    pub fn new(step: &str, log: &Path, cause: impl Into<Cause>) -> Self {
        let log = log.exists().then(|| log.to_owned());
        Self {
            step: step.to_owned(),
            log,
            cause: cause.into(),
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "step {} failed: {}",
            self.step,
            one_line(self.cause.as_ref())
        )?;
        match &self.log {
            Some(log) => write!(formatter, "; log: {}", log.display()),
            None => Ok(()),
        }
    }
}

/// The cause is part of the message, so it is not a source as well: it would be printed twice.
impl Error for StepError {}

/// An error and its sources on one line.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line = format!("{line}: {source}");
        next = source.source();
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_one_line_with_step_cause_and_log() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let error = StepError::new("etcd", log.path(), "no\nspace");
        let expected = format!("step etcd failed: no space; log: {}", log.path().display());
        assert_eq!(error.to_string(), expected);
    }
}
