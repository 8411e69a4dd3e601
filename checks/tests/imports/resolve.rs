//! From a path in the code to the file that defines what it names.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Crate, Name};

/// Re-exports of re-exports end somewhere; a path that does not is not followed further.
const HOPS_MAX: usize = 16;

/// For each file the files it imports from, and the names.
pub type Imports = BTreeMap<usize, BTreeMap<usize, BTreeSet<String>>>;

enum Target {
    Module(usize),
    Item { module: usize, name: String },
}

impl Crate {
    /// What each file imports. A name that was re-exported counts for the file that defines it.
    pub fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (index, module) in self.modules.iter().enumerate() {
            let globs = module.globs.iter().map(|path| (path, true));
            for (path, glob) in module
                .mentions
                .iter()
                .map(|path| (path, false))
                .chain(globs)
            {
                let (target, name) = match self.resolve(index, path, HOPS_MAX) {
                    Some(Target::Item { module, name }) => (module, name),
                    Some(Target::Module(module)) if glob => (module, "*".to_owned()),
                    // The name of a module alone; what is taken from it is a mention of its own.
                    _ => continue,
                };
                let target = self.modules[target].file;
                if target != module.file {
                    imports
                        .entry(module.file)
                        .or_default()
                        .entry(target)
                        .or_default()
                        .insert(name);
                }
            }
        }
        imports
    }

    fn resolve(&self, from: usize, path: &[String], hops: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(from),
            "super" => Target::Module(self.modules[from].parent?),
            name => self.member(from, name, hops)?,
        };
        self.descend(start, rest, hops)
    }

    fn descend(&self, start: Target, rest: &[String], hops: usize) -> Option<Target> {
        let mut at = start;
        for name in rest {
            let Target::Module(module) = at else { break };
            at = match name.as_str() {
                "super" => Target::Module(self.modules[module].parent?),
                // What no item of ours is called was made by a macro of this module.
                _ => self
                    .member(module, name, hops)
                    .unwrap_or_else(|| Target::Item {
                        module,
                        name: name.clone(),
                    }),
            };
        }
        Some(at)
    }

    fn member(&self, module: usize, name: &str, hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let here = &self.modules[module];
        match here.names.get(name) {
            Some(Name::Item) => Some(Target::Item {
                module,
                name: name.to_owned(),
            }),
            Some(Name::Module(child)) => Some(Target::Module(*child)),
            // `use tracing;` imports a crate under its own name.
            Some(Name::Import(path)) if path.len() == 1 && path[0] == name => None,
            Some(Name::Import(path)) => self.resolve(module, path, hops),
            None => here
                .globs
                .iter()
                .find_map(|glob| match self.resolve(module, glob, hops)? {
                    Target::Module(other) => self.member(other, name, hops),
                    Target::Item { .. } => None,
                }),
        }
    }
}
