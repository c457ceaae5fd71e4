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
        by_state, total, live_sessions, hour, as_table, day, sign_ins, refused, to_trail: Text;
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
        // The audit trail.
        trail, trail_hint, trail_empty, when, what, whom, by_whom, more, any_event, period,
        any_time, last_hour, last_day, last_week, last_month, older, newest, looked, by_command,
        by_gateway, by_person: Text;
        // What happened, there.
        ev_signed_in, ev_sign_in_failed, ev_signed_out, ev_enrolled, ev_factor_shown,
        ev_factor_removed, ev_codes_renewed, ev_registered, ev_locked_out, ev_program,
        ev_refresh_reused, ev_code_used, ev_password, ev_link_used, ev_user_added,
        ev_user_changed, ev_user_removed, ev_token_added, ev_token_revoked, ev_revoked,
        ev_pruned, ev_backup, ev_restored, ev_keys, ev_reloaded: Text;
        // And more closely.
        de_credentials, de_code, de_code_reused, de_locked, de_address_rate, de_account_rate,
        de_set, de_disabled, de_enabled, de_unlocked, de_factor_reset, de_password_reset: Text;
        // What was done.
        done_saved, done_disabled, done_enabled, done_unlocked, done_removed, done_revoked,
        done_revoked_all, done_token_revoked: Text;
        // What was not.
        no_such, taken, bad_token_name, bad_days, bad_host, bad_network, invalid, unknown_act,
        own_disable, own_remove, own_admins, own_reset, overtaken: Text;
        users_found, sessions_found, entries_shown, codes_left, lost_sessions,
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

impl ConsoleWords {
    /// What an event of the audit trail is called, by its stable name.
    pub fn event(&self, name: &str) -> Option<Text> {
        Some(match name {
            "signed_in" => self.ev_signed_in,
            "sign_in_failed" => self.ev_sign_in_failed,
            "signed_out" => self.ev_signed_out,
            "enrolled" => self.ev_enrolled,
            "second_factor_shown" => self.ev_factor_shown,
            "second_factor_removed" => self.ev_factor_removed,
            "recovery_codes_renewed" => self.ev_codes_renewed,
            "registered" => self.ev_registered,
            "locked_out" => self.ev_locked_out,
            "program_signed_in" => self.ev_program,
            "refresh_reused" => self.ev_refresh_reused,
            "recovery_code_used" => self.ev_code_used,
            "password_changed" => self.ev_password,
            "link_used" => self.ev_link_used,
            "user_added" => self.ev_user_added,
            "user_changed" => self.ev_user_changed,
            "user_removed" => self.ev_user_removed,
            "token_added" => self.ev_token_added,
            "token_revoked" => self.ev_token_revoked,
            "sessions_revoked" => self.ev_revoked,
            "trail_pruned" => self.ev_pruned,
            "backup_made" => self.ev_backup,
            "restored" => self.ev_restored,
            "keys_rotated" => self.ev_keys,
            "reloaded" => self.ev_reloaded,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AuditEvent;
    use crate::http::words::tests::{Said as _, assert_said_in_each};

    #[test]
    fn every_text_is_there_in_every_language_and_keeps_its_customs() {
        let shared = ["title", "sessions", "actions", "total", "hosts"];
        assert_said_in_each(&shared, |language, all| ConsoleWords::of(language).said("", all));
    }

    #[test]
    fn every_event_of_the_audit_trail_has_a_name_of_its_own() {
        for language in Language::ALL {
            let words = ConsoleWords::of(language);
            let mut names: Vec<_> =
                AuditEvent::NAMES.iter().map(|name| words.event(name).expect(name)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), AuditEvent::NAMES.len(), "{language:?}");
        }
    }

    #[test]
    fn a_language_that_tells_one_from_many_does_so_here() {
        for language in [Language::English, Language::German, Language::French, Language::Spanish] {
            let words = ConsoleWords::of(language);
            for count in [
                words.users_found,
                words.sessions_found,
                words.entries_shown,
                words.codes_left,
                words.lost_sessions,
                words.lost_tokens,
            ] {
                assert_ne!(count(1).replace('1', "2"), count(2), "{language:?}");
            }
        }
    }
}
