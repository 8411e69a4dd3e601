//! The load that `make rehearse` ships is what the command makes.

use std::path::Path;

use crate::run;

#[test]
fn the_shipped_load_is_what_the_command_makes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["sample", "--out", "load.csv"]);
    assert!(output.status.success(), "{output:?}");
    let made = std::fs::read_to_string(folder.path().join("load.csv")).unwrap();
    let path = "../../manifests/samples/rehearsal/load.csv";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let shipped = std::fs::read_to_string(&path).unwrap();
    assert!(shipped == made, "UPDATE_GOLDEN=1 rewrites {path:?}");
    assert_eq!(
        made.lines().count(),
        1 + 35 * 288,
        "five weeks of 5 minutes"
    );
    assert!(made.len() < 400_000, "{} bytes", made.len());
}

#[test]
fn another_seed_makes_another_load_with_the_same_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let loads = ["1", "2"].map(|seed| {
        let output = run(&folder, &["sample", "--out", "load.csv", "--seed", seed]);
        assert!(output.status.success(), "{output:?}");
        std::fs::read_to_string(folder.path().join("load.csv")).unwrap()
    });
    assert_ne!(loads[0], loads[1]);
    for load in loads {
        assert_eq!(load.matches(",\n").count(), 6);
    }
}
