//! `vestibule backup` and `vestibule keys`.

use super::args::BackupCommand;
use super::{Failure, print};
use crate::app;
use crate::config::Config;
use serde_json::json;

pub(super) fn backup(command: BackupCommand, config: &Config, json: bool) -> Result<(), Failure> {
    let (summary, restored) = match command {
        BackupCommand::Create { file } => (app::make_backup(config, &file)?, None),
        BackupCommand::Verify { file } => (app::check_backup(config, &file)?, None),
        BackupCommand::Restore { file, force } => {
            let restored = app::restore_backup(config, &file, force)?;
            (restored.held, Some((restored.kept, restored.was_asked)))
        }
    };
    let made_at = summary.made_at.rfc3339();
    if json {
        let old = restored.and_then(|(kept, _)| kept).map(|path| path.display().to_string());
        let all = json!({"version": summary.version, "made_at": made_at, "rows": summary.rows,
            "users": summary.users, "sessions": summary.sessions, "replaced_store": old});
        print::line(&all.to_string());
        return Ok(());
    }
    print::line(&format!(
        "a backup of {made_at}, whole (version {}): {} rows, {} users, {} sessions",
        summary.version, summary.rows, summary.users, summary.sessions
    ));
    let Some((kept, was_asked)) = restored else { return Ok(()) };
    print::line(
        "restored: everybody signs in again, with a code that is shown a minute from now or later.\n\
         What was done since then is undone: people and passwords are as they were.",
    );
    print::line(if was_asked {
        "Recovery codes that were used since then, access tokens that were revoked and people who\n\
         were disabled stay so, as the store that was there has it."
    } else {
        "Recovery codes that were used since then work again, and so do access tokens that were\n\
         revoked: see `vestibule user reset-mfa` and `vestibule token revoke`."
    });
    if let Some(kept) = kept {
        print::line(&format!(
            "the store that was there is kept as {}: remove it when it is not needed any more",
            kept.display()
        ));
    }
    Ok(())
}

pub(super) fn rotate(config: &Config, json: bool) -> Result<(), Failure> {
    let kept = app::rotate_keys(config)?;
    let kept = kept.display();
    if json {
        print::line(&json!({"old_key": kept.to_string()}).to_string());
        return Ok(());
    }
    print::line(&format!(
        "everything is sealed with a new master key: copy it to where you keep such keys.\n\
         The old key is kept as {kept}: backups made until now open with it. Remove it with the\n\
         last of them."
    ));
    Ok(())
}
