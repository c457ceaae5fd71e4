//! Floor 10: arguments, output, exit codes.
//!
//! Each command becomes one request to the service, sent to the running gateway or, where none
//! runs, carried out on the store directly. Results go to stdout, errors to stderr; 0 is done,
//! 1 failed, 2 wrong usage or an invalid configuration. Nothing is decided here.

mod args;
mod audit;
mod authelia;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod manual;
mod print;
mod whole;

use crate::app::{self, CallError, Greeting, RunError};
use crate::config::{self, Config, Faults, Overrides};
use crate::service::{AdminReply, AdminRequest, NewToken, NewUser, Outcome, PolicyQuestion};
use crate::types::GroupName;
use args::{
    Cli, Command, ConfigCommand, ExplainArgs, ImportArgs, ImportCommand, KeysCommand,
    PolicyCommand, SessionCommand, TokenCommand, UserCommand,
};
use clap::Parser as _;
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

/// More than any password has, in bytes.
const LONGEST_LINE: u64 = 4096;

/// Why a command did not do what it was asked.
enum Failure {
    /// It tried. Exit 1.
    Failed(String),
    /// It was asked wrongly, or told wrongly by the configuration. Exit 2.
    Wrong(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Wrong(faults.to_string())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs the command that was given.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(why)) => {
            eprintln!("vestibule: {why}");
            ExitCode::from(1)
        }
        Err(Failure::Wrong(why)) => {
            eprintln!("{}", why.trim_end());
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let json = cli.json;
    let mut overrides = cli.overrides();
    match cli.command {
        None => serve(&overrides),
        Some(Command::Serve(serve_args)) => {
            serve_args.add_to(&mut overrides);
            serve(&overrides)
        }
        Some(Command::User { command }) => {
            let request = user_request(command)?;
            administer(&load(&overrides)?, &request, json)
        }
        Some(Command::Session { command }) => {
            let request = session_request(command);
            administer(&load(&overrides)?, &request, json)
        }
        Some(Command::Token { command }) => {
            let request = token_request(command);
            administer(&load(&overrides)?, &request, json)
        }
        Some(Command::Audit { command }) => audit::run(command, &load(&overrides)?, json),
        Some(Command::Backup { command }) => whole::backup(command, &load(&overrides)?, json),
        Some(Command::Keys { command: KeysCommand::Rotate }) => {
            whole::rotate(&load(&overrides)?, json)
        }
        Some(Command::Import { command: ImportCommand::Authelia(import) }) => {
            take_in(&load(&overrides)?, &import, json)
        }
        Some(Command::Policy { command: PolicyCommand::Explain(question) }) => {
            explain(&load(&overrides)?, question, json)
        }
        Some(Command::Config { command: ConfigCommand::Check { path } }) => {
            overrides.config = path.or(overrides.config);
            check(&load(&overrides)?.with_files()?)
        }
        Some(Command::Config { command: ConfigCommand::Show }) => {
            print::line(load(&overrides)?.show().trim_end());
            Ok(())
        }
        Some(Command::Health { ready }) => health(&load(&overrides)?, ready, json),
        Some(Command::Completions { shell }) => {
            print::bytes(&manual::completions(shell));
            Ok(())
        }
        Some(Command::Man { command }) => {
            print::bytes(
                &manual::page(&command)
                    .map_err(|why| Failure::Wrong(format!("vestibule: {why}")))?,
            );
            Ok(())
        }
    }
}

fn load(overrides: &Overrides) -> Result<Config, Failure> {
    let mut environment = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => environment.push((name, value)),
            Err(_) if name.starts_with("VESTIBULE_") => {
                return Err(Failure::Wrong(format!("{name}: the value is not text (UTF-8)")));
            }
            Err(_) => {}
        }
    }
    let pairs =
        environment.iter().map(|(name, value): &(String, String)| (name.as_str(), value.as_str()));
    Ok(config::load(pairs, overrides)?)
}

fn serve(overrides: &Overrides) -> Result<(), Failure> {
    let config = load(overrides)?.with_files()?;
    let again = overrides.clone();
    let reread = move || {
        load(&again).map_err(|failure| match failure {
            Failure::Failed(why) | Failure::Wrong(why) => why,
        })
    };
    Ok(app::run(config, Arc::new(reread), |greeting: &Greeting| print::greeting(greeting))?)
}

/// Says that a configuration is valid, and whether it is the one that a running gateway goes by.
fn check(config: &Config) -> Result<(), Failure> {
    let file = config.file.as_ref().map(|path| path.display().to_string());
    let whence = file.unwrap_or_else(|| String::from("no file: the defaults"));
    print::line(&format!("{whence}: the configuration is valid"));
    // Whether one runs is beside the point.
    let Ok(running) = block_on(app::in_force(&config.admin_socket))? else { return Ok(()) };
    let since = &running.since;
    print::line(&if running.digest == config.digest() {
        format!("the running gateway has had it in force since {since}")
    } else {
        format!("the running gateway has had another in force since {since}: its log says why")
    });
    Ok(())
}

/// Asks the running gateway, or does it on the store where none runs.
fn administer(config: &Config, request: &AdminRequest, json: bool) -> Result<(), Failure> {
    print::reply(&ask(config, request)?, json);
    Ok(())
}

