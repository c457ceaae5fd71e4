//! What is written for shells and for readers, from the arguments themselves.

use super::args::Cli;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// What a shell has to know to complete commands.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vestibule", &mut script);
    script
}

/// The page about a command, or about all of them where none is named.
pub(super) fn page(path: &[String]) -> Result<Vec<u8>, String> {
    let mut command = Cli::command();
    // From here on every command knows its whole name and the options that all have.
    command.build();
    for name in path {
        let Some(below) = command.find_subcommand(name) else {
            return Err(format!("there is no command {}: see `vestibule --help`", path.join(" ")));
        };
        command = below.clone();
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).manual("vestibule").render(&mut page);
    rendered.map(|()| page).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        found.push(path.to_vec());
        for below in command.get_subcommands() {
            pages(below, &[path, &[below.get_name().to_owned()]].concat(), found);
        }
    }

    #[test]
    fn every_command_has_a_page_and_every_page_of_a_command_an_example() {
        let (root, mut paths) = (Cli::command(), Vec::new());
        pages(&root, &[], &mut paths);
        assert!(paths.len() > 20);
        for path in paths {
            let text = String::from_utf8(page(&path).unwrap()).unwrap();
            let name = [&["vestibule".to_owned()], path.as_slice()].concat().join("\\-");
            assert!(text.contains(&format!(".TH {}", name.replace("\\-", "-"))), "{name}: {text}");
            assert!(text.contains("Example"), "{name}: {text}");
        }
        assert!(page(&["user".into(), "eat".into()]).unwrap_err().contains("user eat"));
    }

    #[test]
    fn shells_learn_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = String::from_utf8(completions(shell)).unwrap();
            for word in ["vestibule", "reset-password", "authelia", "dry-run"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
