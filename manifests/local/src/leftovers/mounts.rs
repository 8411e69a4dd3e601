//! The mounts below a folder.

use std::path::{Path, PathBuf};

use rustix::mount::UnmountFlags;

use crate::file::FileError;

/// The mount points below `folder`, deepest first.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut points: Vec<_> = points_of(&table)
        .into_iter()
        .filter(|point| point.starts_with(folder))
        .collect();
    // The table lists mounts in the order they were made; the latest lies on top.
    points.reverse();
    points.sort_by_key(|point| std::cmp::Reverse(point.components().count()));
    points
}

/// Unmounts everything below `folder`. What is still in use vanishes from the tree at once and
/// from the kernel with its last user.
pub fn unmount(folder: &Path) -> Result<(), FileError> {
    for point in below(folder) {
        rustix::mount::unmount(&point, UnmountFlags::DETACH)
            .map_err(|error| FileError::of("unmount", &point)(error.into()))?;
    }
    Ok(())
}

/// The fifth field of each line, with the octal escapes of blanks undone.
fn points_of(table: &str) -> Vec<PathBuf> {
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| point.replace("\\040", " ").replace("\\011", "\t").into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_blanks() {
        let table = "36 35 98:0 / /a rw - ext4 /dev/x rw\n37 36 0:5 / /a/b\\040c rw - proc p rw\n";
        assert_eq!(
            points_of(table),
            [PathBuf::from("/a"), PathBuf::from("/a/b c")]
        );
    }
}
