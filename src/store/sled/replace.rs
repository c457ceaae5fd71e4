//! One folder in the place of another, at one stroke.

use super::OpenError;
use super::marker::sync_folder;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::path::Path;

/// Puts a folder in the place of another, which takes the first one's name: after a power cut
/// both have their old names, or both their new ones. Where nothing is there yet, it just moves.
pub(in crate::store) fn exchange(new: &Path, place: &Path) -> Result<(), OpenError> {
    let moved = if super::SledEngine::is_made(place) {
        renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE).map_err(unable)
    } else {
        fs::rename(new, place)
    };
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
    moved
        .and_then(|()| sync_folder(parent.unwrap_or_else(|| Path::new("."))))
        .map_err(|error| OpenError::io(place, error))
}

fn unable(error: Errno) -> io::Error {
    match error {
        Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => io::Error::other(
            "this file system cannot exchange two folders at one stroke: copy the data folder to \
             one that can (ext4, xfs, btrfs), and try again there",
        ),
        other => other.into(),
    }
}

/// Removes a folder with everything in it, if it is there.
pub(in crate::store) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
