//! The arguments.

use super::audit::AuditCommand;
use crate::config::Overrides;
use crate::types::{
    DisplayName, Email, GroupName, HostPattern, Network, SessionId, TokenId, Username,
};
use clap::{Args, Parser, Subcommand};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A reverse proxy that puts a password and a second factor in front of any web application.
#[derive(Parser)]
#[command(
    name = "vestibule",
    version,
    args_conflicts_with_subcommands = false,
    after_help = "Examples:\n  vestibule --upstream http://127.0.0.1:3000\n  vestibule user add ann --group admins\n  vestibule config check"
)]
pub(super) struct Cli {
    /// The configuration file [default: `$VESTIBULE_CONFIG`, else ./config.toml if present]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The folder for store, master key and administration socket
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

impl Cli {
    /// What the arguments say of the configuration.
    pub(super) fn overrides(&self) -> Overrides {
        let mut overrides = Overrides {
            config: self.config.clone(),
            data: self.data.clone(),
            ..Overrides::default()
        };
        self.serve.clone().add_to(&mut overrides);
        overrides
    }
}

#[derive(Args, Clone)]
pub(super) struct ServeArgs {
    /// Where to listen, HOST:PORT or unix:PATH; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,
    /// How browsers reach the portal
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The app to protect, instead of the routes of the configuration
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
}

impl ServeArgs {
    /// Adds what they say to what was said before.
    pub(super) fn add_to(self, overrides: &mut Overrides) {
        overrides.listen.extend(self.listen);
        overrides.public_url = self.public_url.or(overrides.public_url.take());
        overrides.upstream = self.upstream.or(overrides.upstream.take());
    }
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run the gateway (also without any command)
    #[command(
        after_help = "Example:\n  vestibule serve --upstream http://127.0.0.1:3000 --listen 127.0.0.1:8080"
    )]
    Serve(ServeArgs),
    /// People
    #[command(after_help = "Example:\n  vestibule user add ann --group admins")]
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Sessions
    #[command(after_help = "Example:\n  vestibule session list --user ann")]
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// Access tokens for programs
    #[command(after_help = "Example:\n  vestibule token add backup --user ann --expires 90d")]
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// The audit trail: what happened, by whom, to whom, from where
    #[command(after_help = "Example:\n  vestibule audit list --user ann --since 7d")]
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Move in from another program
    #[command(after_help = "Example:\n  vestibule import authelia --dry-run users_database.yml")]
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Everything in one file, sealed with the master key, which is not in it
    #[command(after_help = "Example:\n  vestibule backup create /var/backups/vestibule.backup")]
    Backup {
        #[command(subcommand)]
        command: BackupCommand,
    },
    /// The master key
    #[command(after_help = "Example:\n  vestibule keys rotate")]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Rules
    #[command(
        after_help = "Example:\n  vestibule policy explain --user ann GET https://grafana.example.com/"
    )]
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// The configuration
    #[command(after_help = "Example:\n  vestibule config check /etc/vestibule/config.toml")]
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Exit 0 when the running gateway is up: a container's health check
    #[command(after_help = "Example:\n  vestibule health --ready")]
    Health {
        /// Also ask whether it takes requests: the store answers, and it is not stopping
        #[arg(long)]
        ready: bool,
    },
    /// Print what a shell has to know to complete commands
    #[command(
        after_help = "Examples:\n  vestibule completions bash > /etc/bash_completion.d/vestibule\n  vestibule completions zsh > ~/.zfunc/_vestibule"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of a command
    #[command(
        after_help = "Examples:\n  vestibule man > /usr/local/share/man/man1/vestibule.1\n  vestibule man user add | man -l -"
    )]
    Man {
        /// The command, like `user add`
        command: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Add a person; without --password-stdin, prints a one-time invitation link
    #[command(
        after_help = "Examples:\n  vestibule user add ann --email ann@example.com --group admins\n  printf %s \"$PASSWORD\" | vestibule user add bob --password-stdin --totp --json"
    )]
    Add(AddArgs),
    /// List everyone
    #[command(after_help = "Example:\n  vestibule user list --json")]
    List,
    /// Show one person
    #[command(after_help = "Example:\n  vestibule user show ann")]
    Show {
        /// Username or e-mail address
        name: String,
    },
    /// Replace what is named: e-mail address, display name, the whole list of groups
    #[command(after_help = "Example:\n  vestibule user set ann --group admins --group staff")]
    Set(SetArgs),
    /// Keep a person out and end their sessions
    #[command(after_help = "Example:\n  vestibule user disable ann")]
    Disable {
        /// Username or e-mail address
        name: String,
    },
    /// Let a disabled person in again
    #[command(after_help = "Example:\n  vestibule user enable ann")]
    Enable {
        /// Username or e-mail address
        name: String,
    },
    /// Remove a person with everything that is theirs
    #[command(after_help = "Example:\n  vestibule user remove ann")]
    Remove {
        /// Username or e-mail address
        name: String,
    },
    /// Forget a person's failed tries
    #[command(after_help = "Example:\n  vestibule user unlock ann")]
    Unlock {
        /// Username or e-mail address
        name: String,
    },
    /// Take the second factor away; prints a one-time link for a new one
    #[command(after_help = "Example:\n  vestibule user reset-mfa ann")]
    ResetMfa {
        /// Username or e-mail address
        name: String,
    },
    /// Void the password; prints a one-time link for a new one. The second factor stays
    #[command(after_help = "Example:\n  vestibule user reset-password ann")]
    ResetPassword {
        /// Username or e-mail address
        name: String,
    },
}

