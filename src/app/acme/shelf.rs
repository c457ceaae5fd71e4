//! What is kept of an authority: our account with it, and its certificates. For their owner alone,
//! and each file written beside its place and moved there, so that none is ever half there.

use super::super::private_folder;
use crate::proxy::Fetching;
use crate::types::{Host, Timestamp};
use instant_acme::AccountCredentials;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where it is kept.
pub(super) struct Shelf<'f>(&'f Fetching);

impl<'f> Shelf<'f> {
    pub(super) const fn of(fetching: &'f Fetching) -> Self {
        Self(fetching)
    }

    /// Whether something can be kept.
    pub(super) fn probe(&self) -> Result<(), String> {
        let file = self.account_file();
        let draft = self.draft(&file, "what is written before anybody is asked")?;
        std::fs::remove_file(&draft)
            .map_err(|error| format!("cannot remove {}: {error}", draft.display()))
    }

    /// When the certificate that is kept for a name is to be replaced, if there is one.
    pub(super) fn due(&self, name: &Host) -> Option<Timestamp> {
        Fetching::due(&self.0.file(name), name)
    }

    /// Keeps a certificate with its key, once it was seen to be one for this name; when it is to be
    /// replaced.
    pub(super) fn keep(&self, name: &Host, pem: &str) -> Result<Timestamp, String> {
        let file = self.0.file(name);
        let draft = self.draft(&file, pem)?;
        let due = Fetching::due(&draft, name);
        let due = due.ok_or("what it sent is no certificate for that name with our key")?;
        self.put(&draft, &file)?;
        self.forget_failures(name);
        Ok(due)
    }

    /// How often it failed since it last went well, and when it is to be tried again.
    pub(super) fn failures(&self, name: &Host) -> Option<(u32, Timestamp)> {
        let text = std::fs::read_to_string(self.failures_file(name)).ok()?;
        let (failures, next) = text.split_once(' ')?;
        Some((failures.parse().ok()?, Timestamp::from_secs(next.parse().ok()?)))
    }

    /// Keeps that for after a restart.
    pub(super) fn keep_failures(
        &self,
        name: &Host,
        failures: u32,
        next: Timestamp,
    ) -> Result<(), String> {
        let file = self.failures_file(name);
        let draft = self.draft(&file, &format!("{failures} {}", next.as_secs()))?;
        self.put(&draft, &file)
    }

    /// It went well.
    pub(super) fn forget_failures(&self, name: &Host) {
        // One that stays behind would only be waited for.
        let _ = std::fs::remove_file(self.failures_file(name));
    }

    fn failures_file(&self, name: &Host) -> PathBuf {
        self.0.folder.join(format!("{name}.failures"))
    }

    /// Our account, if there is one.
    pub(super) fn account(&self) -> Result<Option<AccountCredentials>, String> {
        let file = self.account_file();
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
        };
        // The parser's own words may quote what is in it: a key.
        serde_json::from_slice(&text).map(Some).map_err(|_| {
            format!("{} is no account: put it back, or remove it for a new one", file.display())
        })
    }

    /// Keeps our account.
    pub(super) fn keep_account(&self, account: &AccountCredentials) -> Result<(), String> {
        let text = serde_json::to_string(account).map_err(|error| error.to_string())?;
        let file = self.account_file();
        let draft = self.draft(&file, &text)?;
        self.put(&draft, &file)
    }

    fn account_file(&self) -> PathBuf {
        self.0.folder.join("account.json")
    }

    fn draft(&self, file: &Path, text: &str) -> Result<PathBuf, String> {
        private_folder(&self.0.folder).map_err(|error| error.to_string())?;
        let draft = file.with_added_extension("new");
        let write = || -> io::Result<()> {
            // One that was left behind may have another mode.
            match std::fs::remove_file(&draft) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let options = &mut OpenOptions::new();
            let mut draft = options.write(true).create_new(true).mode(0o600).open(&draft)?;
            draft.write_all(text.as_bytes())?;
            draft.sync_all()
        };
        write().map_err(|error| format!("cannot write {}: {error}", draft.display()))?;
        Ok(draft)
    }

    fn put(&self, draft: &Path, file: &Path) -> Result<(), String> {
        let moved = std::fs::rename(draft, file);
        let moved = moved.and_then(|()| File::open(&self.0.folder)?.sync_all());
        moved.map_err(|error| format!("cannot write {}: {error}", file.display()))
    }
}
