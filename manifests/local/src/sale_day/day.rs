//! The day itself: deploy what it needs, then run script, load and observer side by side.
//!
//! Whatever way the day ends, Prometheus runs again afterwards.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{MissedTickBehavior, interval};

use super::actions::{self, PodCounts};
use super::api::Api;
use super::assemble::{Broken, Injected, Record, assemble};
use super::live::Live;
use super::observe::{self, Seen};
use super::report::{Event, Override, Report};
use super::timeline::{Timeline, local};
use super::traffic::{self, Files, Load, TrafficError};
use super::{Args, Steps, deploy, machine, script};
use crate::Cluster;
use crate::error::{Cause, StepError};

/// From starting the generator to second 0: enough for it to read its plan.
const LEAD_IN: SignedDuration = SignedDuration::from_secs(3);
/// The pods are asked this long before T0, seconds, so that the answers are in by then.
const COUNT_BEFORE_T0_S: f64 = 1.0;

/// Deploys what the day needs, runs the day and judges it.
pub async fn run(cluster: &Cluster, args: &Args, steps: &Steps) -> Result<Report, StepError> {
    let seed = args
        .seed
        .unwrap_or_else(|| Timestamp::now().as_second().unsigned_abs());
    let (curve, history) = deploy::curve(args.trace.as_deref(), seed)
        .map_err(|error| steps.error("history", error))?;
    let programs = programs(args).map_err(|error| steps.error("programs", error))?;
    if !cluster.is_up().await {
        return Err(steps.error(
            "cluster",
            "the local cluster is not up; run `floodgate-local up` first",
        ));
    }
    let api = Api::connect(cluster)
        .await
        .map_err(|error| steps.error("apiserver", error))?;
    steps.take("clear", deploy::clear(cluster)).await?;
    steps
        .take("history", deploy::backfill(cluster, &curve, &args.out))
        .await?;
    steps
        .take("operator", deploy::operator(cluster, &api))
        .await?;
    steps
        .take("ledger", deploy::ledger(cluster, &programs))
        .await?;
    steps
        .take("checkout", deploy::checkout(cluster, &api))
        .await?;
    let target = deploy::target(&api)
        .await
        .map_err(|error| steps.error("target", error))?;

    let timeline = Timeline::new(Timestamp::now() + LEAD_IN);
    let files = Files::below(&args.out);
    let plan = script::load_plan(&curve, &target, timeline.instant(0.0), seed);
    let load = Load::start(&programs, files.clone(), &plan, timeline.clone())
        .map_err(|error| steps.error("load", error))?;
    let day = Day {
        cluster,
        api: &api,
        timeline: &timeline,
        live: Live::begin(),
    };
    let recorded = tokio::select! {
        recorded = day.run_script(load) => recorded,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    day.live.end();
    let mut record = match recorded {
        Ok(record) => record,
        Err(error) => {
            let failed = steps.error("day", error);
            // The outage may be under way; a second failure would only hide the first.
            let _restarted = cluster.prometheus_start().await;
            return Err(failed);
        }
    };
    let audited = audit(&programs, &files, cluster, &mut record);
    steps.take("audit", audited).await?;
    record.machine = machine::describe(&timeline, &history, seed);
    record.timeline = timeline.finish();
    Ok(assemble(record))
}

async fn audit(
    programs: &std::path::Path,
    files: &Files,
    cluster: &Cluster,
    record: &mut Record,
) -> Result<String, TrafficError> {
    record.money = traffic::audit(programs, files, &cluster.shard_urls()).await?;
    let found = record.money.recorded.zip(record.money.acked);
    Ok(found.map_or("no figures".to_owned(), |(recorded, acked)| {
        format!("{recorded} of {acked} acknowledged payments are in the ledger")
    }))
}

/// The folder of the programs: the given one, or where this program lies.
fn programs(args: &Args) -> std::io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = args
        .programs
        .clone()
        .or_else(|| own.parent().map(PathBuf::from));
    let folder = folder.unwrap_or_default();
    for name in ["payment-svc", "payment-load"] {
        let path = folder.join(name);
        std::fs::metadata(&path).map_err(|error| {
            std::io::Error::new(
                error.kind(),
                format!("{} is missing: {error}", path.display()),
            )
        })?;
    }
    Ok(folder)
}

/// The day under way.
struct Day<'day> {
    cluster: &'day Cluster,
    api: &'day Api,
    timeline: &'day Timeline,
    live: Live,
}

