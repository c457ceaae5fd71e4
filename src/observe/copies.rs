//! Copies of the audit trail, for whoever collects such things elsewhere.
//!
//! A file gets each entry as a line of JSON, a syslog as a message of RFC 5424 with that line.
//! Copies follow the trail and do not replace it: what cannot be copied now is copied later, from
//! where the file ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// Where copies go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// A file.
    pub file: Option<PathBuf>,
    /// A syslog.
    pub syslog: Option<Syslog>,
}

/// Where a syslog listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Syslog {
    /// At a socket of this machine.
    Unix(PathBuf),
    /// At an address.
    Udp(SocketAddr),
}

/// More than any entry is long.
const LONGEST: u64 = 64 * 1024;

/// What `facility` and `severity` make: security, and for information.
const PRIORITY: u8 = 10 * 8 + 6;

/// The last whole line of a file, if there is one. What is after it was not written to its end.
pub fn last_line(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2 * LONGEST)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let mut lines = end.rsplit(|byte| *byte == b'\n');
    // What comes after the last line feed.
    let _unfinished = lines.next();
    Ok(lines.next().filter(|line| !line.is_empty()).map(<[u8]>::to_vec))
}

/// Adds lines to a file and brings them to the disk. What was not written to its end goes first.
pub fn add_lines(path: &Path, lines: &[String]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    drop_unfinished(&mut file)?;
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

fn drop_unfinished(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    match u64::try_from(whole).map_err(io::Error::other)? {
        whole if from + whole < length => file.set_len(from + whole),
        _ => Ok(()),
    }
}

impl Syslog {
    /// Sends lines, each with the moment it tells of.
    pub fn send(&self, lines: &[(String, String)]) -> io::Result<()> {
        let message = |(at, line): &(String, String)| {
            format!("<{PRIORITY}>1 {at} - vestibule {} audit - {line}", std::process::id())
        };
        match self {
            Self::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                lines.iter().try_for_each(|line| socket.send(message(line).as_bytes()).map(drop))
            }
            Self::Udp(to) => {
                let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any)?;
                socket.connect(to)?;
                lines.iter().try_for_each(|line| socket.send(message(line).as_bytes()).map(drop))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_is_neither_the_last_nor_glued_to_the_next() {
        let folder = std::env::temp_dir().join(format!("vestibule-copies-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("audit.jsonl");
        let _ = std::fs::remove_file(&path);
        assert_eq!(last_line(&path).unwrap(), None);
        add_lines(&path, &["{\"seq\":1}".into(), "{\"seq\":2}".into()]).unwrap();
        assert_eq!(last_line(&path).unwrap().unwrap(), b"{\"seq\":2}");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"seq\":3").unwrap();
        assert_eq!(last_line(&path).unwrap().unwrap(), b"{\"seq\":2}");
        add_lines(&path, &["{\"seq\":3}".into()]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3}\n");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
