//! Running a tool to its end and keeping its output.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A tool that could not be run or did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program's name.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The program ended with a failure.
    #[error("{program} failed ({status}): {last_line}")]
    Failed {
        /// The program and its first arguments.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The last line of its standard error: where tools put the cause.
        last_line: String,
    },
}

/// Runs a tool and returns its standard output.
pub async fn output(command: &mut Command) -> Result<String, CommandError> {
    output_with_input(command, "").await
}

/// Runs a tool with `input` on its standard input and returns its standard output.
pub async fn output_with_input(command: &mut Command, input: &str) -> Result<String, CommandError> {
    let program = describe(command);
    let start = |source| CommandError::Start {
        program: program.clone(),
        source,
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that does not read its input closes it early; its exit status is what counts.
        let _closed_early = stdin.write_all(input.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(start)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(CommandError::Failed {
        program,
        status: output.status,
        last_line: last_line(&stderr).unwrap_or("no output").to_owned(),
    })
}

/// The last line of a text that is not blank.
pub fn last_line(text: &str) -> Option<&str> {
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
}

/// The last line of a log file that is not blank.
pub fn last_line_of_file(path: &Path) -> Option<String> {
    let text = std::fs::read(path).ok()?;
    last_line(&String::from_utf8_lossy(&text)).map(str::to_owned)
}

fn describe(command: &Command) -> String {
    let command = command.as_std();
    let program = Path::new(command.get_program());
    let mut parts = vec![
        program
            .file_name()
            .unwrap_or(program.as_os_str())
            .to_string_lossy(),
    ];
    parts.extend(
        command
            .get_args()
            .take(2)
            .map(|part| part.to_string_lossy()),
    );
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_names_the_tool_and_its_last_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo first >&2; echo the cause >&2; exit 3"]);
        let error = output(&mut command).await.unwrap_err().to_string();
        assert!(error.starts_with("sh -c"), "{error}");
        assert!(error.ends_with("the cause"), "{error}");
    }

    #[tokio::test]
    async fn input_reaches_the_tool() {
        let echoed = output_with_input(&mut Command::new("cat"), "hello")
            .await
            .unwrap();
        assert_eq!(echoed, "hello");
    }
}
