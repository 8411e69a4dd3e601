//! `sale status`.

use std::fmt::Write;

use clap::Args;
use floodgate_api::sale::status::{SaleClusterStatus, SalePhaseStatus};
use floodgate_api::{SaleEvent, SaleEventStatus};
use floodgate_planner::{Sale, SalePhase};
use floodgate_words::ConditionType;
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::{Picked, SaleError, WhichArgs, instant, namespace, over_at, planned};
use crate::access::AccessArgs;
use crate::failure::{Failure, Finding};
use crate::moment::Moment;
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::source::Source;
use crate::status::judge::Point;
use crate::status::{Weight, points};
use crate::table::Table;

/// `sale status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// How sales stand, as `-o json` tells it.
#[derive(Serialize)]
struct Answers {
    sales: Vec<Answer>,
}

/// How one sale stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    namespace: String,
    name: String,
    /// `Scheduled`, `Prescaling`, `Running`, `Completed`, or why it is not ready.
    stage: String,
    problems: Vec<Point>,
    /// What is only worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Point>,
    status: SaleEventStatus,
}

/// Runs the command.
pub async fn run(args: &StatusArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let moment = args.which.moment();
    let Picked {
        sales,
        all,
        source,
        hides_one,
    } = super::find(&args.which, access).await?;
    let seen = |event: &SaleEvent| {
        let sale = planned(event, &all);
        let mut answer = answer(event, &sale, &source, moment.now());
        answer.notes.extend(args.which.source.age([event], &moment));
        (answer, sale.ok())
    };
    let (answers, sales): (Vec<Answer>, Vec<Option<Sale>>) = sales.iter().map(seen).unzip();
    let answers = Answers { sales: answers };
    args.output.print(&answers, || {
        let pages = answers.sales.iter().zip(&sales);
        let pages =
            pages.map(|(answer, sale)| page(answer, sale.as_ref(), &moment, Paint::for_stdout()));
        pages.collect::<Vec<_>>().join("\n")
    })?;
    let wrong = answers.sales.iter().any(|one| !one.problems.is_empty());
    Ok(Finding::wrong_if(wrong || hides_one))
}

fn answer(
    event: &SaleEvent,
    sale: &Result<Sale, SaleError>,
    source: &Source,
    now: Timestamp,
) -> Answer {
    let mut problems = problems(event, source);
    match sale {
        Ok(sale) => problems.extend(cold_phases(event, sale, now)),
        Err(error) => {
            let remedy = "correct the SaleEvent; until then nothing new is planned for it";
            let point = Point {
                remedy: Some(remedy.to_owned()),
                ..Point::new(crate::chain(error), "InvalidSpec", None)
            };
            problems.insert(0, point);
        }
    }
    let status = event.status.clone().unwrap_or_default();
    Answer {
        namespace: namespace(event),
        name: event.name_any(),
        stage: stage(&status),
        problems,
        notes: Vec::new(),
        status,
    }
}

fn stage(status: &SaleEventStatus) -> String {
    let ready = ConditionType::Ready.as_str();
    let ready = status.conditions.iter().find(|one| one.type_ == ready);
    ready.map_or("not looked at yet".to_owned(), |ready| ready.reason.clone())
}

/// What the operator objects to.
fn problems(event: &SaleEvent, source: &Source) -> Vec<Point> {
    let Some(status) = &event.status else {
        return vec![source.unseen("sale")];
    };
    let titles = [
        (ConditionType::Accepted, "The sale is not accepted"),
        (ConditionType::PlanMet, "The plan is not met"),
        (
            ConditionType::Prepared,
            "Something stands in the way of the plan",
        ),
    ];
    let wrong = titles.into_iter().filter_map(|(kind, title)| {
        let condition = status.conditions.iter();
        let mut condition = condition.filter(|one| one.type_ == kind.as_str());
        let condition = condition.find(|one| one.status == "False")?;
        let what = format!("{title}: {}", condition.message);
        let since = Some(condition.last_transition_time.0);
        Some(Point::new(what, &condition.reason, since))
    });
    wrong.collect()
}

