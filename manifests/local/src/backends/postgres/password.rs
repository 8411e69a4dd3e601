//! The password of the payment service's user: random, one per cluster, gone with it.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::paths::Paths;

/// The password, empty before it is made.
pub fn read(paths: &Paths) -> String {
    fs::read_to_string(file(paths))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn file(paths: &Paths) -> PathBuf {
    paths.data("postgres-password")
}

/// The password, made on the first call.
pub fn ensure(paths: &Paths) -> Result<String, io::Error> {
    let path = file(paths);
    if let Ok(password) = fs::read_to_string(&path) {
        return Ok(password.trim().to_owned());
    }
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let password = format!("{:032x}", u128::from_be_bytes(bytes));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, &password)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::SHARD_PORTS;
    use crate::backends::postgres::url;

    #[test]
    fn the_password_is_made_once_and_is_in_the_url() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path().to_owned());
        let password = ensure(&paths).unwrap();
        assert_eq!(ensure(&paths).unwrap(), password);
        let expected = format!("postgres://payments:{password}@198.18.0.1:15432/payments");
        assert_eq!(url(&paths, SHARD_PORTS[0]), expected);
    }
}
