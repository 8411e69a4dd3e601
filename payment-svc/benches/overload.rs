//! Goodput of the gate under a real CPU quota, at several times the capacity.
//!
//! `cargo bench -p payment-svc --bench overload` starts a small service (router, gate and control
//! port as in the pods; a handler that burns CPU and waits for a store) in a control group with
//! 100m and drives it open-loop: requests are sent when they are due, whatever became of those
//! before. It prints shares of the capacity measured first, and ends with 1 when a mark is missed.
//! A number after `--` measures that load alone. Needs root and a writable `cpu` controller; without, it says so and measures nothing.

mod overload {
    pub mod cost;
    pub mod drive;
    pub mod quota;
    pub mod service;
}

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use overload::drive::{self, Mix, Outcome};
use overload::quota::QuotaGroup;

/// Environment variable that makes this program the service.
const SERVICE_ENV: &str = "OVERLOAD_BENCH_SERVICE";
/// CPU of the service, milli-cores: that of a pod in the demo.
const QUOTA_MILLI: u32 = 100;
/// Load over capacity and the least goodput over capacity. What a refusal costs sets the ceiling:
/// at ten times the load nine of ten requests are refused, for some 25 us each of a request's 480,
/// and whatever else the machine does shows first there.
const MARKS: [(f64, f64); 5] = [
    (0.6, 0.57),
    (0.9, 0.80),
    (2.0, 0.80),
    (3.0, 0.80),
    (10.0, 0.10),
];
/// Time one load is held; the first two seconds are not counted.
const HOLD: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    if let Ok(mode) = std::env::var(SERVICE_ENV) {
        overload::service::serve(&mode);
        return ExitCode::SUCCESS;
    }
    overload::cost::print();
    let group = match QuotaGroup::create(QUOTA_MILLI) {
        Ok(group) => group,
        Err(error) => {
            println!("not measured: no control group with a CPU quota ({error})");
            return ExitCode::SUCCESS;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut missed = 0;
    for workers in ["1", "2"] {
        missed += measure(&group, &runtime, workers);
    }
    ExitCode::from(u8::from(missed > 0))
}

/// Starts a service in the group; it prints its address when it listens.
fn start(group: &QuotaGroup, mode: &str) -> (Child, SocketAddr) {
    let program = std::env::current_exe().expect("own path");
    let mut child = Command::new(program)
        .env(SERVICE_ENV, mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the service starts");
    group.adopt(child.id()).expect("moved to the group");
    let go = child.stdin.as_mut().expect("piped").write_all(b"go\n");
    go.expect("the service waits to be moved before it reads its quota");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    let addr = line.trim().parse().expect("an address");
    (child, addr)
}

fn measure(group: &QuotaGroup, runtime: &tokio::runtime::Runtime, workers: &str) -> u32 {
    let (mut child, addr) = start(group, &format!("{workers},open"));
    let capacity_rps = runtime.block_on(drive::closed(addr, 12, HOLD / 2));
    child.kill().expect("stopped");
    child.wait().expect("ended");
    println!("{QUOTA_MILLI}m, {workers} worker(s): capacity {capacity_rps:.0} req/s");
    println!(
        "  load  goodput/C  class 0    1      2      3   p50 ms  p99 ms  no-retry-after  levels"
    );
    let mut missed = 0;
    let only = std::env::args().find_map(|word| word.parse::<f64>().ok());
    let chosen = |(load, _): &(f64, f64)| only.is_none_or(|only| (only - load).abs() < 1e-9);
    for (load, least_goodput) in MARKS.into_iter().filter(chosen) {
        let (mut child, addr) = start(group, &format!("{workers},gated"));
        // What a pod does before traffic comes: some seconds of base load.
        runtime.block_on(drive::open(
            addr,
            0.4 * capacity_rps,
            HOLD / 4,
            Mix::default(),
        ));
        let outcome =
            runtime.block_on(drive::open(addr, load * capacity_rps, HOLD, Mix::default()));
        child.kill().expect("stopped");
        child.wait().expect("ended");
        missed += u32::from(!print(load, capacity_rps, least_goodput, &outcome));
    }
    missed
}

fn print(load: f64, capacity_rps: f64, least_goodput: f64, outcome: &Outcome) -> bool {
    let goodput = outcome.good_rps() / capacity_rps;
    let share = outcome.class_success();
    let held = goodput >= least_goodput && outcome.bare_refusals == 0;
    println!(
        "  {load:>4.1}  {goodput:>9.2}  {:>7.3} {:>6.3} {:>6.3} {:>6.3} {:>7.0} {:>7.0}  {:>14}  {:?}{}",
        share[0],
        share[1],
        share[2],
        share[3],
        outcome.quantile_ms(0.5),
        outcome.quantile_ms(0.99),
        outcome.bare_refusals,
        outcome.levels,
        if held { "" } else { "  MISSED" },
    );
    held
}
