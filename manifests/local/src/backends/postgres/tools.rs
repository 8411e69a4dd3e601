//! Running the programs of PostgreSQL as its own user, beside the data of one server.

use std::fs;
use std::path::PathBuf;

use tokio::process::Command;

use super::error::PostgresError;
use crate::addresses::HOST;
use crate::command;
use crate::paths::Paths;

/// Database and user of the payment service.
pub const DATABASE: &str = "payments";
/// Where a server finds its data in its own mount namespace.
pub const INSIDE: &str = "/var/lib/postgresql";
/// Runs one statement as the superuser, over the server's own socket.
pub async fn sql(
    paths: &Paths,
    name: &str,
    port: u16,
    statement: &str,
) -> Result<String, PostgresError> {
    let port = port.to_string();
    let arguments = [
        "--host",
        INSIDE,
        "--port",
        &port,
        "--no-psqlrc",
        "--tuples-only",
        "--no-align",
        "--command",
        statement,
    ];
    run_inside(paths, name, "psql", &arguments).await
}

/// Whether a server takes connections.
pub async fn is_ready(port: u16) -> bool {
    let Ok(program) = program("pg_isready") else {
        return false;
    };
    let mut command = Command::new(program);
    command.args([
        "--host",
        HOST,
        "--port",
        &port.to_string(),
        "--dbname",
        DATABASE,
    ]);
    command::output(&mut command).await.is_ok()
}

/// Runs a tool of PostgreSQL beside the data of one server.
pub async fn run_inside(
    paths: &Paths,
    name: &str,
    tool: &str,
    arguments: &[&str],
) -> Result<String, PostgresError> {
    let line = inside(paths, name, tool)?;
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).args(arguments);
    Ok(command::output(&mut command).await?)
}

/// The command line that runs a tool of PostgreSQL as its own user, with the data of one server mounted
/// at [`INSIDE`] for nobody else to see.
pub fn inside(paths: &Paths, name: &str, tool: &str) -> Result<Vec<String>, PostgresError> {
    let script = format!(
        "mount --bind \"$0\" {INSIDE} && cd {INSIDE} && \
         exec setpriv --reuid=postgres --regid=postgres --init-groups \"$@\""
    );
    let fixed = [
        "unshare",
        "--mount",
        "--propagation=private",
        "sh",
        "-c",
        &script,
    ];
    let mut line: Vec<String> = fixed.map(str::to_owned).to_vec();
    line.push(paths.data(name).display().to_string());
    line.push(program(tool)?.display().to_string());
    Ok(line)
}

/// A tool of the newest installed PostgreSQL.
fn program(tool: &str) -> Result<PathBuf, PostgresError> {
    let versions = fs::read_dir("/usr/lib/postgresql").map_err(|_| PostgresError::NotInstalled)?;
    versions
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let version: u32 = folder.file_name()?.to_str()?.parse().ok()?;
            let program = folder.join("bin").join(tool);
            program.exists().then_some((version, program))
        })
        .max()
        .map(|(_, program)| program)
        .ok_or(PostgresError::NotInstalled)
}
