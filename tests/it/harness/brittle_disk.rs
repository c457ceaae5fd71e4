//! A disk that can fail under a process that is writing to it, as disks do: what is on it can still
//! be read, and nothing can be written any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An ext4 file system in a file, gone when dropped.
pub struct BrittleDisk {
    image: PathBuf,
    at: PathBuf,
}

impl BrittleDisk {
    /// Nothing where it cannot be mounted, which only an ordinary user's machine may be excused
    /// for.
    pub fn mount(image: PathBuf, at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        let disk = Self { image, at: at.to_owned() };
        if run("mkfs.ext4", &["-q", "-F", disk.image()]) && disk.try_mount() {
            return Some(disk);
        }
        let in_ci = std::env::var("CI").is_ok_and(|set| set == "true");
        assert!(!in_ci, "this test mounts a file as a disk, which takes root: run it as root");
        println!("skipped: only root may mount the disk that this test breaks");
        None
    }

    fn image(&self) -> &str {
        self.image.to_str().unwrap()
    }

    fn try_mount(&self) -> bool {
        let at = self.at.to_str().unwrap();
        run("mount", &["-o", "loop,errors=remount-ro", self.image(), at])
    }

    /// Lets the file system find an error on the disk.
    pub fn fail(&self) {
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        let is_it = |line: &&str| line.split(' ').nth(1) == self.at.to_str();
        let device = mounts.lines().find(is_it).and_then(|line| line.split(' ').next()).unwrap();
        let name = device.strip_prefix("/dev/").unwrap();
        fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "a test").unwrap();
        assert!(fs::write(self.at.join("x"), "x").is_err(), "it still takes something");
    }

    /// Repairs it, as an operator does once nobody uses it.
    pub fn mend(&self) {
        assert!(run("umount", &[self.at.to_str().unwrap()]));
        run("e2fsck", &["-p", "-f", self.image()]);
        assert!(self.try_mount());
    }

    /// Lets nothing be written to it from the start. Nobody may use it meanwhile.
    pub fn make_read_only(&self) {
        assert!(run("mount", &["-o", "remount,ro", self.at.to_str().unwrap()]));
    }
}

fn run(command: &str, args: &[&str]) -> bool {
    // Administrators' commands are not on everybody's path.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new("env").arg(format!("PATH={path}")).arg(command).args(args).output();
    output.is_ok_and(|output| output.status.success())
}

impl Drop for BrittleDisk {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.at.to_str().unwrap()]);
    }
}