impl Day<'_> {
    /// Runs script, load and observer to the end of the load.
    async fn run_script(&self, load: Load) -> Result<Record, Cause> {
        let mut record = Record::default();
        let acted = async {
            self.act(&mut record).await?;
            Ok::<_, Cause>(())
        };
        let loaded = async { load.follow().await.map_err(Cause::from) };
        let summary = tokio::select! {
            // The observer never ends by itself.
            () = self.watch() => Err("the observer ended".into()),
            both = async { tokio::try_join!(acted, loaded) } => both.map(|((), summary)| summary),
        }?;
        record.summary = summary;
        Ok(record)
    }

    /// Looks at the cluster once a second.
    async fn watch(&self) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            seconds.tick().await;
            let t_s = self.timeline.now_s().floor() as i64;
            let seen = Seen::look(self.api).await;
            if t_s >= 0 && (t_s as f64) < script::END_S {
                let row = self.timeline.observe(t_s, &seen);
                self.live
                    .show(t_s, &row, self.timeline.load_latest().as_ref());
            }
        }
    }

    /// Carries out the script.
    async fn act(&self, record: &mut Record) -> Result<(), Cause> {
        actions::announce(self.cluster, self.timeline).await?;
        self.live.print(&format!(
            "SaleEvent {}: tenfold load at {}",
            observe::SALE,
            local(self.timeline.instant(script::T0_S))
        ));
        self.until(script::OVERRIDE_AT_S).await;
        self.set_override(record).await?;
        self.outage(record).await?;
        self.count_pods_at_t0(record).await;
        self.until(script::OPERATOR_KILL_S).await;
        let at_s = self.timeline.now_s();
        let pod = actions::kill_operator(self.cluster, self.api).await?;
        self.fault(
            record,
            Broken::Operator,
            at_s,
            &format!("operator pod {pod} killed"),
        );
        self.until(script::PAYMENT_KILL_S).await;
        let at_s = self.timeline.now_s();
        let pod = actions::kill_payment_pod(self.cluster, self.api).await?;
        self.fault(
            record,
            Broken::PaymentPod,
            at_s,
            &format!("payment pod {pod} killed"),
        );
        for (at_s, label) in [
            (
                script::OVERLOAD_S,
                "second wave: beyond what max replicas hold",
            ),
            (script::AFTER_S, "back to the base load"),
        ] {
            self.until(at_s).await;
            self.note(record, at_s, label);
        }
        Ok(())
    }

    async fn set_override(&self, record: &mut Record) -> Result<(), Cause> {
        let set_at_s = self.timeline.now_s();
        let until_s = (set_at_s + script::OVERRIDE_FOR_S).ceil();
        let until = self.timeline.instant(until_s);
        actions::annotate(self.cluster, until).await?;
        let annotation = actions::override_annotation();
        self.note(
            record,
            set_at_s,
            &format!("{annotation} annotated for {:.0} s", script::OVERRIDE_FOR_S),
        );
        record.override_until_s = until_s;
        record.sre_override = Override {
            annotation,
            set_at_s: Some(set_at_s),
            until: local(until),
            ..Override::default()
        };
        Ok(())
    }

    async fn outage(&self, record: &mut Record) -> Result<(), Cause> {
        self.until(script::OUTAGE_AT_S).await;
        let at_s = self.timeline.now_s();
        self.cluster.prometheus_stop().await?;
        self.note(record, at_s, "Prometheus stopped");
        self.until(script::OUTAGE_END_S).await;
        self.cluster.prometheus_start().await?;
        let repaired_s = self.timeline.now_s();
        self.note(record, repaired_s, "Prometheus started again");
        record.faults.push(Injected {
            what: Broken::Prometheus,
            at_s,
            repaired_s,
        });
        Ok(())
    }

    async fn count_pods_at_t0(&self, record: &mut Record) {
        self.until(script::T0_S - COUNT_BEFORE_T0_S).await;
        let pods = actions::count_pods(self.api).await;
        record.pods_at_t0 = Some(pods);
        self.until(script::T0_S).await;
        let PodCounts { ready, warm } = pods;
        self.note(record, script::T0_S, "T0: tenfold load");
        self.live.print(&format!(
            "{ready} pods ready, {warm} report themselves warm"
        ));
    }

    fn fault(&self, record: &mut Record, what: Broken, at_s: f64, label: &str) {
        self.note(record, at_s, label);
        record.faults.push(Injected {
            what,
            at_s,
            repaired_s: at_s,
        });
    }

    fn note(&self, record: &mut Record, at_s: f64, label: &str) {
        self.live.print(label);
        record.events.push(Event {
            at_s,
            label: label.to_owned(),
        });
    }

    async fn until(&self, t_s: f64) {
        let left_s = t_s - self.timeline.now_s();
        if left_s > 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(left_s)).await;
        }
    }
}