#[derive(Args)]
pub(super) struct AddArgs {
    /// What they sign in with
    pub(super) name: Username,
    /// Also good for signing in
    #[arg(long)]
    pub(super) email: Option<Email>,
    /// How they write their name
    #[arg(long)]
    pub(super) display_name: Option<DisplayName>,
    /// A group; may be given several times
    #[arg(long)]
    pub(super) group: Vec<GroupName>,
    /// Read the password from standard input
    #[arg(long)]
    pub(super) password_stdin: bool,
    /// Enrol a second factor at once; prints its secret and the recovery codes
    #[arg(long)]
    pub(super) totp: bool,
    /// Ask for another password at the first sign-in
    #[arg(long)]
    pub(super) must_change_password: bool,
}

#[derive(Args)]
pub(super) struct SetArgs {
    /// Username or e-mail address
    pub(super) name: String,
    /// A new e-mail address; "" takes it away
    #[arg(long)]
    pub(super) email: Option<String>,
    /// A new display name; "" takes it away
    #[arg(long)]
    pub(super) display_name: Option<String>,
    /// A group of the new list; may be given several times; "" alone empties the list
    #[arg(long)]
    pub(super) group: Vec<String>,
}

#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// List sessions
    #[command(after_help = "Example:\n  vestibule session list --user ann")]
    List {
        /// Only this person's
        #[arg(long)]
        user: Option<String>,
    },
    /// End one session, a person's, or all
    #[command(
        after_help = "Examples:\n  vestibule session revoke 0f3c9a…\n  vestibule session revoke --user ann\n  vestibule session revoke --all"
    )]
    Revoke(RevokeArgs),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct RevokeArgs {
    /// The session's id, as `session list` shows it
    #[arg(value_parser = session_id)]
    pub(super) id: Option<SessionId>,
    /// All of this person's
    #[arg(long)]
    pub(super) user: Option<String>,
    /// Everyone's
    #[arg(long)]
    pub(super) all: bool,
}

fn session_id(text: &str) -> Result<SessionId, &'static str> {
    SessionId::parse(text).ok_or("a session's id is 32 hexadecimal digits")
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token, which is shown once
    #[command(
        after_help = "Example:\n  vestibule token add backup --user ann --expires 90d --network 10.0.0.0/8 --host grafana.example.com"
    )]
    Add(TokenArgs),
    /// List tokens
    #[command(after_help = "Example:\n  vestibule token list --user ann")]
    List {
        /// Only this person's
        #[arg(long)]
        user: Option<String>,
    },
    /// End a token
    #[command(after_help = "Example:\n  vestibule token revoke 0f3c9a…")]
    Revoke {
        /// The token's id, as `token list` shows it
        #[arg(value_parser = token_id)]
        id: TokenId,
    },
}

