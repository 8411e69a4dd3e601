//! Reads a journal back, also one whose writer was killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{CreateLine, Effect, Line, RefundLine, RunLine};

/// A journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read.
    #[error("journal {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not a journal line, or contradicts those before it.
    #[error("journal line {line}: {problem}")]
    Line {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// A create or refund with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyIntent<L> {
    /// What was sent.
    pub sent: L,
    /// What the ledger must hold.
    pub effect: Effect,
    /// The id the service gave.
    pub id: Option<String>,
}

/// A whole journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Which run it is.
    pub run: RunLine,
    /// Payments by intent number.
    pub creates: BTreeMap<u64, MoneyIntent<CreateLine>>,
    /// Refunds by intent number.
    pub refunds: BTreeMap<u64, MoneyIntent<RefundLine>>,
    /// Whether the writer ended by itself; false after a kill.
    pub complete: bool,
}

impl Journal {
    /// Reads a journal file.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let bytes = fs::read(path).map_err(|source| JournalError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&bytes)
    }

    /// Reads journal lines; a last line without its end is what a kill leaves and is ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self, JournalError> {
        let mut journal: Option<Self> = None;
        for (line, number) in bytes.split_inclusive(|byte| *byte == b'\n').zip(1..) {
            let Some(line) = line.strip_suffix(b"\n") else {
                break;
            };
            let problem = |problem: String| JournalError::Line {
                line: number,
                problem,
            };
            let line = serde_json::from_slice(line).map_err(|error| problem(error.to_string()))?;
            journal = Some(match (journal, line) {
                (None, Line::Run(run)) => Self::begin(run),
                (None, _) => return Err(problem("must be the `run` line".to_owned())),
                (Some(mut journal), line) => {
                    journal.add(line).map_err(problem)?;
                    journal
                }
            });
        }
        journal.ok_or(JournalError::Line {
            line: 1,
            problem: "the journal is empty".to_owned(),
        })
    }

    fn begin(run: RunLine) -> Self {
        Self {
            run,
            creates: BTreeMap::new(),
            refunds: BTreeMap::new(),
            complete: false,
        }
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Run(_) => return Err("a journal must hold one run".to_owned()),
            Line::Create(sent) => {
                let n = sent.n;
                let intent = MoneyIntent {
                    sent,
                    effect: Effect::Unknown,
                    id: None,
                };
                if self.creates.insert(n, intent).is_some() {
                    return Err(format!("intent {n} was there before"));
                }
            }
            Line::Refund(sent) => {
                let n = sent.n;
                let intent = MoneyIntent {
                    sent,
                    effect: Effect::Unknown,
                    id: None,
                };
                if self.refunds.insert(n, intent).is_some() {
                    return Err(format!("intent {n} was there before"));
                }
            }
            Line::Outcome(outcome) => {
                let n = outcome.n;
                let (effect, id) = match (self.creates.get_mut(&n), self.refunds.get_mut(&n)) {
                    (Some(create), _) => (&mut create.effect, &mut create.id),
                    (None, Some(refund)) => (&mut refund.effect, &mut refund.id),
                    (None, None) => return Err(format!("intent {n} is not known")),
                };
                (*effect, *id) = (outcome.effect, outcome.id);
            }
            Line::End { .. } => self.complete = true,
        }
        Ok(())
    }
}
