//! What the audit says of true books, and of books with a seeded bug.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use payment_load::audit::{AuditOptions, AuditReport, UNPROVEN, audit};
use payment_load::journal::{Effect, Journal};
use payment_load::plan::Plan;
use payment_load::run::{RunOptions, run};

use crate::bank::{Bank, Faults};
use crate::postgres::{MERCHANTS, Postgres, Shards, USERS};

/// A PostgreSQL with two shards, and the journal of a run against a bank that books into them.
struct Scene {
    postgres: Postgres,
    journal: Journal,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn play(faults: Faults, before: &str) -> Self {
        let postgres = Postgres::start().await;
        for shard in ["shard_0", "shard_1"] {
            postgres.create_shard(shard).await;
            postgres.execute(shard, before).await;
        }
        let shards = Arc::new(Shards::connect(&postgres, ["shard_0", "shard_1"]).await);
        let bank = Bank::open(faults, Some(shards)).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut plan = Plan::constant(bank.target, 150.0, 2.0);
        (plan.users, plan.merchants, plan.deadline_ms) = (USERS, MERCHANTS, 5000);
        let plan = plan.validate(Timestamp::now()).unwrap();
        let options = RunOptions {
            journal: Some(path.clone()),
            ..RunOptions::default()
        };
        run(plan, options, |_| {}).await.unwrap();
        let journal = Journal::read(Path::new(&path)).unwrap();
        assert!(journal.complete);
        Self {
            postgres,
            journal,
            _folder: folder,
        }
    }

    async fn audit(&self, shards: [&str; 2]) -> AuditReport {
        let shards = shards.map(|shard| self.postgres.shard_url(shard)).to_vec();
        let options = AuditOptions {
            shards,
            settle: Duration::from_secs(30),
        };
        audit(&self.journal, &options).await.unwrap()
    }

    /// The audit after SQL was run in a copy of the second shard.
    async fn audit_with_bug(&self, number: usize, sql: &str) -> AuditReport {
        let copy = format!("bug_{number}");
        let create = format!("CREATE DATABASE {copy} TEMPLATE shard_1");
        self.postgres.execute("postgres", &create).await;
        let free = "DROP TRIGGER entries_are_append_only ON entries;
            ALTER TABLE accounts DROP CONSTRAINT no_overdraft;
            ALTER TABLE refunds DROP CONSTRAINT refunds_payment_id_fkey;
            ALTER TABLE payments DROP CONSTRAINT payments_user_id_idempotency_key_key,
                DROP CONSTRAINT refunds_within_payment;";
        self.postgres.execute(&copy, &format!("{free}{sql}")).await;
        self.audit(["shard_0", &copy]).await
    }
}

fn promises(report: &AuditReport) -> Vec<&'static str> {
    let mut promises: Vec<_> = report
        .broken()
        .iter()
        .map(|broken| broken.promise)
        .collect();
    promises.dedup();
    promises
}

/// One acknowledged payment of the run that was not refunded.
const ONE: &str = "(SELECT min(id) FROM payments WHERE refunded_minor = 0)";

/// A bug, the promise it breaks and the count that shows it.
type Bug = (&'static str, &'static str, fn(&AuditReport) -> u64);

const BUGS: &[Bug] = &[
    (
        "DELETE FROM entries WHERE transfer_id = ONE; DELETE FROM payments WHERE id = ONE",
        "P1",
        |report| report.lost,
    ),
    ("UPDATE payments SET merchant_id = 'm-9999' WHERE id = ONE", "P1", |report| report.altered),
    ("UPDATE payments SET amount_minor = amount_minor + 1 WHERE id = ONE", "P1", |report| {
        report.altered
    }),
    ("DELETE FROM refunds WHERE id = (SELECT min(id) FROM refunds)", "P1", |report| {
        report.refunds_lost
    }),
    (
        "INSERT INTO payments SELECT 'pay_twin', user_id, merchant_id, merchant_stripe,
            amount_minor, currency, reference, idempotency_key FROM payments WHERE id = ONE",
        "P2",
        |report| report.doubled,
    ),
    (
        "INSERT INTO entries SELECT transfer_id, leg + 2, account_id, stripe, amount_minor, currency
            FROM entries WHERE transfer_id = ONE",
        "P2",
        |report| report.doubled,
    ),
    (
        "UPDATE payments SET idempotency_key = idempotency_key || '0000000' WHERE id = ONE",
        "P2",
        |report| report.unexplained,
    ),
    (
        "UPDATE entries SET amount_minor = amount_minor + 7 WHERE leg = 1 AND transfer_id = ONE",
        "P3",
        |report| u64::try_from(report.imbalance_minor / 7).unwrap(),
    ),
    (
        // Two wrongs that cancel in the sum over the currency, and not in each transfer.
        "UPDATE entries SET amount_minor = amount_minor + 7 WHERE leg = 1 AND transfer_id = ONE;
         UPDATE entries SET amount_minor = amount_minor - 7 WHERE leg = 0 AND transfer_id = 'open-u-000001'",
        "P3",
        |report| report.unbalanced_transfers / 2,
    ),
    (
        "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE id = 'u-000001'",
        "P3",
        |report| report.balance_mismatches,
    ),
    ("DELETE FROM accounts WHERE id = 'u-000003'", "P3", |report| report.balance_mismatches),
    ("UPDATE accounts SET balance_minor = -1 WHERE id = 'u-000001'", "P3", |report| {
        report.negative_wallets
    }),
    (
        "INSERT INTO entries VALUES ('ghost', 0, 'u-000001', 0, -5, 'CNY'),
            ('ghost', 1, 'm-0001', 0, 5, 'CNY')",
        "P3",
        |report| report.misbooked,
    ),
    (
        "UPDATE entries SET account_id = 'u-000001'
            WHERE leg = 0 AND transfer_id = (SELECT min(id) FROM payments WHERE user_id <> 'u-000001')",
        "P3",
        |report| report.misbooked,
    ),
    ("UPDATE payments SET refunded_minor = amount_minor + 1 WHERE id = ONE", "P5", |report| {
        report.refund_breaches
    }),
    ("UPDATE payments SET refunded_minor = 1 WHERE id = ONE", "P5", |report| {
        report.refund_breaches
    }),
];

