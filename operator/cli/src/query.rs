//! How a command reads: which objects, from the cluster or from files, and how the answer is printed.

mod age;
mod error;
mod source;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use crate::access::{AccessArgs, Scope};
use crate::moment::{self, Moment};
use crate::output::OutputArgs;
use crate::point::Point;

pub use age::{Dated, SAVED};
pub use error::QueryError;
pub use source::{Found, Kind, Source, one};

/// Namespace of an object; `default` in a file that names none.
pub fn namespace_of(object: &impl ResourceExt) -> String {
    object.namespace().unwrap_or_else(|| "default".to_owned())
}

/// Objects that were asked for and can be read; never none.
pub struct Readable<K> {
    /// By namespace and name.
    pub objects: Vec<K>,
    /// Whether another one cannot be read.
    pub hides_one: bool,
}

/// Which objects, from where, and how the answer is printed.
#[derive(Clone, Debug, Args)]
pub struct QueryArgs {
    /// Name of the object; default: all of its kind in the namespace.
    pub name: Option<String>,
    /// Look in every namespace.
    #[arg(short = 'A', long, conflicts_with = "name")]
    pub all_namespaces: bool,
    /// Read saved objects (YAML or JSON, `-` for standard input) instead of the cluster; may be
    /// given more than once.
    #[arg(short, long, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Judge saved objects as of this instant, RFC 3339; default: now.
    #[arg(long, value_name = "INSTANT", requires = "filename", value_parser = moment::instant)]
    at: Option<Timestamp>,
    #[command(flatten)]
    output: OutputArgs,
}

impl QueryArgs {
    /// Where to look.
    pub fn scope(&self) -> Scope {
        if self.all_namespaces {
            Scope::Everywhere
        } else {
            Scope::Namespace
        }
    }

    /// The instant everything is shown relative to.
    pub fn moment(&self) -> Moment {
        Moment::new(self.at)
    }

    /// Whether more columns are wanted.
    pub fn wide(&self) -> bool {
        self.output.wide()
    }

    /// Opens the files, or the cluster where there are none.
    pub async fn open(&self, access: &AccessArgs) -> Result<Source, QueryError> {
        Source::open(&self.filename, access).await
    }

    /// The objects asked for, by namespace and name; none is an error. One that cannot be read is
    /// reported, and hides no other.
    pub async fn find<K: Kind>(&self, source: &Source) -> Result<Readable<K>, QueryError> {
        let found = source.objects(self.name.as_deref(), self.scope()).await?;
        let mut objects = Vec::new();
        let mut unreadable = Vec::new();
        for one in found {
            match one {
                Ok(object) => objects.push(object),
                Err(one) => unreadable.push(one),
            }
        }
        if objects.is_empty() {
            return Err(match unreadable.into_iter().next() {
                Some(one) => one.into(),
                None => QueryError::Nothing(source.nothing::<K>(self.scope()).await),
            });
        }
        for one in &unreadable {
            eprintln!("error: {one}");
        }
        Ok(Readable {
            objects,
            hides_one: !unreadable.is_empty(),
        })
    }

    /// That saved objects are judged as of now although their status is older; nothing where
    /// `--at` says as of when, or where they come from the cluster.
    pub fn age<'a, K: Dated + 'a>(
        &self,
        objects: impl IntoIterator<Item = &'a K>,
        moment: &Moment,
    ) -> Option<Point> {
        let saved = !self.filename.is_empty() && self.at.is_none();
        saved.then(|| age::age(objects, moment))?
    }

    /// Prints the answers for a program, as a list under the plural of their kind, or what `table`
    /// makes of them for a person.
    pub fn print<T: Serialize>(
        &self,
        plural: &str,
        answers: &[T],
        table: impl FnOnce() -> String,
    ) -> Result<(), QueryError> {
        let answers = BTreeMap::from([(plural, answers)]);
        Ok(self.output.print(&answers, table)?)
    }

    /// The same with a page for each answer.
    pub fn print_pages<T: Serialize>(
        &self,
        plural: &str,
        answers: &[T],
        page: impl FnMut(&T) -> String,
    ) -> Result<(), QueryError> {
        let pages = || answers.iter().map(page).collect::<Vec<_>>().join("\n");
        self.print(plural, answers, pages)
    }
}
