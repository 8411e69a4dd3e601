//! `payment-svc serve|migrate|seed|openapi`.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use payment_svc::config::{self, ServeConfig};
use payment_svc::money::Currency;
use payment_svc::seed::{self, Seed};
use payment_svc::store::connect;
use payment_svc::{http, log, migrate, serve};
use tracing_subscriber::EnvFilter;

/// The payment service. Configure it by environment variables; `seed` takes flags.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Serve payments until a signal.
    Serve,
    /// Bring every shard to this binary's schema.
    Migrate,
    /// Book opening deposits; accounts that exist are left alone.
    Seed(SeedArguments),
    /// Print the `OpenAPI` document.
    Openapi,
}

#[derive(clap::Args)]
struct SeedArguments {
    /// Users, over all shards.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    users: u32,
    /// Merchants.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    merchants: u32,
    /// Opening balance of each user, minor units.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=1_000_000_000_000))]
    balance_minor: i64,
    /// ISO 4217 code of all accounts.
    #[arg(long, default_value = "CNY", value_parser = parse_currency)]
    currency: Currency,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (log, last_lines) = log::start(std::io::stderr());
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(
            EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("info,tokio_postgres=warn")),
        )
        .with_writer(log)
        .init();
    let ended = run(arguments.task);
    drop(last_lines);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("payment-svc: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Serve => runtime()?.block_on(async {
            serve::serve(ServeConfig::from_env()?).await?;
            Ok(())
        }),
        Task::Migrate => runtime()?.block_on(migrate_shards()),
        Task::Seed(arguments) => runtime()?.block_on(seed_shards(&arguments)),
        Task::Openapi => {
            print!("{}", http::document());
            Ok(())
        }
    }
}

/// One thread for a pod with a fraction of a CPU, which is the usual pod; more only for more.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = if threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(threads);
        builder
    };
    builder
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

async fn migrate_shards() -> anyhow::Result<()> {
    for (index, address) in config::shards_from_env()?.iter().enumerate() {
        let shard = || format!("shard {index}");
        let mut connection = connect::administer(&address.primary)
            .await
            .with_context(shard)?;
        let applied = migrate::migrate(&mut connection.client)
            .await
            .with_context(shard)?;
        println!("shard {index}: {applied} migrations applied");
    }
    Ok(())
}

async fn seed_shards(arguments: &SeedArguments) -> anyhow::Result<()> {
    let addresses = config::shards_from_env()?;
    let what = Seed {
        users: arguments.users,
        merchants: arguments.merchants,
        balance_minor: arguments.balance_minor,
        currency: arguments.currency,
    };
    for (index, address) in addresses.iter().enumerate() {
        let shard = || format!("shard {index}");
        let mut connection = connect::administer(&address.primary)
            .await
            .with_context(shard)?;
        let fresh = seed::seed_shard(&mut connection.client, &what, index, addresses.len())
            .await
            .with_context(shard)?;
        println!("shard {index}: {fresh} new users");
    }
    Ok(())
}

fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| "must be a supported ISO 4217 code, such as CNY".to_owned())
}
