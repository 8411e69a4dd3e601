//! The archive formats of an image: one layer, its configuration, and a manifest that names both.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::files::Content;

/// The user a container runs as, unless its pod says otherwise.
const USER: &str = "65532:65532";

/// A layer that holds these files, the folders above them, and a `/tmp`.
pub fn layer(files: &BTreeMap<PathBuf, Content>) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for folder in folders(files.keys()) {
        append(&mut builder, &folder, EntryType::Directory, 0o755, &[])?;
    }
    append(
        &mut builder,
        Path::new("tmp"),
        EntryType::Directory,
        0o1777,
        &[],
    )?;
    for (path, content) in files {
        append(
            &mut builder,
            path,
            EntryType::Regular,
            content.mode,
            &content.bytes,
        )?;
    }
    builder.into_inner()
}

/// The archive of an image with this one layer.
pub fn image(reference: &str, entry_point: &str, layer: &[u8]) -> io::Result<Vec<u8>> {
    let digest = format!("{:x}", Sha256::digest(layer));
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": [entry_point],
            "Env": ["PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
            "User": USER,
            "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
    });
    let manifest = json!([{
        "Config": "config.json",
        "RepoTags": [reference],
        "Layers": ["layer.tar"],
    }]);
    let mut builder = Builder::new(Vec::new());
    let mut file = |name: &str, bytes: &[u8]| {
        append(
            &mut builder,
            Path::new(name),
            EntryType::Regular,
            0o644,
            bytes,
        )
    };
    file("manifest.json", manifest.to_string().as_bytes())?;
    file("config.json", config.to_string().as_bytes())?;
    file("layer.tar", layer)?;
    builder.into_inner()
}

/// Every folder above the files, parents first.
fn folders<'a>(files: impl Iterator<Item = &'a PathBuf>) -> BTreeSet<PathBuf> {
    files
        .flat_map(|file| file.ancestors().skip(1))
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(Path::to_owned)
        .collect()
}

/// No time and no owner but root, so that equal files make equal archives.
fn append(
    builder: &mut Builder<Vec<u8>>,
    path: &Path,
    kind: EntryType,
    mode: u32,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)?);
    builder.append_data(&mut header, path, bytes)
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<PathBuf, Content> {
        BTreeMap::from([
            (
                "server".into(),
                Content {
                    bytes: vec![1, 2],
                    mode: 0o755,
                },
            ),
            (
                "etc/ssl/roots".into(),
                Content {
                    bytes: vec![3],
                    mode: 0o644,
                },
            ),
        ])
    }

    #[test]
    fn folders_come_before_what_they_hold() {
        let bytes = layer(&files()).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["etc", "etc/ssl", "tmp", "etc/ssl/roots", "server"]);
    }

    #[test]
    fn the_same_files_make_the_same_archive() {
        let build = || image("floodgate.dev/x:dev", "/server", &layer(&files()).unwrap()).unwrap();
        assert_eq!(build(), build());
    }

    #[test]
    fn the_image_runs_its_entry_point_without_root() {
        let bytes = image("floodgate.dev/x:dev", "/server", &layer(&files()).unwrap()).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let config = archive
            .entries()
            .unwrap()
            .map(Result::unwrap)
            .find(|entry| entry.path().unwrap().ends_with("config.json"))
            .unwrap();
        let config: serde_json::Value = serde_json::from_reader(config).unwrap();
        assert_eq!(config["config"]["Entrypoint"][0], "/server");
        assert_eq!(config["config"]["User"], USER);
    }
}
