//! The pages of the repository and what a reader sees in them.

use std::path::{Path, PathBuf};

pub struct Page {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block of a page.
pub struct Block<'a> {
    pub language: &'a str,
    /// Its first line, counted from 1.
    pub line: usize,
    pub text: String,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// README and its neighbours, and everything below `docs/`.
pub fn pages() -> Vec<Page> {
    let mut paths = vec![
        "README.md".into(),
        "ARCHITECTURE.md".into(),
        "CONTRIBUTING.md".into(),
    ];
    paths.extend(
        files("md")
            .into_iter()
            .filter(|path| path.starts_with("docs")),
    );
    let read = |path: PathBuf| Page {
        text: std::fs::read_to_string(root().join(&path)).unwrap(),
        path,
    };
    paths.into_iter().map(read).collect()
}

/// Every file of the repository with this extension, relative to its root, in order.
pub fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if name == "target" || name.starts_with('.') || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Writes `filled` where `UPDATE_GOLDEN` is set, else asserts that the page holds it already.
pub fn assert_golden(path: &Path, filled: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, filled).unwrap();
    }
    let held = std::fs::read_to_string(&file).unwrap();
    let mut lines = held.lines().zip(filled.lines());
    let differs = lines.find(|(held, filled)| held != filled);
    assert!(
        held == filled,
        "{} differs from what generates it; `UPDATE_GOLDEN=1 cargo test -p floodgate-checks --test docs` rewrites \
         it\nholds:     {}\ngenerated: {}",
        path.display(),
        differs.map_or("an end", |(held, _)| held),
        differs.map_or("another end", |(_, filled)| filled),
    );
}

impl Page {
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (index, line) in self.text.lines().enumerate() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                open = !open;
                if open {
                    blocks.push(Block {
                        language: language.trim(),
                        line: index + 2,
                        text: String::new(),
                    });
                }
            } else if let (true, Some(block)) = (open, blocks.last_mut()) {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
        blocks
    }

    /// Its lines outside of fenced blocks, with their numbers.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        self.text
            .lines()
            .enumerate()
            .filter_map(move |(index, line)| {
                let fence = line.trim_start().starts_with("```");
                fenced ^= fence;
                (!fenced && !fence).then_some((index + 1, line))
            })
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter(|(_, line)| line.starts_with('#'));
        let anchor = |(_, line): (usize, &str)| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        headings.map(anchor).collect()
    }
}
