//! Which files of this machine a program needs to run elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::error::ImageError;
use crate::command;
use crate::file::FileError;

/// The certificates that TLS clients trust.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// What glibc loads by name when it resolves a host name; `ldd` does not list it.
const RESOLVERS: [&str; 2] = ["libnss_dns.so.2", "libnss_files.so.2"];

/// One file of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// Every file the programs need, by its path inside the image without the leading slash.
pub async fn of_programs(programs: &[PathBuf]) -> Result<BTreeMap<PathBuf, Content>, ImageError> {
    let mut files = BTreeMap::new();
    for program in programs {
        files.insert(PathBuf::from(file_name(program)), read(program, 0o755)?);
        for library in libraries(program).await {
            insert_library(&mut files, &library)?;
        }
    }
    let text = |text: &str| Content {
        bytes: text.as_bytes().to_vec(),
        mode: 0o644,
    };
    files.insert(
        "etc/passwd".into(),
        text("root:x:0:0::/:/\nnonroot:x:65532:65532::/:/\n"),
    );
    files.insert("etc/group".into(), text("root:x:0:\nnonroot:x:65532:\n"));
    files.insert("etc/nsswitch.conf".into(), text("hosts: files dns\n"));
    if Path::new(CERTIFICATES).exists() {
        files.insert(
            inside(Path::new(CERTIFICATES)),
            read(Path::new(CERTIFICATES), 0o644)?,
        );
    }
    Ok(files)
}

fn insert_library(
    files: &mut BTreeMap<PathBuf, Content>,
    library: &Path,
) -> Result<(), ImageError> {
    files.insert(inside(library), read(library, 0o755)?);
    if file_name(library) != "libc.so.6" {
        return Ok(());
    }
    for resolver in RESOLVERS {
        let path = library.with_file_name(resolver);
        if path.exists() {
            files.insert(inside(&path), read(&path, 0o755)?);
        }
    }
    Ok(())
}

/// The libraries `ldd` lists; none for a static program, which `ldd` refuses.
async fn libraries(program: &Path) -> Vec<PathBuf> {
    let listing = command::output(Command::new("ldd").arg(program))
        .await
        .unwrap_or_default();
    paths_of_listing(&listing)
}

fn paths_of_listing(listing: &str) -> Vec<PathBuf> {
    listing
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect()
}

fn inside(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

fn read(path: &Path, mode: u32) -> Result<Content, ImageError> {
    let bytes = fs::read(path).map_err(FileError::of("read", path))?;
    Ok(Content { bytes, mode })
}

/// The name of a program inside its image.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_found_in_the_listing() {
        let listing = "\tlinux-vdso.so.1 (0x1)\n\
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x2)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x3)\n";
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(paths_of_listing(listing), expected.map(PathBuf::from));
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = of_programs(&["/no/such/program".into()]).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot read /no/such/program");
    }
}
