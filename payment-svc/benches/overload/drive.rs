//! The load: open-loop with exponential gaps, latency counted from the time a request was due.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use rand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

/// An answer after this time is no use to the client.
const DEADLINE: Duration = Duration::from_secs(1);
/// Requests one connection carries.
const PER_CONNECTION: u32 = 8;
/// Time at the start that is not counted.
const SETTLE: Duration = Duration::from_secs(2);

/// Shares of the classes, percent.
#[derive(Clone, Copy)]
pub struct Mix(pub [u32; 4]);

impl Default for Mix {
    fn default() -> Self {
        Self([5, 35, 30, 30])
    }
}

/// What came of it, per class where it matters.
#[derive(Default)]
pub struct Outcome {
    sent: [u64; 4],
    good: [u64; 4],
    latencies_ms: Vec<f64>,
    counted: Duration,
    /// Refusals without Retry-After.
    pub bare_refusals: u64,
    /// Levels that refusals named.
    pub levels: BTreeSet<String>,
}

impl Outcome {
    /// Answers in time, per second.
    pub fn good_rps(&self) -> f64 {
        self.good.iter().sum::<u64>() as f64 / self.counted.as_secs_f64()
    }

    /// Share of each class that was answered in time.
    pub fn class_success(&self) -> [f64; 4] {
        std::array::from_fn(|class| self.good[class] as f64 / (self.sent[class].max(1)) as f64)
    }

    /// Quantile of the latency of what was served.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let mut all = self.latencies_ms.clone();
        all.sort_by(f64::total_cmp);
        let index = (quantile * all.len() as f64) as usize;
        all.get(index.min(all.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

struct Answer {
    status: u16,
    head: String,
}

/// Requests per second of `clients` that send one after the other.
pub async fn closed(addr: SocketAddr, clients: usize, time: Duration) -> f64 {
    let start = Instant::now();
    let counts = (0..clients).map(|_| async move {
        let mut count = 0u32;
        while start.elapsed() < time {
            let Ok(mut connection) = TcpStream::connect(addr).await else {
                continue;
            };
            for _ in 0..PER_CONNECTION {
                if ask(&mut connection, 1, 1).await.is_ok() && start.elapsed() < time {
                    count += 1;
                }
            }
        }
        count
    });
    let counts = futures::future::join_all(counts).await;
    f64::from(counts.iter().sum::<u32>()) / time.as_secs_f64()
}

/// Sends `rate_rps` for `time`.
pub async fn open(addr: SocketAddr, rate_rps: f64, time: Duration, mix: Mix) -> Outcome {
    let outcome = Rc::new(RefCell::new(Outcome {
        counted: time.saturating_sub(SETTLE),
        ..Outcome::default()
    }));
    let idle = Rc::new(RefCell::new(Vec::new()));
    let local = LocalSet::new();
    let start = Instant::now();
    let mut due = start;
    local
        .run_until(async {
            let mut running = Vec::new();
            loop {
                let gap_s = -rand::rng().random_range(f64::EPSILON..1.0f64).ln() / rate_rps;
                due += Duration::from_secs_f64(gap_s);
                if due > start + time {
                    break;
                }
                sleep_until(due).await;
                let counted = due > start + SETTLE;
                let (idle, outcome) = (Rc::clone(&idle), Rc::clone(&outcome));
                running.push(tokio::task::spawn_local(async move {
                    let class = pick(mix);
                    let answer = timeout(DEADLINE * 2, one(addr, &idle, class)).await;
                    if counted {
                        note(&mut outcome.borrow_mut(), class, due, answer.ok().flatten());
                    }
                }));
            }
            for task in running {
                task.await.expect("a request does not panic");
            }
        })
        .await;
    outcome.take()
}

fn note(outcome: &mut Outcome, class: usize, due: Instant, answer: Option<Answer>) {
    outcome.sent[class] += 1;
    let Some(answer) = answer else { return };
    let took = due.elapsed();
    if answer.status == 201 {
        outcome.latencies_ms.push(took.as_secs_f64() * 1e3);
        outcome.good[class] += u64::from(took <= DEADLINE);
        return;
    }
    let head = answer.head.to_ascii_lowercase();
    outcome.bare_refusals += u64::from(!head.contains("\r\nretry-after: "));
    if let Some((_, rest)) = head.split_once("x-pay-degrade-level: ") {
        outcome.levels.insert(rest.chars().take(1).collect());
    }
}

fn pick(mix: Mix) -> usize {
    let mut left = rand::rng().random_range(0..mix.0.iter().sum::<u32>());
    for (class, share) in mix.0.iter().enumerate() {
        if left < *share {
            return class;
        }
        left -= share;
    }
    3
}

type Idle = RefCell<Vec<(TcpStream, u32)>>;

async fn one(addr: SocketAddr, idle: &Idle, class: usize) -> Option<Answer> {
    let reused = idle.borrow_mut().pop();
    let (mut connection, used) = match reused {
        Some(connection) => connection,
        None => (TcpStream::connect(addr).await.ok()?, 0),
    };
    let user = rand::rng().random_range(0..100_000);
    let answer = ask(&mut connection, class, user).await.ok()?;
    if used + 1 < PER_CONNECTION {
        idle.borrow_mut().push((connection, used + 1));
    }
    Some(answer)
}

async fn ask(connection: &mut TcpStream, class: usize, user: u32) -> std::io::Result<Answer> {
    let request = format!("GET /pay?c={class}&k={user} HTTP/1.1\r\nhost: bench\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut read = Vec::with_capacity(1_024);
    loop {
        if connection.read_buf(&mut read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split("\r\n").next()?.parse::<usize>().ok())
            .unwrap_or(0);
        if body.len() >= length {
            let status = head
                .get(9..12)
                .and_then(|code| code.parse().ok())
                .unwrap_or(0);
            return Ok(Answer {
                status,
                head: head.to_owned(),
            });
        }
    }
}