#[derive(Args)]
pub(super) struct TokenArgs {
    /// What it is called
    pub(super) name: DisplayName,
    /// In whose name it speaks: username or e-mail address
    #[arg(long)]
    pub(super) user: String,
    /// When it ends, like 90d; without, when it is revoked
    #[arg(long, value_name = "DURATION", value_parser = crate::config::duration)]
    pub(super) expires: Option<Duration>,
    /// A group it has, of those the person is in; may be given several times; without, all
    #[arg(long)]
    pub(super) group: Vec<GroupName>,
    /// Where its user may be, in CIDR notation; may be given several times; without, anywhere
    #[arg(long, value_name = "CIDR")]
    pub(super) network: Vec<Network>,
    /// A host it is for, like grafana.example.com or *.example.com; may be given several times;
    /// without, every host
    #[arg(long)]
    pub(super) host: Vec<HostPattern>,
    /// Count it as one factor only
    #[arg(long)]
    pub(super) one_factor: bool,
}

fn token_id(text: &str) -> Result<TokenId, &'static str> {
    TokenId::parse(text).ok_or("a token's id is 32 hexadecimal digits")
}

#[derive(Subcommand)]
pub(super) enum ImportCommand {
    /// Take over people, groups and passwords from an Authelia user file
    ///
    /// Nobody has to choose a new password: each one's hash is checked as it is at the next
    /// sign-in, and replaced by Argon2id then. Who is there already stays as they are. Second
    /// factors are not in that file: people enrol a new one when a rule asks for it. Members of the
    /// group admins administer the gateway, so nobody is taken over into it without being asked.
    #[command(
        after_help = "Examples:\n  vestibule import authelia --dry-run users_database.yml\n  vestibule import authelia users_database.yml"
    )]
    Authelia(ImportArgs),
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// The user file, in YAML
    pub(super) file: PathBuf,
    /// Only say what would become of each person
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Take over the group admins too: its members administer the gateway
    #[arg(long)]
    pub(super) with_admins: bool,
}

#[derive(Subcommand)]
pub(super) enum BackupCommand {
    /// Make a backup, also while the gateway runs
    #[command(after_help = "Example:\n  vestibule backup create /var/backups/vestibule.backup")]
    Create {
        /// Where to write it
        file: PathBuf,
    },
    /// Read a backup to its end, and say what is in it
    #[command(after_help = "Example:\n  vestibule backup verify /var/backups/vestibule.backup")]
    Verify {
        /// The backup
        file: PathBuf,
    },
    /// Make the store anew from a backup, while no gateway runs. Everybody signs in again
    #[command(after_help = "Example:\n  vestibule backup restore /var/backups/vestibule.backup")]
    Restore {
        /// The backup
        file: PathBuf,
        /// Also where there is a store with people in it, which is kept beside the new one
        #[arg(long)]
        force: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make a new master key and seal everything with it, while no gateway runs. Whoever is
    /// interrupted runs it again
    #[command(after_help = "Example:\n  vestibule keys rotate")]
    Rotate,
}

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Say which route and which rule decide about a request, and why
    #[command(
        after_help = "Example:\n  vestibule policy explain --user ann --from 10.1.2.3 GET https://grafana.example.com/api/health"
    )]
    Explain(ExplainArgs),
}

#[derive(Args)]
pub(super) struct ExplainArgs {
    /// Who sends it, signed in by all they have: username or e-mail address; without, nobody known
    #[arg(long)]
    pub(super) user: Option<String>,
    /// From where
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub(super) from: IpAddr,
    /// The method
    pub(super) method: String,
    /// What it asks for
    pub(super) url: String,
}

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Say everything that is wrong with the configuration
    #[command(after_help = "Example:\n  vestibule config check /etc/vestibule/config.toml")]
    Check {
        /// The file, instead of the one that would be used
        path: Option<PathBuf>,
    },
    /// Print the configuration in force, secrets masked
    #[command(after_help = "Example:\n  vestibule config show")]
    Show,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.starts_with("Example") && help.contains(name), "{name}: {help:?}");
            command.get_subcommands().for_each(check);
        }
        Cli::command().debug_assert();
        check(&Cli::command());
    }
}