/// Phases whose planned pods were not all warm at T0.
fn cold_phases(event: &SaleEvent, sale: &Sale, now: Timestamp) -> Vec<Point> {
    let clusters = event.status.iter().flat_map(|status| &status.clusters);
    let begun = clusters.flat_map(|cluster| {
        let begun = sale
            .phases
            .iter()
            .filter(move |phase| instant(phase.t0) <= now);
        begun.filter_map(move |phase| Some((cluster, told(cluster, phase)?)))
    });
    let cold = begun.filter_map(|(cluster, phase)| {
        let warm = phase
            .warm_at_t0
            .filter(|warm| *warm < phase.planned_replicas)?;
        let what = format!(
            "At T0 of {} only {warm} of {} planned pods of {} were warm",
            phase.name, phase.planned_replicas, cluster.name
        );
        Some(Point::new(what, "PlanLate", Some(phase.t0.0)))
    });
    cold.collect()
}

/// What the operator published of a phase.
pub(super) fn told<'a>(
    cluster: &'a SaleClusterStatus,
    phase: &SalePhase,
) -> Option<&'a SalePhaseStatus> {
    cluster.phases.iter().find(|told| told.name == phase.name)
}

fn page(answer: &Answer, sale: Option<&Sale>, moment: &Moment, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} ({}): {}",
        paint.heading(&answer.name),
        answer.namespace,
        answer.stage
    );
    points(&mut text, &answer.problems, Weight::Wrong, moment, paint);
    points(&mut text, &answer.notes, Weight::Note, moment, paint);
    let Some(sale) = sale else {
        return text;
    };
    let _ = writeln!(text, "{}\n", span_of(sale, moment));
    let header = [
        "CLUSTER", "PHASE", "T0", "PLANNED", "READY", "WARM", "STATE",
    ];
    let mut table = Table::new(&header);
    let mut rows = 0;
    for cluster in &answer.status.clusters {
        let next = sale
            .phases
            .iter()
            .find(|phase| instant(phase.until) > moment.now());
        for phase in &sale.phases {
            let is_next = next.is_some_and(|next| next.name == phase.name);
            table.row(row(cluster, phase, is_next, moment));
            rows += 1;
        }
    }
    if rows > 0 {
        text += &table.render(0);
    } else {
        text += "No plan is published yet; `kubectl floodgate sale plan` makes one.\n";
    }
    text
}

fn span_of(sale: &Sale, moment: &Moment) -> String {
    let (start, end) = (instant(sale.start), over_at(sale));
    let (verb, at) = if start > moment.now() {
        ("starts", start)
    } else if end > moment.now() {
        ("ends", end)
    } else {
        ("ended", end)
    };
    format!("{verb} {}, at {}", moment.relative(at), moment.instant(at))
}

/// Ready and warm are counts of now for the phase that runs or comes next, of T0 for those begun.
fn row(
    cluster: &SaleClusterStatus,
    phase: &SalePhase,
    is_next: bool,
    moment: &Moment,
) -> Vec<String> {
    let told = told(cluster, phase);
    let number = |number: Option<i32>| number.map_or(String::new(), |number| number.to_string());
    let t0 = instant(phase.t0);
    let begun = t0 <= moment.now();
    let over = instant(phase.until) <= moment.now();
    let (ready, warm) = if is_next {
        (Some(cluster.ready), Some(cluster.warm))
    } else {
        (
            told.and_then(|told| told.ready_at_t0),
            told.and_then(|told| told.warm_at_t0),
        )
    };
    let state = match told {
        None => "not planned yet".to_owned(),
        Some(_) if over => "over".to_owned(),
        Some(told) if begun && told.planned_replicas_at(moment.now()) > cluster.warm => {
            let missing = told.planned_replicas_at(moment.now()) - cluster.warm;
            format!("runs; {missing} not warm")
        }
        Some(told) if begun => match told.warm_at_t0 {
            Some(at_t0) => format!("runs; {at_t0} of {} were warm at T0", told.planned_replicas),
            None => "runs".to_owned(),
        },
        Some(told) if told.prescale_start.0 > moment.now() => {
            format!("put up {}", moment.relative(told.prescale_start.0))
        }
        Some(told) if !is_next => format!("{} planned", told.planned_replicas),
        Some(told) => match told.planned_replicas_at(moment.now()) - cluster.warm {
            ..=0 => "warm".to_owned(),
            missing => format!("{missing} not warm yet"),
        },
    };
    vec![
        cluster.name.clone(),
        phase.name.clone(),
        format!("{}, {}", moment.instant(t0), moment.relative(t0)),
        number(told.map(|told| told.planned_replicas_at(moment.now()))),
        number(ready),
        number(warm),
        state,
    ]
}