fn ask(config: &Config, request: &AdminRequest) -> Result<AdminReply, Failure> {
    let asked = block_on(app::call(&config.admin_socket, request))?;
    let reply = match asked {
        Err(CallError::NotRunning) => app::administer(config, request.clone())?,
        other => other?,
    };
    if let AdminReply::Failed { error } = reply {
        return Err(Failure::Failed(error.to_string()));
    }
    Ok(reply)
}

fn explain(config: &Config, explain: ExplainArgs, json: bool) -> Result<(), Failure> {
    let question = PolicyQuestion {
        user: explain.user,
        from: explain.from.into(),
        method: explain.method,
        url: explain.url,
    };
    match ask(config, &AdminRequest::PolicyExplain(question))? {
        AdminReply::Explained { decision, route, rule, reasons, .. } => {
            print::explained(&decision, route.as_deref(), rule, &reasons, json);
        }
        other => print::reply(&other, json),
    }
    Ok(())
}

/// Imports people. Done is done only where nobody is left out.
fn take_in(config: &Config, import: &ImportArgs, json: bool) -> Result<(), Failure> {
    let people = authelia::read(&import.file).map_err(Failure::Failed)?;
    let ImportArgs { dry_run, with_admins, .. } = *import;
    let reply = ask(config, &AdminRequest::UserImport { people, dry_run, with_admins })?;
    print::reply(&reply, json);
    let AdminReply::Imported { people, .. } = reply else { return Ok(()) };
    let is_left_out = |outcome: &Outcome| matches!(outcome, Outcome::Skipped { .. });
    match people.iter().filter(|person| is_left_out(&person.outcome)).count() {
        0 => Ok(()),
        some => Err(Failure::Failed(format!(
            "{some} people are left out: mend the file and run it again, or invite them with \
             `vestibule user add`"
        ))),
    }
}

fn health(config: &Config, ready: bool, json: bool) -> Result<(), Failure> {
    match block_on(app::probe(&config.admin_socket, ready))?? {
        Ok(word) => {
            print::health(&word, json);
            Ok(())
        }
        Err(word) => Err(Failure::Failed(word)),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| Failure::Failed(error.to_string()))?.block_on(future))
}

fn user_request(command: UserCommand) -> Result<AdminRequest, Failure> {
    Ok(match command {
        UserCommand::Add(add) => AdminRequest::UserAdd(NewUser {
            password: if add.password_stdin { Some(read_password()?) } else { None },
            username: add.name,
            email: add.email,
            display_name: add.display_name,
            groups: add.group,
            totp: add.totp,
            must_change_password: add.must_change_password,
        }),
        UserCommand::List => AdminRequest::UserList,
        UserCommand::Show { name } => AdminRequest::UserShow { name },
        UserCommand::Set(set) => AdminRequest::UserSet {
            name: set.name,
            email: set.email,
            display_name: set.display_name,
            groups: groups(set.group)?,
        },
        UserCommand::Disable { name } => AdminRequest::UserDisable { name },
        UserCommand::Enable { name } => AdminRequest::UserEnable { name },
        UserCommand::Remove { name } => AdminRequest::UserRemove { name },
        UserCommand::Unlock { name } => AdminRequest::UserUnlock { name },
        UserCommand::ResetMfa { name } => AdminRequest::UserResetMfa { name },
        UserCommand::ResetPassword { name } => AdminRequest::UserResetPassword { name },
    })
}

/// The whole list of groups; `""` alone is the empty one.
fn groups(named: Vec<String>) -> Result<Option<Vec<GroupName>>, Failure> {
    let is_set = !named.is_empty();
    let named = named.into_iter().filter(|name| !name.is_empty());
    let groups: Result<Vec<GroupName>, _> = named.map(|name| GroupName::parse(&name)).collect();
    let groups = groups.map_err(|why| Failure::Wrong(format!("vestibule: --group: {why}")))?;
    Ok(is_set.then_some(groups))
}

fn session_request(command: SessionCommand) -> AdminRequest {
    match command {
        SessionCommand::List { user } => AdminRequest::SessionList { user },
        SessionCommand::Revoke(revoke) => match revoke.id {
            Some(id) => AdminRequest::SessionRevoke { id },
            None => AdminRequest::SessionRevokeAll { user: revoke.user },
        },
    }
}

fn token_request(command: TokenCommand) -> AdminRequest {
    match command {
        TokenCommand::Add(add) => AdminRequest::TokenAdd(NewToken {
            name: add.name,
            user: add.user,
            expires_in: add.expires.map(|expires| expires.as_secs()),
            groups: add.group,
            networks: add.network,
            hosts: add.host,
            one_factor: add.one_factor,
        }),
        TokenCommand::List { user } => AdminRequest::TokenList { user },
        TokenCommand::Revoke { id } => AdminRequest::TokenRevoke { id },
    }
}

/// One line of standard input. Arguments are seen by everyone on the machine; this is not.
fn read_password() -> Result<String, Failure> {
    let wrong = |what: &str| Failure::Wrong(format!("vestibule: --password-stdin: {what}"));
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(LONGEST_LINE + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Failed(format!("the password cannot be read: {error}")))?;
    if bytes.len() as u64 > LONGEST_LINE {
        return Err(wrong(
            "standard input is longer than any password; pipe the password alone into it",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("the password is not text (UTF-8)"))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(wrong("standard input is empty; pipe the password into it"));
    }
    // No browser can type a line break: whoever has one could never sign in.
    if password.contains(['\n', '\r']) {
        return Err(wrong(
            "standard input has more than one line; pipe the password alone into it",
        ));
    }
    Ok(password.to_owned())
}
