//! What is said in the console alone, in each language. What other pages say too, the console takes
//! from [`Words`](crate::http::Words).

mod english;
mod french;
mod german;
mod japanese;
mod spanish;

use crate::http::Language;
use crate::http::words::{Text, words};

words! {
    /// The texts of the console in one language.
    ConsoleWords {
        // The frame.
        title, overview, users, sessions, times_are_utc: Text;
        // Shared.
        never, search, count, actions: Text;
        // How it stands with somebody.
        state, any_state, enrolled, no_factor, disabled, locked, invited: Text;
        // The overview.
        by_state, total, live_sessions, starts_title, starts_hint, hour, starts, as_table: Text;
        // Everyone.
        email, display_name, search_users, add_user, nobody_found: Text;
        // Adding somebody.
        add_hint, groups_hint, optional_hint, add: Text;
        // What is shown once.
        link, link_once, link_invite, link_factor, link_password, to_user, add_another,
        token_value, token_once, token_use: Text;
        // One person.
        details, password_set, password_missing, password_must_change, locked_until, created,
        edit, save, access, disable, disable_hint, enable, enable_hint, unlock, unlock_hint,
        reset_factor, reset_factor_hint, reset_password, reset_password_hint, remove, remove_hint,
        own_account: Text;
        // Sessions.
        device, address, since, last_seen, ends, revoke, revoke_all, no_sessions,
        this_session: Text;
        // Access tokens.
        tokens, no_tokens, token_name, expires, limits, anywhere, revoke_token, make_token,
        make_token_hint, days, days_hint, hosts, hosts_hint, networks, networks_hint,
        token_groups, token_groups_hint, one_factor, make: Text;
        // Removing somebody.
        lost, lost_account, lost_factor, no_way_back, remove_yes, remove_no: Text;
        // What was done.
        done_saved, done_disabled, done_enabled, done_unlocked, done_removed, done_revoked,
        done_revoked_all, done_token_revoked: Text;
        // What was not.
        no_such, taken, bad_token_name, bad_days, bad_host, bad_network, invalid, unknown_act,
        own_disable, own_remove, own_admins, own_reset, overtaken: Text;
        users_found, sessions_found, sessions_started, codes_left, lost_sessions,
        lost_tokens: fn(usize) -> String;
        added_title, link_title, token_title, remove_title: fn(&str) -> String;
    }
}

impl ConsoleWords {
    /// The texts in a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &english::WORDS,
            Language::German => &german::WORDS,
            Language::French => &french::WORDS,
            Language::Spanish => &spanish::WORDS,
            Language::Japanese => &japanese::WORDS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::words::tests::{Said as _, assert_said_in_each};

    #[test]
    fn every_text_is_there_in_every_language_and_keeps_its_customs() {
        let shared = ["title", "sessions", "actions", "total", "hosts"];
        assert_said_in_each(&shared, |language, all| ConsoleWords::of(language).said("", all));
    }

    #[test]
    fn a_language_that_tells_one_from_many_does_so_here() {
        for language in [Language::English, Language::German, Language::French, Language::Spanish] {
            let words = ConsoleWords::of(language);
            for count in [
                words.users_found,
                words.sessions_found,
                words.codes_left,
                words.lost_sessions,
                words.lost_tokens,
            ] {
                assert_ne!(count(1).replace('1', "2"), count(2), "{language:?}");
            }
        }
    }
}
