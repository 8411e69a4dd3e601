//! The committed CRDs are what the types generate. `UPDATE_GOLDEN=1` rewrites them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

use std::path::Path;

use floodgate_api::crds::{crd_yaml, crds};

#[test]
fn committed_crds_are_what_the_types_generate() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
    for (file, crd) in crds() {
        let path = folder.join(file);
        let generated = crd_yaml(&crd).unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "{} differs from the types; run `UPDATE_GOLDEN=1 cargo test -p floodgate-api`",
            path.display()
        );
    }
}
