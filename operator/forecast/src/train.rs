//! One lead bucket: rows, members, rolling validation, weights and bound.
//!
//! The validation walks through the newest part of the rows in stages; at each stage a member is
//! fitted only on rows whose target lies before the stage, as it would have been at the time.

use std::f64::consts::LN_2;

use crate::{
    blend::{self, mixed},
    conformal::Bound,
    events::EventView,
    features::{self, Season},
    model::Bucket,
    residual::{LeadPoint, Residual},
    ridge::{Rows, Sums, predict},
    view::{Unit, View},
};

/// Ends of the stages of the rolling validation, as shares of the rows.
const STAGES: [f64; 6] = [0.4, 0.52, 0.64, 0.76, 0.88, 1.0];
/// Rows of one bucket; with more, origins are thinned out evenly to bound the time of a fit.
const ROWS_MAX: usize = 8_192;
/// Fewest rows for each column of a member: with fewer it would follow the noise.
const ROWS_PER_COLUMN: usize = 3;
/// Judged rows that set the weights.
const JUDGED_MAX: usize = 1_500;
/// A member must lower the error by this share to gain weight, so that the search ends.
const GAIN_MIN: f64 = 1e-4;
/// Upper bound of a bucket without residuals, as a factor in log space: about threefold.
const WIDE_LOG: f64 = 1.1;
/// Penalty of the calm member beside the keen one, as a factor.
const CALM: f64 = 300.0;
/// A history of fewer weeks is short.
const SHORT_WEEKS: usize = 3;
/// Age at which a row counts half, days, for leads up to so many seconds: how the next minutes
/// follow the last ones changes sooner than the shape of a day.
const HALF_LIVES: [(u32, f64); 3] = [(3_600, 14.0), (14_400, 28.0), (u32::MAX, 100.0)];

/// What all buckets share.
pub(crate) struct Trainer<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) events: Option<&'a EventView<'a>>,
    pub(crate) unit: Unit,
    pub(crate) season: Season,
    /// Penalty of the keen member.
    pub(crate) lambda: f64,
    /// The upper quantile, 0..1.
    pub(crate) share: f64,
}

/// Where a row comes from, in blocks.
#[derive(Clone, Copy)]
struct Place {
    origin: usize,
    lead: usize,
}

/// A linear member: some columns of the rows, with a penalty.
struct Member {
    columns: Vec<usize>,
    lambda: f64,
}

/// What the members said, regressions first, about a row that none of them had seen.
struct Verdict {
    index: usize,
    said: Vec<f64>,
}

