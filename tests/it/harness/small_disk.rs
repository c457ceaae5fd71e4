//! A disk that can be filled without harm to anybody else.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory, gone when dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing where it cannot be mounted, which only an ordinary user's machine may be excused
    /// for.
    pub fn mount(at: &Path, mib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        if mount.is_ok_and(|run| run.status.success()) {
            return Some(Self(at.to_owned()));
        }
        let in_ci = std::env::var("CI").is_ok_and(|set| set == "true");
        assert!(!in_ci, "this test mounts a small tmpfs, which takes root: run it as root");
        println!("skipped: only root may mount the small disk this test needs");
        None
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        for size in [1 << 16, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
    }

    pub fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
