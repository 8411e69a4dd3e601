//! Output held to committed files; `UPDATE_GOLDEN=1` rewrites them.

use crate::run::{Ran, folder, run};

/// Runs `args` and holds exit code and output to `golden/<name>`.
pub fn holds(name: &str, code: i32, args: &[&str]) {
    let Ran {
        code: exit,
        stdout,
        stderr,
    } = run(args);
    assert_eq!(stderr, "", "{args:?}");
    assert_eq!(exit, code, "{args:?} printed\n{stdout}");
    let path = folder().join("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &stdout).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == stdout,
        "{} differs; read it, then `UPDATE_GOLDEN=1 cargo test -p kubectl-floodgate`. Now:\n{stdout}",
        path.display()
    );
}
