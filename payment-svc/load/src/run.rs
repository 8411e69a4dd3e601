//! Carries a plan out: one loop that sends on time, one task per intent that sees it through.

mod intent;
mod shared;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

pub use self::shared::RunOptions;
use self::shared::Shared;
use crate::journal::{Effect, Line, WriteError};
use crate::plan::ValidPlan;
use crate::report::{Counts, EndedBy, SecondLine, Summary};
use crate::tally::Outcome;
use crate::traffic::{Intent, Traffic};

/// How far ahead intents are drawn and journaled; several journal flushes fit into it.
const LOOK_AHEAD: Duration = Duration::from_millis(250);
/// Head start of a run that begins now: its first lines reach the journal before their time.
const HEAD_START: Duration = Duration::from_millis(150);
/// File descriptors besides those of requests in flight: the journal, idle connections, the runtime.
const DESCRIPTORS_SPARE: u64 = 512;

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal failed; what was sent until then is in it.
    #[error(transparent)]
    Journal(#[from] WriteError),
    /// The process may not open as many connections as the plan allows in flight.
    #[error(
        "{needed} file descriptors are needed and {limit} allowed: raise `ulimit -n` or lower `in_flight_max`"
    )]
    Descriptors {
        /// How many the plan needs.
        needed: u64,
        /// How many the system allows.
        limit: u64,
    },
    /// A valid plan draws from every population, so this is a defect.
    #[error("users and merchants cannot be drawn from")]
    Population,
    /// A task that carried an intent ended abnormally, so the counts are not whole.
    #[error("a request task ended abnormally")]
    Task(#[source] JoinError),
}

/// Carries out a plan and returns its summary; `each_second` gets a line for every second.
///
/// The limit of open files of the process is raised to what the plan needs.
pub async fn run(
    plan: ValidPlan,
    options: RunOptions,
    mut each_second: impl FnMut(&SecondLine),
) -> Result<Summary, RunError> {
    allow_descriptors(plan.plan().in_flight_max)?;
    let started = plan
        .plan()
        .start
        .unwrap_or_else(|| Timestamp::now() + HEAD_START);
    let shared = Arc::new(Shared::open(&plan, options, started)?);
    let mut traffic = Traffic::new(&plan, shared.recent.clone()).ok_or(RunError::Population)?;
    let ended_by = {
        let sending = send_all(&shared, &mut traffic);
        tokio::pin!(sending);
        second_by_second(&shared, sending, &mut each_second).await?
    };
    finish(shared, &plan, started, ended_by).await
}

/// Reports each second until the sending has ended, and then what is left.
async fn second_by_second(
    shared: &Shared,
    mut sending: impl Future<Output = Result<EndedBy, RunError>> + Unpin,
    each_second: &mut impl FnMut(&SecondLine),
) -> Result<EndedBy, RunError> {
    let mut seconds = interval_at(
        shared.start + Duration::from_secs(1),
        Duration::from_secs(1),
    );
    seconds.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut t_s = 0;
    let ended_by = loop {
        tokio::select! {
            // A second is closed before what belongs to the next one is counted.
            biased;
            _ = seconds.tick() => {
                let line = shared.tally().take_second(t_s, Timestamp::now());
                each_second(&line);
                t_s += 1;
            }
            ended_by = &mut sending => break ended_by?,
        }
    };
    let line = shared.tally().take_second(t_s, Timestamp::now());
    // The end of a plan falls on the end of a second, or just after it.
    if line.counts != Counts::default() {
        each_second(&line);
    }
    Ok(ended_by)
}

fn allow_descriptors(in_flight_max: u32) -> Result<(), RunError> {
    let needed = u64::from(in_flight_max) + DESCRIPTORS_SPARE;
    // Where the limit cannot be read there is none to raise.
    let limit = rlimit::increase_nofile_limit(needed).unwrap_or(u64::MAX);
    if limit < needed {
        Err(RunError::Descriptors { needed, limit })
    } else {
        Ok(())
    }
}

