//! Every text of the console, in each language.

mod english;
mod french;
mod german;
mod japanese;
mod spanish;

use crate::http::Language;

/// Declares the texts: those that stand as they are, those that count, and those about somebody.
macro_rules! words {
    ($($(#[$doc:meta])* $kind:ident { $($name:ident,)* })*) => {
        /// The texts of the console in one language.
        pub(super) struct ConsoleWords {
            $($(pub $name: words!(@type $kind),)*)*
        }

        #[cfg(test)]
        impl ConsoleWords {
            /// Every text by its name.
            fn texts(&self) -> Vec<(&'static str, String)> {
                vec![$($((stringify!($name), words!(@text $kind self.$name)),)*)*]
            }
        }
    };
    (@type plain) => { &'static str };
    (@type counting) => { fn(usize) -> String };
    (@type about) => { fn(&str) -> String };
    (@type pages) => { fn(usize, usize) -> String };
    (@text plain $text:expr) => { $text.to_owned() };
    (@text counting $text:expr) => { ($text)(2) };
    (@text about $text:expr) => { ($text)("ann") };
    (@text pages $text:expr) => { ($text)(2, 3) };
}

words! {
    plain {
        // The frame.
        title, account, overview, users, sessions, times_are_utc,
        // Shared.
        none, never, search, count, previous, next, first, last, pages_label, actions,
        // How it stands with somebody.
        state, any_state, enrolled, no_factor, disabled, locked, invited,
        // The overview.
        by_state, total, live_sessions, starts_title, starts_hint, hour, starts, as_table,
        // Everyone.
        username, email, display_name, groups, search_users, add_user, nobody_found,
        // Adding somebody.
        add_title, add_hint, groups_hint, optional_hint, add,
        // What is shown once.
        link, link_once, link_invite, link_factor, link_password, to_user, add_another,
        token_value, token_once, token_use,
        // One person.
        details, password, password_set, password_missing, password_must_change, second_factor,
        locked_until, created, edit, save, access,
        disable, disable_hint, enable, enable_hint, unlock, unlock_hint,
        reset_factor, reset_factor_hint, reset_password, reset_password_hint,
        remove, remove_hint, own_account,
        // Sessions.
        device, address, since, last_seen, ends, revoke, revoke_all,
        no_sessions, filter_by_user, this_session,
        // Access tokens.
        tokens, no_tokens, token_name, expires, limits, anywhere, revoke_token, make_token, make_token_hint,
        days, days_hint, hosts, hosts_hint, networks, networks_hint, token_groups,
        token_groups_hint, one_factor, make,
        // Removing somebody.
        lost, lost_account, lost_factor, no_way_back, remove_yes, remove_no,
        // What was done.
        done_saved, done_disabled, done_enabled, done_unlocked, done_removed, done_revoked,
        done_revoked_all, done_token_revoked,
        // What was not.
        failed, no_such, taken, bad_username, bad_email, bad_display_name, bad_group,
        bad_token_name, bad_days, bad_host, bad_network, unknown_act,
        own_disable, own_remove, own_admins, own_reset, overtaken,
    }
    counting {
        users_found, sessions_found, sessions_started, codes_left, lost_sessions, lost_tokens,
    }
    about {
        added_title, link_title, token_title, remove_title,
    }
    pages {
        page_of,
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

    /// What two languages happen to share.
    const SHARED: [(Language, &[&str]); 5] = [
        (Language::English, &[]),
        (Language::German, &["hosts"]),
        (Language::French, &["sessions", "actions", "total"]),
        (Language::Spanish, &["total"]),
        (Language::Japanese, &[]),
    ];

    #[test]
    fn every_text_is_there_in_every_language() {
        let english = ConsoleWords::of(Language::English).texts();
        for (language, shared) in SHARED {
            for ((name, text), (_, plain)) in
                ConsoleWords::of(language).texts().iter().zip(&english)
            {
                assert!(!text.trim().is_empty(), "{language:?} {name}");
                let may_be_same = language == Language::English || shared.contains(name);
                assert!(may_be_same || text != plain, "{language:?} {name}: {text}");
            }
        }
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
