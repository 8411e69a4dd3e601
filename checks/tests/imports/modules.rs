//! One crate as a tree of modules: what each names, and which paths its code mentions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree};

/// What a name means inside a module.
pub enum Name {
    /// Defined here.
    Item,
    /// A module, by its index.
    Module(usize),
    /// Brought in by `use`, by the path written there.
    Import(Vec<String>),
}

pub struct Module {
    /// The file that holds it; inline modules share one with their parent.
    pub file: usize,
    pub parent: Option<usize>,
    pub names: BTreeMap<String, Name>,
    /// Paths imported with `*`.
    pub globs: Vec<Vec<String>>,
    /// Every path of two segments or more in its code.
    pub mentions: Vec<Vec<String>>,
}

pub struct File {
    pub path: PathBuf,
    /// The file of the module that declares this one.
    pub parent: Option<usize>,
    /// Its top-level module; empty for the root of the crate.
    pub room: String,
    pub lines: usize,
}

#[derive(Default)]
pub struct Crate {
    pub files: Vec<File>,
    pub modules: Vec<Module>,
}

/// Reads a file; `None` where there is none.
pub type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Crate {
    /// Reads the crate whose root is `root`, without what only tests compile.
    pub fn read(root: &Path, read: Read) -> Self {
        let mut krate = Self::default();
        let folder = root.parent().unwrap();
        krate.read_file(root, folder, None, "", read);
        krate
    }

    fn read_file(
        &mut self,
        path: &Path,
        children: &Path,
        parent: Option<usize>,
        room: &str,
        read: Read,
    ) -> usize {
        let text =
            read(path).unwrap_or_else(|| panic!("{} is declared but absent", path.display()));
        let parsed =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.files.push(File {
            path: path.to_owned(),
            parent: parent.map(|module| self.modules[module].file),
            room: room.to_owned(),
            lines: text.lines().count(),
        });
        let place = Place {
            file: self.files.len() - 1,
            parent,
            children,
            room,
        };
        self.read_module(&place, &parsed.items, read)
    }

    fn read_module(&mut self, place: &Place, items: &[Item], read: Read) -> usize {
        let index = self.modules.len();
        self.modules.push(Module {
            file: place.file,
            parent: place.parent,
            names: BTreeMap::new(),
            globs: Vec::new(),
            mentions: Vec::new(),
        });
        for item in items {
            match item {
                _ if only_in_tests(attributes(item)) => {}
                Item::Mod(module) => {
                    let name = module.ident.unraw().to_string();
                    let children = place.children.join(&name);
                    let room = if place.room.is_empty() {
                        &name
                    } else {
                        place.room
                    };
                    let child = if let Some((_, items)) = &module.content {
                        let inline = Place {
                            parent: Some(index),
                            children: &children,
                            room,
                            ..*place
                        };
                        self.read_module(&inline, items, read)
                    } else {
                        let path = children.with_extension("rs");
                        self.read_file(&path, &children, Some(index), room, read)
                    };
                    self.modules[index].names.insert(name, Name::Module(child));
                }
                _ => Mentions(&mut self.modules[index]).visit_item(item),
            }
            if let Some(name) = defined(item) {
                self.modules[index].names.insert(name, Name::Item);
            }
        }
        index
    }
}

struct Place<'a> {
    file: usize,
    parent: Option<usize>,
    /// Folder of the files of its children.
    children: &'a Path,
    room: &'a str,
}

struct Mentions<'a>(&'a mut Module);

impl Mentions<'_> {
    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.unraw().to_string());
                self.import(&inner.tree, path);
            }
            UseTree::Name(name) => self.imported(path, &name.ident, &name.ident),
            UseTree::Rename(name) => self.imported(path, &name.ident, &name.rename),
            UseTree::Glob(_) => self.0.globs.push(path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone());
                }
            }
        }
    }

    fn imported(&mut self, mut path: Vec<String>, name: &syn::Ident, alias: &syn::Ident) {
        let itself = name == "self";
        if !itself {
            path.push(name.unraw().to_string());
        }
        let alias = if itself && alias == "self" {
            path.last().unwrap().clone()
        } else {
            alias.unraw().to_string()
        };
        self.0.mentions.push(path.clone());
        self.0.names.entry(alias).or_insert(Name::Import(path));
    }

    /// Paths inside a macro call or an attribute, which no parser knows.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut key = String::new();
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.mention(std::mem::take(&mut path));
                    }
                    key = ident.unraw().to_string();
                    path.push(key.clone());
                }
                other => {
                    self.mention(std::mem::take(&mut path));
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    } else if let TokenTree::Literal(literal) = other {
                        self.quoted(&key, &literal.to_string());
                    }
                }
            }
            colons = 0;
        }
        self.mention(path);
    }

    /// `default = "crate::traffic::seconds"` in an attribute is a path too; of `with = "seconds"` the
    /// derive takes functions out of that module.
    fn quoted(&mut self, key: &str, literal: &str) {
        if let Ok(path) = syn::parse_str::<syn::Path>(literal.trim_matches('"')) {
            let mut path: Vec<String> = path
                .segments
                .iter()
                .map(|segment| segment.ident.unraw().to_string())
                .collect();
            if key == "with" {
                path.push("serialize".to_owned());
            }
            self.mention(path);
        }
    }

    fn mention(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.0.mentions.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !only_in_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if !matches!(item, syn::ImplItem::Fn(function) if only_in_tests(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.mention(
            segments
                .map(|segment| segment.ident.unraw().to_string())
                .collect(),
        );
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }
}

/// Whether `cfg(test)` keeps it out of what ships.
fn only_in_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let mut tokens = list.tokens.clone().into_iter();
        let first = tokens.next();
        let is = |word: &str| matches!(&first, Some(TokenTree::Ident(ident)) if ident == word);
        list.path.is_ident("cfg")
            && (is("test")
                || is("all")
                    && matches!(tokens.next(), Some(TokenTree::Group(group))
                        if group.stream().to_string().split(", ").any(|part| part.trim() == "test")))
    })
}

macro_rules! kinds {
    ($($kind:ident),*; $($unnamed:ident),*) => {
        fn attributes(item: &Item) -> &[Attribute] {
            match item {
                $(Item::$kind(item) => &item.attrs,)*
                $(Item::$unnamed(item) => &item.attrs,)*
                _ => &[],
            }
        }

        /// The name that an item gives to its module; modules are entered by their index.
        fn defined(item: &Item) -> Option<String> {
            match item {
                Item::Fn(function) => Some(function.sig.ident.unraw().to_string()),
                Item::Macro(rules) => rules.ident.as_ref().map(ToString::to_string),
                $(Item::$kind(item) => Some(item.ident.unraw().to_string()),)*
                _ => None,
            }
        }
    };
}
kinds!(Const, Enum, Static, Struct, Trait, Type, Union; Fn, ForeignMod, Impl, Macro, Mod, Use);