/// Sends every intent at its time, then waits until each has ended.
async fn send_all(shared: &Arc<Shared>, traffic: &mut Traffic) -> Result<EndedBy, RunError> {
    let late = Instant::now().saturating_duration_since(shared.start);
    if !late.is_zero() {
        traffic.skip_until(late + HEAD_START);
    }
    let mut tasks = JoinSet::new();
    let mut ahead = VecDeque::new();
    loop {
        let horizon = (Instant::now() + LOOK_AHEAD).saturating_duration_since(shared.start);
        while traffic.next_at().is_some_and(|at| at <= horizon) {
            ahead.extend(
                traffic
                    .next()
                    .map(|intent| (shared.announce(&intent), intent)),
            );
        }
        let next = ahead.front().map(|(_, intent): &(u64, Intent)| intent.at);
        let Some(wake) = next.or_else(|| Some(traffic.next_at()?.saturating_sub(LOOK_AHEAD / 2)))
        else {
            break;
        };
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => break,
            () = sleep_until(shared.start + wake) => {}
        }
        if let Some((mark, intent)) = ahead.pop_front_if(|(_, intent)| intent.at <= wake) {
            shared.written(mark).await?;
            dispatch(shared, intent, &mut tasks);
        }
        while let Some(ended) = tasks.try_join_next() {
            ended.map_err(RunError::Task)?;
        }
    }
    for (_, unsent) in ahead
        .into_iter()
        .filter(|(_, intent)| intent.action.moves_money())
    {
        shared.conclude(unsent.n, Effect::Absent, None);
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(RunError::Task)?;
    }
    Ok(if shared.stop.is_cancelled() {
        EndedBy::Signal
    } else {
        EndedBy::Plan
    })
}

/// Starts an intent, or counts it as failed here when too many are under way.
fn dispatch(shared: &Arc<Shared>, intent: Intent, tasks: &mut JoinSet<()>) {
    let class = intent.action.class();
    shared.tally().begin(intent.at, class);
    shared.retries.deposit();
    shared.look_ups.deposit();
    if let Ok(permit) = Arc::clone(&shared.in_flight).try_acquire_owned() {
        let shared = Arc::clone(shared);
        tasks.spawn(async move {
            intent::carry_out(&shared, &intent).await;
            drop(permit);
        });
        return;
    }
    if intent.action.moves_money() {
        shared.conclude(intent.n, Effect::Absent, None);
    }
    let mut tally = shared.tally();
    tally.client_overruns += 1;
    tally.end(
        intent.at,
        class,
        &Outcome::Failed {
            code: "client_overrun".to_owned(),
        },
    );
}

async fn finish(
    shared: Arc<Shared>,
    plan: &ValidPlan,
    started: Timestamp,
    ended_by: EndedBy,
) -> Result<Summary, RunError> {
    let summary = summarise(&shared, plan, started, ended_by);
    // Every task has ended, so this is the last owner.
    if let Some(journal) = Arc::into_inner(shared).and_then(|shared| shared.journal) {
        journal.append(&Line::End { at: summary.ended });
        journal.close().await?;
    }
    Ok(summary)
}

fn summarise(shared: &Shared, plan: &ValidPlan, started: Timestamp, ended_by: EndedBy) -> Summary {
    let elapsed_s = shared.start.elapsed().as_secs_f64();
    let tally = shared.tally();
    let (total, phases) = tally.summaries(elapsed_s.min(plan.curve().end_s()));
    Summary {
        key_prefix: shared.dialect.key_prefix.clone(),
        target: plan.plan().target.to_string(),
        started,
        ended: Timestamp::now(),
        ended_by,
        total,
        phases,
        retries: tally.retries,
        retries_withheld: tally.retries_withheld,
        refusals_without_retry_after: tally.refusals_without_retry_after,
        client_overruns: tally.client_overruns,
        errors: tally.errors.clone(),
    }
}
