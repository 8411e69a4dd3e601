//! `floodgate-tune sample`: a made-up load with two sales and with peaks that nobody announces, to
//! rehearse with before there is a recorded one. The same seed gives the same rows everywhere.

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::TuneError;
use crate::output;

const STEP_S: i64 = 300;
const DAY_S: i64 = 86_400;
const DAYS: i64 = 35;
/// Friday, 9 October 2026, 00:00 in the zone of the shop, UTC+8.
const START_S: i64 = 1_791_475_200;
/// Mean of a usual day, requests/s.
const MEAN_RPS: f64 = 400.0;
/// Rows without a value, from the start: the metrics store was down for half an hour.
const GAP: std::ops::Range<i64> = 2_530..2_536;
/// Share of the noise that a row hands on to the next.
const DRIFT: f64 = 0.85;
/// Half width of what comes anew with each row, as a share of the load.
const NOISE: f64 = 0.02;

/// Lanes of chance: one number a row, three a day.
const LANE_PUSH: i64 = 1_000_000;
const LANE_TIME: i64 = 2_000_000;
const LANE_HEIGHT: i64 = 3_000_000;

/// More load than usual from one second on.
struct Surge {
    /// When it begins, from the start.
    t0_s: i64,
    /// How many times the usual load comes at its height, right then.
    factor: f64,
    /// Half of what it adds is gone after this long.
    half_life_s: f64,
}

/// The evening of 31 October and the midnight of 11 November.
const SALES: [Surge; 2] = [
    Surge {
        t0_s: 22 * DAY_S + 20 * 3_600,
        factor: 2.5,
        half_life_s: 2_700.0,
    },
    Surge {
        t0_s: 33 * DAY_S,
        factor: 12.0,
        half_life_s: 2_400.0,
    },
];

/// Where to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to write the trace.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Seed of the noise.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct Summary {
    rows: usize,
    from: String,
    sales: Vec<String>,
    out: String,
}

pub(crate) fn run(args: &Args, json: bool) -> Result<String, TuneError> {
    let text = trace(args.seed);
    output::write(&args.out, &text)?;
    let summary = Summary {
        rows: text.lines().count() - 1,
        from: instant(0),
        sales: SALES.iter().map(|sale| instant(sale.t0_s)).collect(),
        out: args.out.display().to_string(),
    };
    let line = format!(
        "{}: {} rows of {STEP_S} s from {}; sales at {}",
        summary.out,
        summary.rows,
        summary.from,
        summary.sales.join(" and ")
    );
    output::render(json, &summary, line)
}

/// Requests in each step, at the end of the step.
fn trace(seed: u64) -> String {
    let mut text = "timestamp,value\n".to_owned();
    let surges: Vec<Surge> = SALES.into_iter().chain(pushes(seed)).collect();
    let mut noise = 0.0;
    for step in 1..=DAYS * DAY_S / STEP_S {
        noise = DRIFT * noise + NOISE * unit(seed, step);
        let middle_s = step * STEP_S - STEP_S / 2;
        let requests = load_rps(middle_s, &surges) * (1.0 + noise) * STEP_S as f64;
        let value = if GAP.contains(&step) {
            String::new()
        } else {
            format!("{requests:.0}")
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{},{value}", instant(step * STEP_S));
    }
    text
}

fn instant(since_s: i64) -> String {
    Timestamp::from_second(START_S + since_s).map_or_else(|_| String::new(), |at| at.to_string())
}

/// Messages to every customer that nobody announces to us: on two days of five, between 10:00 and
/// 22:00, and none near a sale.
fn pushes(seed: u64) -> impl Iterator<Item = Surge> {
    let near_sale = |day: i64| {
        SALES
            .iter()
            .any(|sale| (0..=1).contains(&(sale.t0_s / DAY_S - day)))
    };
    let days = (1..DAYS).filter(move |day| unit(seed, LANE_PUSH + day) >= 0.2 && !near_sale(*day));
    days.map(move |day| {
        let row = ((unit(seed, LANE_TIME + day) + 1.0) * 72.0) as i64;
        Surge {
            t0_s: day * DAY_S + 10 * 3_600 + row * STEP_S,
            factor: 3.5 + 0.5 * unit(seed, LANE_HEIGHT + day),
            half_life_s: 900.0,
        }
    })
}

/// The load without noise, requests/s: low at night, two peaks a day, busier at week-ends, and what
/// surges add.
fn load_rps(since_s: i64, surges: &[Surge]) -> f64 {
    let turn = |period_s: i64, peak_s: i64| {
        let share = (since_s - peak_s).rem_euclid(period_s) as f64 / period_s as f64;
        (share * TAU).cos()
    };
    // The first day is a Friday, so the middle of the week-end lies two days after its start.
    let week = 1.0 + 0.08 * turn(7 * DAY_S, 2 * DAY_S);
    let day = 1.0 + 0.42 * turn(DAY_S, 15 * 3_600) + 0.16 * turn(DAY_S / 2, 20 * 3_600 + 1_800);
    let begun = surges.iter().filter(|surge| surge.t0_s <= since_s);
    let added = begun.map(|surge| {
        let halvings = (since_s - surge.t0_s) as f64 / surge.half_life_s;
        (surge.factor - 1.0) * 0.5_f64.powf(halvings)
    });
    MEAN_RPS * week * day * (1.0 + added.sum::<f64>())
}

/// A number in `-1.0..1.0` for a step: the finaliser of `SplitMix64`, so that no release of a crate
/// for random numbers changes the rows.
fn unit(seed: u64, step: i64) -> f64 {
    let mixed = (seed ^ step.cast_unsigned().rotate_left(32)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mixed = mixed ^ (mixed >> 31);
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
