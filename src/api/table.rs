//! Every call there is: the one place that says what is where, for whom, and how it is answered.

use super::account::{ChangePassword, EndSession, Logout, LogoutAll, Me, Sessions};
use super::admin::{
    AddToken, AddUser, DisableUser, EnableUser, ListSessions, ListTokens, ListUsers, ReadAudit,
    RemoveUser, ResetMfa, ResetPassword, RevokeSession, RevokeSessions, RevokeToken, SetUser,
    ShowUser, UnlockUser,
};
use super::call::{
    Administrator, Anyone, Call, Caller, Owner, Person, Serve, Underway, Who, serve,
};
use super::openapi::Describe;
use super::programs::{Refresh, Token};
use super::sign_in::{Login, Register, Verify};
use super::totp::{Disable, Enroll, Regenerate, Status, VerifyEnrollment};
use http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};

/// A no: its status and its code.
pub(super) type Problem = (u16, &'static str);

/// A line of the table.
pub(super) struct Line {
    pub method: Method,
    /// Below the version.
    pub path: &'static str,
    pub summary: &'static str,
    pub who: Who,
    pub serve: Serve,
    /// The schema of the body; and the same as a reference.
    pub body: (Describes, Describes),
    /// The schema of the answer.
    pub answer: Describes,
    pub status: StatusCode,
    /// Fields of the query it may be asked with.
    pub query: &'static [&'static str],
    /// What it can be refused with, besides what every call of its kind can.
    pub problems: &'static [Problem],
}

/// What describes a type.
type Describes = fn(&mut SchemaGenerator) -> Schema;

/// A line for a call of this type, by callers of this kind.
fn on<W: Caller + 'static, C: Call<W> + 'static>(
    method: Method,
    path: &'static str,
    summary: &'static str,
) -> Line {
    Line {
        method,
        path,
        summary,
        who: W::WHO,
        serve: serve::<W, C>,
        body: (C::json_schema, SchemaGenerator::subschema_for::<C>),
        answer: SchemaGenerator::subschema_for::<C::Answer>,
        status: StatusCode::OK,
        query: &[],
        problems: &[],
    }
}

