//! Whether files have changed: a look every second at what is told about them, not at what is in
//! them. A link is followed to where it leads now, so that a folder that is swapped as a whole, as
//! Kubernetes does with its config maps, is seen as well.

use super::disk::Disk;
use std::collections::BTreeMap;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What is told about a file; nothing of one that is not there.
type Told = Option<(u64, u64, u64, [i64; 4])>;

/// How some files were at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look(BTreeMap<PathBuf, Told>);

impl Look {
    /// Looks at them. Waits for the disk.
    pub(super) fn at(files: Vec<PathBuf>) -> Self {
        Self(files.into_iter().map(|path| (path.clone(), told(&path))).collect())
    }

    /// Looks at the same files again, if the disk answers.
    pub(super) async fn again(&self, disk: &mut Disk) -> Option<Self> {
        let files = self.0.keys().cloned().collect();
        disk.ask(move || Self::at(files)).await
    }

    /// What was told earlier, as far as that is known, counts in its place.
    pub(super) fn or_earlier(mut self, earlier: &Self) -> Self {
        for (path, told) in &mut self.0 {
            *told = earlier.0.get(path).copied().unwrap_or(*told);
        }
        self
    }
}

fn told(path: &Path) -> Told {
    let file = metadata(path).ok()?;
    let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()];
    Some((file.dev(), file.ino(), file.size(), times))
}
