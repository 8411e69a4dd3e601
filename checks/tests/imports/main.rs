//! Imports run down: between files, between the rooms of a crate, between crates.
//!
//! A room is a top-level module, `foo.rs` with `foo/`. A file and the file that declares it may import
//! each other; every longer circle fails, as do two rooms that import each other. What `cfg(test)`
//! keeps out of the product is left out here too.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod circles;
mod modules;
mod resolve;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use circles::{around, circles};
use modules::Crate;
use resolve::Imports;

const LINES_MAX: usize = 400;

#[test]
fn no_circle_of_files_or_rooms_in_any_crate() {
    let found: Vec<String> = crates().iter().flat_map(found_circles).collect();
    assert!(
        found.is_empty(),
        "{} circles of imports:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn crates_depend_only_on_what_lies_below_them() {
    let packages = workspace::packages();
    let found: Vec<String> = packages
        .iter()
        .flat_map(workspace::Package::forbidden_dependencies)
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn pure_crates_bring_in_no_runtime_and_no_client() {
    let packages = workspace::packages();
    let found: Vec<String> = packages
        .iter()
        .flat_map(workspace::Package::impurities)
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let files = crates().iter().flat_map(|krate| &krate.files);
    let long: Vec<String> = files
        .filter(|file| file.lines > LINES_MAX)
        .map(|file| format!("{}: {} lines", file.path.display(), file.lines))
        .collect();
    assert!(
        long.is_empty(),
        "more than {LINES_MAX} lines:\n{}",
        long.join("\n")
    );
}

/// Every library and program of the workspace, read once.
fn crates() -> &'static [Crate] {
    static CRATES: LazyLock<Vec<Crate>> = LazyLock::new(|| {
        let root = workspace::root();
        let read = |path: &Path| std::fs::read_to_string(root.join(path)).ok();
        let packages = workspace::packages();
        let roots = packages.iter().flat_map(workspace::Package::roots);
        roots
            .map(|path| Crate::read(path.strip_prefix(&root).unwrap(), &read))
            .collect()
    });
    &CRATES
}

/// The circles of one crate, with what ties each.
fn found_circles(krate: &Crate) -> Vec<String> {
    let imports = krate.imports();
    let arrows: BTreeMap<usize, BTreeSet<usize>> = imports
        .iter()
        .map(|(&from, targets)| (from, targets.keys().copied().collect()))
        .collect();
    let mut found: Vec<String> = circles(&arrows, |file| krate.files[file].parent)
        .iter()
        .map(|circle| {
            let arrows = around(circle).map(|(from, to)| tie(krate, &imports, from, to));
            format!("files:\n{}", arrows.collect::<String>())
        })
        .collect();

    let room = |file: usize| krate.files[file].room.as_str();
    let mut between: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (&from, targets) in &arrows {
        for &to in targets {
            if room(from) != room(to) {
                between.entry(room(from)).or_default().insert(room(to));
            }
        }
    }
    let root = |room: &str| (!room.is_empty()).then_some("");
    found.extend(circles(&between, root).iter().map(|circle| {
        let ties = around(circle).flat_map(|(left, entered)| {
            let all = arrows
                .iter()
                .flat_map(|(&from, all)| all.iter().map(move |&to| (from, to)));
            all.filter(move |&(from, to)| room(from) == left && room(to) == entered)
        });
        let arrows = ties.map(|(from, to)| tie(krate, &imports, from, to));
        format!(
            "rooms {}:\n{}",
            circle.join(", "),
            arrows.collect::<String>()
        )
    }));
    found
}

fn tie(krate: &Crate, imports: &Imports, from: usize, to: usize) -> String {
    let names: Vec<&str> = imports[&from][&to].iter().map(String::as_str).collect();
    let path = |file: usize| krate.files[file].path.display();
    format!("  {} -> {}: {}\n", path(from), path(to), names.join(", "))
}

/// The circles of a crate that consists of these files.
fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| (*text).to_owned())
    };
    found_circles(&Crate::read(Path::new("src/lib.rs"), &read))
}

#[test]
fn a_planted_circle_of_files_is_named_with_its_imports() {
    let found = planted(&[
        ("src/lib.rs", "mod room;"),
        ("src/room.rs", "mod a; mod b; mod c;"),
        ("src/room/a.rs", "pub struct A(super::b::B);"),
        (
            "src/room/b.rs",
            "use super::c::{self, Other}; pub struct B(c::C, Other);",
        ),
        (
            "src/room/c.rs",
            "pub struct C; pub struct Other; fn f() { let _ = format!(\"{}\", crate::room::a::A::new()); }",
        ),
    ]);
    assert_eq!(
        found,
        [
            "files:\n  src/room/a.rs -> src/room/b.rs: B\n  src/room/b.rs -> src/room/c.rs: C, Other\n  \
          src/room/c.rs -> src/room/a.rs: A\n"
        ]
    );
}

#[test]
fn two_rooms_that_import_each_other_are_named_even_where_no_file_does() {
    let found = planted(&[
        ("src/lib.rs", "mod left; mod right;"),
        (
            "src/left.rs",
            "mod low; use crate::right::Right; struct Left(Right);",
        ),
        ("src/left/low.rs", "pub struct Low;"),
        ("src/right.rs", "mod high; pub struct Right;"),
        (
            "src/right/high.rs",
            "use crate::left::low::Low; struct High(Low);",
        ),
    ]);
    assert_eq!(
        found,
        [
            "rooms left, right:\n  src/left.rs -> src/right.rs: Right\n  \
          src/right/high.rs -> src/left/low.rs: Low\n"
        ]
    );
}

#[test]
fn a_name_counts_for_the_file_that_defines_it_and_not_for_the_re_export() {
    let facade = ("src/lib.rs", "mod a; mod b; pub use a::A; pub use b::*;");
    let tied = [
        facade,
        ("src/a.rs", "use crate::B; pub struct A(B);"),
        ("src/b.rs", "pub struct B(crate::A);"),
    ];
    assert_eq!(
        planted(&tied).len(),
        2,
        "files and rooms: {:?}",
        planted(&tied)
    );
    let free = [
        facade,
        ("src/a.rs", "use crate::B; pub struct A(B);"),
        ("src/b.rs", "pub struct B;"),
    ];
    assert_eq!(planted(&free), Vec::<String>::new());
}

#[test]
fn a_parent_and_its_child_may_import_each_other_and_tests_may_import_anything() {
    let found = planted(&[
        ("src/lib.rs", "mod a; mod b; pub struct Root(a::A); "),
        (
            "src/a.rs",
            "mod child; pub struct A(child::Child, usize); #[cfg(test)] mod tests { use crate::b::B; }",
        ),
        ("src/a/child.rs", "use super::A; pub struct Child(Box<A>);"),
        ("src/b.rs", "use crate::a::A; pub struct B(A);"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_circle_through_the_root_of_a_crate_is_one() {
    let found = planted(&[
        ("src/lib.rs", "mod a; mod b; pub struct Root(a::A);"),
        ("src/a.rs", "pub struct A(crate::b::B);"),
        ("src/b.rs", "use super::Root; pub struct B(Box<Root>);"),
    ]);
    assert_eq!(found.len(), 2, "files and rooms: {found:?}");
}
