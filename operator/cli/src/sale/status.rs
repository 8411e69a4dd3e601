//! `sale status`: the pods of a sale against its plan.

use std::fmt::Write;

use clap::Args;
use floodgate_api::sale::status::{SaleClusterStatus, SalePhaseStatus};
use floodgate_api::{SaleEvent, SaleEventStatus};
use floodgate_planner::{Sale, SalePhase};
use floodgate_words::{ConditionType, Reason};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::error::SaleError;
use super::phase::{cold, instant, over_at, published};
use super::picked::{self, PickedSale};
use crate::access::AccessArgs;
use crate::colour;
use crate::exit::Exit;
use crate::line::chain;
use crate::moment::Moment;
use crate::point::{Point, Weight, points};
use crate::query::{QueryArgs, Source, namespace_of};
use crate::status::judge::find;
use crate::table::{Table, cell};

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    query: QueryArgs,
}

/// A sale against its plan, as `-o json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SaleProgress {
    namespace: String,
    name: String,
    /// `Scheduled`, `Prescaling`, `Running`, `Completed`, or why it is not ready.
    stage: String,
    problems: Vec<Point>,
    /// What is only worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Point>,
    status: SaleEventStatus,
    /// As the planner takes it; none where it is not valid.
    #[serde(skip)]
    sale: Option<Sale>,
}

pub async fn run(args: &StatusArgs, access: &AccessArgs) -> Result<Exit, SaleError> {
    let moment = args.query.moment();
    let picked = picked::find(&args.query, access).await?;
    let answers = picked.sales.into_iter().map(|one| SaleProgress {
        notes: args.query.age([&one.event], &moment).into_iter().collect(),
        ..progress(one, &picked.source, moment.now())
    });
    let answers: Vec<SaleProgress> = answers.collect();
    let page = |one: &SaleProgress| page(one, &moment);
    args.query.print_pages("sales", &answers, page)?;
    let wrong = answers.iter().any(|one| !one.problems.is_empty());
    Ok(Exit::wrong_if(wrong || picked.hides_one))
}

fn progress(one: PickedSale, source: &Source, now: Timestamp) -> SaleProgress {
    let PickedSale { event, sale } = one;
    let mut problems = problems(&event, source);
    match &sale {
        Ok(sale) => problems.extend(cold_phases(&event, sale, now)),
        Err(error) => {
            let remedy = "correct the SaleEvent; until then nothing new is planned for it";
            let point = Point::new(chain(error), "InvalidSpec", None).with_remedy(remedy);
            problems.insert(0, point);
        }
    }
    let namespace = namespace_of(&event);
    let name = event.name_any();
    let status = event.status.unwrap_or_default();
    SaleProgress {
        namespace,
        name,
        stage: stage(&status),
        problems,
        notes: Vec::new(),
        status,
        sale: sale.ok(),
    }
}

fn stage(status: &SaleEventStatus) -> String {
    let ready = find(&status.conditions, ConditionType::Ready);
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
        (ConditionType::Prepared, "Something blocks the plan"),
    ];
    let wrong = titles.into_iter().filter_map(|(kind, title)| {
        let condition = find(&status.conditions, kind)?;
        let condition = Some(condition).filter(|one| one.status == "False")?;
        let what = format!("{title}: {}", condition.message);
        let since = Some(condition.last_transition_time.0);
        Some(Point::new(what, &condition.reason, since))
    });
    wrong.collect()
}

/// Phases whose planned pods were not all warm at T0.
fn cold_phases(event: &SaleEvent, sale: &Sale, now: Timestamp) -> Vec<Point> {
    let mut points = Vec::new();
    for cluster in event.status.iter().flat_map(|status| &status.clusters) {
        let begun = sale.phases.iter().filter(|phase| instant(phase.t0) <= now);
        points.extend(begun.filter_map(|phase| {
            let phase = published(cluster, phase)?;
            let what = cold(cluster, phase)?;
            Some(Point::new(
                what,
                Reason::PlanLate.as_str(),
                Some(phase.t0.0),
            ))
        }));
    }
    points
}

fn page(progress: &SaleProgress, moment: &Moment) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} ({}): {}",
        colour::heading(&progress.name),
        progress.namespace,
        progress.stage
    );
    points(&mut text, &progress.problems, Weight::Wrong, moment);
    points(&mut text, &progress.notes, Weight::Note, moment);
    let Some(sale) = &progress.sale else {
        return text;
    };
    let _ = writeln!(text, "{}\n", span_of(sale, moment));
    let header = [
        "CLUSTER", "PHASE", "T0", "PLANNED", "READY", "WARM", "STATE",
    ];
    let mut table = Table::new(&header);
    let ahead = |phase: &&SalePhase| instant(phase.until) > moment.now();
    let next = sale.phases.iter().find(ahead);
    for cluster in &progress.status.clusters {
        for phase in &sale.phases {
            let is_next = next.is_some_and(|next| next.name == phase.name);
            table.row(row(cluster, phase, is_next, moment));
        }
    }
    if table.is_empty() {
        text += "No plan is published yet; `kubectl floodgate sale plan` makes one.\n";
    } else {
        text += &table.render();
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
) -> [String; 7] {
    let published = published(cluster, phase);
    let t0 = instant(phase.t0);
    let (ready, warm) = if is_next {
        (Some(cluster.ready), Some(cluster.warm))
    } else {
        (
            published.and_then(|phase| phase.ready_at_t0),
            published.and_then(|phase| phase.warm_at_t0),
        )
    };
    let over = instant(phase.until) <= moment.now();
    let state = match published {
        None => "not planned yet".to_owned(),
        Some(_) if over => "over".to_owned(),
        Some(published) => state(published, cluster.warm, is_next, moment),
    };
    [
        cluster.name.clone(),
        phase.name.clone(),
        format!("{}, {}", moment.instant(t0), moment.relative(t0)),
        cell(published.map(|phase| phase.planned_replicas_at(moment.now()))),
        cell(ready),
        cell(warm),
        state,
    ]
}

/// State of a phase that is planned and not over.
fn state(phase: &SalePhaseStatus, warm: i32, is_next: bool, moment: &Moment) -> String {
    let missing = phase.planned_replicas_at(moment.now()) - warm;
    let prescale = phase.prescale_start.0;
    let begun = phase.t0.0 <= moment.now();
    match phase.warm_at_t0 {
        _ if begun && missing > 0 => format!("runs; {missing} not warm"),
        Some(at_t0) if begun => {
            format!(
                "runs; {at_t0} of {} were warm at T0",
                phase.planned_replicas
            )
        }
        None if begun => "runs".to_owned(),
        _ if prescale > moment.now() => format!("pre-scale {}", moment.relative(prescale)),
        _ if !is_next => format!("{} planned", phase.planned_replicas),
        _ if missing > 0 => format!("{missing} not warm yet"),
        _ => "warm".to_owned(),
    }
}
