//! The command line of the local cluster: parses arguments and hands them to the library.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use floodgate_local::Cluster;
use floodgate_local::error::one_line;
use floodgate_local::progress::Progress;
use floodgate_local::sale_day;

/// A real Kubernetes on this machine, and the sale day that runs on it.
#[derive(Debug, Parser)]
#[command(name = "floodgate-local", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the cluster up, or back up; does nothing to what already runs.
    Up,
    /// Take the cluster down; leaves no process, mount, link, firewall table or cgroup.
    Down,
    /// Install the packages and build the Kubernetes programs, without starting anything.
    Prepare,
    /// Build the Kubernetes programs from their Go module, unless they are up to date.
    BuildKubernetes {
        /// Return at once and build on; a later call waits for the end of this one.
        #[arg(long)]
        background: bool,
    },
    /// Print the lines a shell evaluates to reach the local cluster.
    Env,
    /// Make an image of programs and load it into the cluster's image store.
    LoadImage {
        /// The name pods use, as `floodgate.dev/operator:dev`.
        reference: String,
        /// The programs; the first is the entry point.
        #[arg(required = true)]
        programs: Vec<PathBuf>,
    },
    /// Make a namespace and the Secrets with the addresses of this machine's backends.
    Secrets {
        /// The namespace.
        namespace: String,
    },
    /// List what of the cluster is on the machine now.
    Leftovers,
    /// Stop or start the cluster's Prometheus; its data stays.
    Prometheus {
        /// What to do with it.
        #[command(subcommand)]
        action: PrometheusAction,
    },
    /// Follow the pods and keep Prometheus's file of targets current.
    #[command(hide = true)]
    DiscoverPods,
    /// Add a history, a file in the OpenMetrics text format, to what Prometheus knows.
    Backfill {
        /// The file.
        openmetrics: PathBuf,
    },
    /// Live through a compressed sale day on the cluster and write its report.
    SaleDay(sale_day::Args),
}

#[derive(Debug, Subcommand)]
enum PrometheusAction {
    /// End it.
    Stop,
    /// Start it again.
    Start,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floodgate-local: {}", one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    let cluster = Cluster::on_this_machine();
    let progress = Progress::detect();
    match command {
        Command::Up => cluster.up(&progress).await?,
        Command::Down => cluster.down(&progress).await?,
        Command::Prepare => cluster.prepare(&progress).await?,
        Command::BuildKubernetes { background: true } => {
            cluster
                .build_in_background(&std::env::current_exe()?)
                .await?;
        }
        Command::BuildKubernetes { background: false } => cluster.build(&progress).await?,
        Command::Env => println!("{}", cluster.environment()),
        Command::LoadImage {
            reference,
            programs,
        } => {
            cluster.load_image(&reference, &programs).await?;
        }
        Command::Secrets { namespace } => cluster.create_secrets(&namespace).await?,
        Command::Leftovers => {
            for found in cluster.leftovers().await {
                println!("{found}");
            }
        }
        Command::Prometheus {
            action: PrometheusAction::Stop,
        } => cluster.prometheus_stop().await?,
        Command::Prometheus {
            action: PrometheusAction::Start,
        } => {
            cluster.prometheus_start().await?;
        }
        Command::DiscoverPods => cluster.discover_pods().await?,
        Command::Backfill { openmetrics } => cluster.backfill(&openmetrics).await?,
        Command::SaleDay(args) => sale_day::run(&cluster, args).await?,
    }
    Ok(())
}