/// P1, P2, P3, P5: true books pass, and each seeded bug is caught and named.
#[tokio::test(flavor = "multi_thread")]
async fn true_books_pass_and_every_seeded_bug_is_caught() {
    let faults = Faults {
        lose_answer_every: Some(9),
        ..Faults::default()
    };
    let scene = Scene::play(faults, "").await;
    let truth = scene.audit(["shard_0", "shard_1"]).await;
    assert_eq!(truth.broken(), [], "{truth:?}");
    assert!(
        truth.settled && truth.acked > 100 && truth.refunds_acked > 0,
        "{truth:?}"
    );
    assert_eq!(truth.acked + truth.unknown_recorded, truth.recorded);
    for (number, (sql, promise, count)) in BUGS.iter().enumerate() {
        let report = scene.audit_with_bug(number, &sql.replace("ONE", ONE)).await;
        assert!(promises(&report).contains(promise), "{sql}: {report:?}");
        assert!(count(&report) >= 1, "{sql}: {report:?}");
        assert!(!report.examples.is_empty(), "{sql}");
    }
}

/// P2, P7: a bank that forgets keys books again when the client asks again after a lost answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_doubled_after_a_lost_answer_is_caught() {
    let faults = Faults {
        lose_answer_every: Some(9),
        forgets_keys: true,
        ..Faults::default()
    };
    let free = "ALTER TABLE payments DROP CONSTRAINT payments_user_id_idempotency_key_key";
    let scene = Scene::play(faults, free).await;
    let report = scene.audit(["shard_0", "shard_1"]).await;
    assert!(report.doubled > 0, "{report:?}");
    assert_eq!(promises(&report), ["P2"], "{report:?}");
}

/// P7: a refusal for lack of funds is final for its key, also for the attempts before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_booked_and_then_declined_is_caught() {
    let faults = Faults {
        lose_answer_every: Some(9),
        declines_retries: true,
        ..Faults::default()
    };
    let scene = Scene::play(faults, "").await;
    let report = scene.audit(["shard_0", "shard_1"]).await;
    assert!(report.unexplained > 0, "{report:?}");
    assert_eq!(promises(&report), ["P2"], "{report:?}");
}

/// A journal of a run that sent no payment passes nothing, whatever the books hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_without_a_payment_proves_nothing() {
    let mut scene = Scene::play(Faults::default(), "").await;
    scene.journal.creates.clear();
    scene.journal.refunds.clear();
    scene.journal.run.key_prefix = "another-run-".to_owned();
    let report = scene.audit(["shard_0", "shard_1"]).await;
    assert_eq!(promises(&report), [UNPROVEN], "{report:?}");
}

/// An intent whose answer was lost may be there or not; one that was refused may not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_may_be_there_once_and_what_was_refused_may_not() {
    let mut scene = Scene::play(Faults::default(), "").await;
    let first = *scene.journal.creates.keys().next().unwrap();
    let last = *scene.journal.creates.keys().next_back().unwrap();
    let before = scene.audit(["shard_0", "shard_1"]).await;
    let intent = scene.journal.creates.get_mut(&first).unwrap();
    (intent.effect, intent.id) = (Effect::Unknown, None);
    let mut never_arrived = intent.clone();
    never_arrived.sent.n = last + 1;
    scene.journal.creates.insert(last + 1, never_arrived);
    let lost = scene.audit(["shard_0", "shard_1"]).await;
    assert_eq!(lost.broken(), []);
    assert_eq!((lost.unknown_recorded, lost.unknown_absent), (1, 1));
    assert_eq!(
        (lost.acked, lost.recorded),
        (before.acked - 1, before.recorded)
    );
    scene.journal.creates.get_mut(&first).unwrap().effect = Effect::Absent;
    let refused = scene.audit(["shard_0", "shard_1"]).await;
    assert_eq!((promises(&refused), refused.unexplained), (vec!["P2"], 1));
}

/// The audit waits for transactions that are open when it begins, and says so when they stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_stays_open_is_reported_as_not_settled() {
    let scene = Scene::play(Faults::default(), "").await;
    let open = scene.postgres.connect("shard_0").await;
    open.batch_execute("BEGIN; SELECT 1").await.unwrap();
    let shards = vec![scene.postgres.shard_url("shard_0")];
    let options = AuditOptions {
        shards,
        settle: Duration::from_millis(300),
    };
    let early = audit(&scene.journal, &options).await.unwrap();
    assert!(!early.settled);
    assert!(promises(&early).contains(&UNPROVEN), "{early:?}");
    let options = AuditOptions {
        settle: Duration::from_secs(30),
        ..options
    };
    let (report, ended) = tokio::join!(audit(&scene.journal, &options), async {
        open.batch_execute("COMMIT").await
    });
    ended.unwrap();
    assert!(report.unwrap().settled);
}