impl Trainer<'_> {
    /// Fits the bucket for leads of `lead_min..=lead_max` blocks.
    pub(crate) fn bucket(&self, lead_s_max: u32, lead_min: usize, lead_max: usize) -> Bucket {
        let (rows, places) = self.rows(lead_min, lead_max);
        let members = self.members(&rows);
        let weight = self.fading(lead_s_max, &places);
        let mut sums = Sums::new(&rows);
        let verdicts = self.validate(&mut sums, &members, &places, &weight);
        sums.grow(rows.len(), &weight);
        let fitted = solve_all(&sums, &members).filter(|_| !verdicts.is_empty());
        let Some(mut fitted) = fitted else {
            let mut coefficients = repeating(self.season.naive());
            coefficients.resize(self.season.columns(), 0.0);
            let bound = Bound::wide(WIDE_LOG);
            let ridge_share = 0.0;
            return Bucket {
                lead_s_max,
                coefficients,
                ridge_share,
                bound,
            };
        };
        let repeated = self.repeated();
        fitted.extend(repeated.iter().map(|column| repeating(*column)));
        let weights = self.weights(&rows, &verdicts);
        let mut coefficients = vec![0.0; rows.width()];
        for (member, weight) in fitted.iter().zip(&weights) {
            for (sum, value) in coefficients.iter_mut().zip(member) {
                *sum += weight * value;
            }
        }
        let residuals = verdicts
            .iter()
            .map(|verdict| self.residual(&rows, &places, verdict, &weights));
        let residuals: Vec<Residual> = residuals.collect();
        let bound = Bound::calibrate(self.view, self.unit, &residuals, self.share);
        Bucket {
            lead_s_max,
            coefficients,
            ridge_share: weights[..members.len()].iter().sum(),
            bound: bound.unwrap_or(Bound::wide(WIDE_LOG)),
        }
    }

    fn residual(
        &self,
        rows: &Rows,
        places: &[Place],
        verdict: &Verdict,
        weights: &[f64],
    ) -> Residual {
        let Place { origin, lead } = places[verdict.index];
        let predicted = mixed(&verdict.said, weights);
        let truth = rows.target(verdict.index);
        Residual {
            point: LeadPoint {
                origin,
                lead,
                lift: self.events.map_or(0.0, |events| events.lift(origin + lead)),
                predicted,
            },
            truth,
            p50_rps: self.unit.rate(predicted),
            truth_rps: self.unit.rate(truth),
        }
    }

    /// The members that the first stage has rows enough for.
    fn members(&self, rows: &Rows) -> Vec<Member> {
        let all = || (0..rows.width()).collect();
        let member = |columns: Vec<usize>, lambda: f64| Member { columns, lambda };
        let members = vec![
            member(all(), self.lambda),
            member(all(), self.lambda * CALM),
            member(features::small(self.season, rows.width()), self.lambda),
        ];
        let known = rows.len() as f64 * STAGES[0];
        let enough = |member: &Member| known >= (member.columns.len() * ROWS_PER_COLUMN) as f64;
        members.into_iter().filter(enough).collect()
    }

    /// Columns that members repeat as they are, seasonal naive first; on a short history also last
    /// week moved to the present level, where regressions have few rows to find that.
    fn repeated(&self) -> Vec<usize> {
        let mut columns = vec![self.season.naive()];
        let is_short = self.view.blocks.len() < SHORT_WEEKS * self.view.week;
        if self.season == Season::Weekly && is_short {
            columns.push(features::column::WEEKLY_PROFILE);
        }
        columns
    }

    /// The weight of a row by its index, falling with its age.
    fn fading(&self, lead_s_max: u32, places: &[Place]) -> impl Fn(usize) -> f64 {
        let days = HALF_LIVES
            .iter()
            .find(|(lead_s, _)| lead_s_max <= *lead_s)
            .map_or(f64::INFINITY, |(_, days)| *days);
        let half_life = days * self.view.day as f64;
        let last = self.view.blocks.last();
        move |index| (-LN_2 * (last - places[index].origin) as f64 / half_life).exp()
    }

    fn validate(
        &self,
        sums: &mut Sums,
        members: &[Member],
        places: &[Place],
        weight: &impl Fn(usize) -> f64,
    ) -> Vec<Verdict> {
        let rows = sums.rows();
        let repeated = self.repeated();
        let mut verdicts = Vec::new();
        for stage in STAGES.windows(2) {
            let index = |share: f64| (rows.len() as f64 * share) as usize;
            let (begin, end) = (index(stage[0]), index(stage[1]));
            let Some(first) = places.get(begin) else {
                continue;
            };
            // A target that the fit has seen must not reach into the stage that judges it.
            let known =
                places[..begin].partition_point(|place| place.origin + place.lead <= first.origin);
            sums.grow(known, weight);
            let Some(fitted) = solve_all(sums, members) else {
                continue;
            };
            verdicts.extend((begin..end).map(|index| {
                let row = rows.row(index);
                let mut said: Vec<f64> = fitted.iter().map(|one| predict(one, row)).collect();
                said.extend(repeated.iter().map(|column| row[*column]));
                Verdict { index, said }
            }));
        }
        verdicts
    }

    /// Weights of the members by the absolute error they would have made, in requests/s.
    fn weights(&self, rows: &Rows, verdicts: &[Verdict]) -> Vec<f64> {
        let members = verdicts.first().map_or(1, |verdict| verdict.said.len());
        let thinning = verdicts.len().div_ceil(JUDGED_MAX).max(1);
        let judged: Vec<(Vec<f64>, f64)> = verdicts
            .iter()
            .step_by(thinning)
            .map(|Verdict { index, said }| {
                let said_rps = said.iter().map(|log| self.unit.rate(*log)).collect();
                (said_rps, self.unit.rate(rows.target(*index)))
            })
            .collect();
        blend::weights(members, GAIN_MIN, |weights| {
            let off = |(said_rps, truth_rps): &(Vec<f64>, f64)| {
                (mixed(said_rps, weights) - truth_rps).abs()
            };
            judged.iter().map(off).sum()
        })
    }

    /// One row per origin; the lead rotates through the bucket from origin to origin.
    fn rows(&self, lead_min: usize, lead_max: usize) -> (Rows, Vec<Place>) {
        let blocks = self.view.blocks;
        let leads = lead_max - lead_min + 1;
        let first = self.season.first_origin(blocks);
        let end = blocks.len().saturating_sub(lead_min);
        let thinning = end.saturating_sub(first).div_ceil(ROWS_MAX).max(1);
        let mut rows = Rows::default();
        let mut places = Vec::new();
        for (count, origin) in (first..end).step_by(thinning).enumerate() {
            let lead = lead_min + count % leads;
            let Some(truth) = blocks.observed(origin + lead) else {
                continue;
            };
            let row = features::row(self.view, self.events, self.season, origin, lead);
            rows.push(&row, self.unit.log(truth));
            places.push(Place { origin, lead });
        }
        (rows, places)
    }
}

fn solve_all(sums: &Sums, members: &[Member]) -> Option<Vec<Vec<f64>>> {
    let fitted = members
        .iter()
        .map(|member| sums.solve(&member.columns, member.lambda));
    fitted.collect()
}

/// Coefficients of a member that repeats one column.
fn repeating(column: usize) -> Vec<f64> {
    let mut coefficients = vec![0.0; column + 1];
    coefficients[column] = 1.0;
    coefficients
}
