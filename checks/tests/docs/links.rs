//! Every link of the documentation leads somewhere.

use crate::pages::{Page, pages, root};

/// `wc -w README.md`: what a first-time user reads in ten minutes.
const README_WORDS_MAX: usize = 1_800;

#[test]
fn every_link_resolves_to_a_file_and_a_heading() {
    let pages = pages();
    let broken: Vec<String> = pages
        .iter()
        .flat_map(|page| broken_links(page, &pages))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_readme_is_read_in_ten_minutes() {
    let words = std::fs::read_to_string(root().join("README.md"))
        .unwrap()
        .split_whitespace()
        .count();
    assert!(
        words <= README_WORDS_MAX,
        "README.md has {words} words, at most {README_WORDS_MAX}"
    );
}

fn broken_links(page: &Page, pages: &[Page]) -> Vec<String> {
    let mut broken = Vec::new();
    for (line, target) in page
        .prose()
        .flat_map(|(line, text)| targets(text).map(move |target| (line, target)))
    {
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        if file.contains("://") {
            continue;
        }
        let here = page.path.parent().unwrap();
        let Ok(found) = root().join(here).join(file).canonicalize() else {
            broken.push(format!("{}:{line}: no file {file}", page.path.display()));
            continue;
        };
        let named = if file.is_empty() {
            root().join(&page.path)
        } else {
            found
        };
        let named = pages.iter().find(|other| root().join(&other.path) == named);
        if !anchor.is_empty()
            && !named.is_some_and(|other| other.anchors().iter().any(|one| one == anchor))
        {
            broken.push(format!(
                "{}:{line}: no heading #{anchor} in {file}",
                page.path.display()
            ));
        }
    }
    broken
}

/// What stands behind `](`, outside of code spans.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let outside = line.split('`').step_by(2);
    // A link whose text is a code span ends right behind it: `](...)`.
    outside
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
}

#[test]
fn links_to_missing_files_and_headings_are_named() {
    let page = |text: &str| Page {
        path: "README.md".into(),
        text: text.to_owned(),
    };
    let text = "# A heading, of two\n[a](#a-heading-of-two) [`b`](LICENSE) ![c](none.png)\n```\n[d](none)\n```\n\
                `[e](none)` [f](CONTRIBUTING.md#none) [g](https://example.org/none)\n";
    let pages = [
        page(text),
        Page {
            path: "CONTRIBUTING.md".into(),
            text: "# Contributing".into(),
        },
    ];
    assert_eq!(
        broken_links(&pages[0], &pages),
        [
            "README.md:2: no file none.png",
            "README.md:6: no heading #none in CONTRIBUTING.md"
        ]
    );
}