impl Line {
    fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    fn query(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    fn or(self, problems: &'static [Problem]) -> Self {
        Self { problems, ..self }
    }
}

/// What every step that judges a password or a code can be refused with.
macro_rules! judged {
    ($($more:expr),*) => {
        &[(423, "locked"), (503, "busy"), $($more),*]
    };
}

/// Every call there is.
pub(super) fn table() -> Vec<Line> {
    let mut lines = sign_in();
    lines.extend(totp());
    lines.extend(account());
    lines.extend(users());
    lines.extend(sessions());
    lines.extend(tokens());
    lines.push(audit());
    lines.push(on::<Anyone, Describe>(Method::GET, "/openapi.json", "This description"));
    lines
}

fn sign_in() -> Vec<Line> {
    use Method as M;
    vec![
        on::<Anyone, Register>(M::POST, "/auth/register", "Add yourself, where that is allowed")
            .created()
            .or(&[
                (403, "registration_disabled"),
                (409, "already_exists"),
                (422, "weak_password"),
                (422, "breached_password"),
                (422, "invalid_name"),
                (429, "rate_limited"),
                (503, "busy"),
            ]),
        on::<Anyone, Login>(M::POST, "/auth/login", "Sign in, or begin to").or(judged![
            (429, "rate_limited"),
            (401, "invalid_credentials"),
            (401, "invalid_code"),
            (401, "code_already_used"),
            (401, "mfa_expired")
        ]),
        on::<Underway, Verify>(M::POST, "/auth/totp/verify", "Show the second factor").or(judged![
            (401, "invalid_code"),
            (401, "code_already_used"),
            (401, "mfa_expired"),
            (409, "wrong_step")
        ]),
        on::<Anyone, Token>(M::POST, "/auth/token", "Sign in as a person, for programs").or(
            judged![
                (429, "rate_limited"),
                (401, "invalid_credentials"),
                (401, "invalid_code"),
                (401, "code_already_used"),
                (403, "enrollment_required"),
                (403, "password_change_required")
            ],
        ),
        on::<Anyone, Refresh>(M::POST, "/auth/refresh", "New tokens for a refresh token")
            .or(&[(401, "session_revoked")]),
    ]
}

fn totp() -> Vec<Line> {
    use Method as M;
    const PROVEN: &[Problem] = judged![
        (401, "invalid_credentials"),
        (401, "invalid_code"),
        (401, "code_already_used"),
        (409, "wrong_step")
    ];
    const REMOVED: &[Problem] = judged![
        (401, "invalid_credentials"),
        (401, "invalid_code"),
        (401, "code_already_used"),
        (403, "mfa_enforced"),
        (409, "wrong_step")
    ];
    vec![
        on::<Underway, Enroll>(M::POST, "/auth/totp/enroll", "Begin to enrol an authenticator")
            .created()
            .or(&[
                (401, "unauthenticated"),
                (401, "mfa_expired"),
                (403, "enrollment_link_required"),
                (403, "script_refused"),
                (403, "forbidden"),
                (409, "already_enabled"),
                (409, "wrong_step"),
            ]),
        on::<Underway, VerifyEnrollment>(
            M::POST,
            "/auth/totp/verify-enrollment",
            "Confirm the authenticator by its first code",
        )
        .or(judged![
            (401, "unauthenticated"),
            (401, "invalid_code"),
            (401, "mfa_expired"),
            (403, "enrollment_link_required"),
            (403, "script_refused"),
            (403, "forbidden"),
            (409, "already_enabled"),
            (409, "wrong_step")
        ]),
        on::<Owner, Disable>(M::DELETE, "/auth/totp/disable", "Take the second factor away")
            .or(REMOVED),
        on::<Owner, Status>(M::GET, "/auth/totp/status", "How it stands with the second factor"),
        on::<Owner, Regenerate>(
            M::POST,
            "/auth/totp/regenerate-recovery-codes",
            "New recovery codes; the old ones are dead",
        )
        .or(PROVEN),
    ]
}

fn account() -> Vec<Line> {
    use Method as M;
    vec![
        on::<Person, Me>(M::GET, "/auth/me", "Who is signed in"),
        on::<Owner, Sessions>(M::GET, "/auth/sessions", "Where they are signed in"),
        on::<Owner, EndSession>(M::DELETE, "/auth/sessions/{id}", "End one of their sessions")
            .or(&[(404, "not_found")]),
        on::<Anyone, Logout>(M::POST, "/auth/logout", "Sign out, where anybody is signed in")
            .or(&[(401, "unauthenticated")]),
        on::<Owner, LogoutAll>(M::POST, "/auth/logout-all", "Sign out everywhere"),
        on::<Underway, ChangePassword>(
            M::POST,
            "/auth/change-password",
            "Choose a new password; ends the other sessions",
        )
        .or(judged![
            (401, "unauthenticated"),
            (401, "invalid_credentials"),
            (401, "mfa_expired"),
            (403, "script_refused"),
            (403, "forbidden"),
            (409, "wrong_step"),
            (422, "weak_password"),
            (422, "breached_password")
        ]),
    ]
}

fn users() -> Vec<Line> {
    use Administrator as A;
    use Method as M;
    const MISSING: &[Problem] = &[(404, "not_found"), (422, "invalid")];
    const USER: &str = "/admin/users/{name}";
    vec![
        on::<A, ListUsers>(M::GET, "/admin/users", "Everyone"),
        on::<A, AddUser>(M::POST, "/admin/users", "Add somebody").created().or(&[
            (409, "already_exists"),
            (422, "weak_password"),
            (422, "breached_password"),
            (503, "busy"),
        ]),
        on::<A, ShowUser>(M::GET, USER, "One person").or(MISSING),
        on::<A, SetUser>(M::PATCH, USER, "Replace what is named of a person")
            .or(&[(404, "not_found"), (409, "already_exists")]),
        on::<A, RemoveUser>(M::DELETE, USER, "Remove somebody with everything that is theirs")
            .or(MISSING),
        on::<A, DisableUser>(M::POST, "/admin/users/{name}/disable", "Keep somebody out")
            .or(MISSING),
        on::<A, EnableUser>(M::POST, "/admin/users/{name}/enable", "Let them in again").or(MISSING),
        on::<A, UnlockUser>(M::POST, "/admin/users/{name}/unlock", "End a lockout").or(MISSING),
        on::<A, ResetMfa>(
            M::POST,
            "/admin/users/{name}/reset-mfa",
            "Take the second factor away, for a link with which to enrol a new one",
        )
        .or(MISSING),
        on::<A, ResetPassword>(
            M::POST,
            "/admin/users/{name}/reset-password",
            "Void the password, for a link with which to choose a new one",
        )
        .or(MISSING),
    ]
}

fn sessions() -> Vec<Line> {
    use Administrator as A;
    use Method as M;
    const MISSING: &[Problem] = &[(404, "not_found"), (422, "invalid")];
    vec![
        on::<A, ListSessions>(M::GET, "/admin/sessions", "Sessions of one person, or of everyone")
            .query(&["user"])
            .or(MISSING),
        on::<A, RevokeSessions>(
            M::DELETE,
            "/admin/sessions",
            "End the sessions of one person, or of everyone",
        )
        .query(&["user"])
        .or(MISSING),
        on::<A, RevokeSession>(M::DELETE, "/admin/sessions/{id}", "End one session").or(MISSING),
    ]
}

fn tokens() -> Vec<Line> {
    use Administrator as A;
    use Method as M;
    const MISSING: &[Problem] = &[(404, "not_found"), (422, "invalid")];
    vec![
        on::<A, ListTokens>(M::GET, "/admin/tokens", "Access tokens of one person, or of everyone")
            .query(&["user"])
            .or(MISSING),
        on::<A, AddToken>(M::POST, "/admin/tokens", "Make an access token, which is told once")
            .created()
            .or(MISSING),
        on::<A, RevokeToken>(M::DELETE, "/admin/tokens/{id}", "End an access token").or(MISSING),
    ]
}

fn audit() -> Line {
    on::<Administrator, ReadAudit>(Method::GET, "/admin/audit", "What happened, the newest first")
        .query(&["user", "event", "from", "since", "until", "before", "limit"])
        .or(&[(422, "invalid")])
}
