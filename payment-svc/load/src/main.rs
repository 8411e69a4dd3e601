//! `payment-load`: sends payment traffic on time, and audits the ledger after it.
//!
//! Exit status: 0 fine; 1 the run failed or a promise of money is broken; 2 flags or plan refused.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
