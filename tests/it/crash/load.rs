//! The workers: what they do, and what they write down of it.
//!
//! What is answered is written down as done. What was asked and not answered may or may not have
//! been done, so nothing is claimed of it any more. Each worker has people of its own.

use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Reply, code_at, step_now};
use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

pub type Acks = Sender<&'static str>;
pub type Cookies = BTreeMap<String, String>;

/// What can be acknowledged.
pub const KINDS: [&str; 12] = [
    "signed in by recovery code",
    "signed in by TOTP",
    "signed out",
    "added by command",
    "invited",
    "used a link",
    "enrolled",
    "changed by command",
    "removed by command",
    "token made",
    "token revoked",
    "refused a wrong password",
];

/// How many failures lock an account: more than the checks make.
pub const LOCKOUT: usize = 40;

/// What a worker does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Signs people in with recovery codes, and out again.
    Codes,
    /// Invites people, and lets them enrol through the pages.
    Links,
    /// Adds, changes and removes people and their tokens by command, and signs them in with codes
    /// of their authenticator.
    Commands,
    /// Guesses passwords until the account is locked, and then another's.
    Guesses,
}

/// Somebody, as far as the gateway acknowledged it.
#[derive(Default)]
pub struct Member {
    pub name: String,
    /// In base32; nothing where only the password is known to be set.
    pub secret: Option<String>,
    /// No step up to this one may work again.
    pub last_step: u64,
    /// The step of a code that was accepted for certain.
    pub used_step: Option<u64>,
    pub unused: Vec<String>,
    pub used: Vec<String>,
    /// How many wrong passwords were refused for being wrong, and whether one was for the lock.
    pub refused: usize,
    pub is_locked: bool,
    /// One of these is the e-mail address.
    pub emails: Vec<Option<String>>,
    /// How many of `used` were found dead, and whether a sign-in was tried.
    pub seen_dead: usize,
    pub seen_in: bool,
}

/// A worker with its notes.
pub struct Part {
    pub number: usize,
    pub role: Role,
    turns: usize,
    made: usize,
    pub members: Vec<Member>,
    /// Everyone who was added, whatever else became of them.
    pub added: Vec<String>,
    pub removed: Vec<String>,
    /// Whose access token, and its name.
    pub tokens: Vec<(String, String)>,
    pub revoked_tokens: Vec<String>,
    /// Whose session, and its cookies.
    pub sessions: Vec<(String, Cookies)>,
    pub ended: Vec<Cookies>,
    pub used_links: Vec<String>,
    pub open_links: Vec<String>,
    /// How many of each were looked at after an earlier restart.
    pub seen: [usize; 3],
}

impl Part {
    pub fn new(number: usize, role: Role) -> Self {
        Self {
            number,
            role,
            turns: 0,
            made: 0,
            members: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            tokens: Vec::new(),
            revoked_tokens: Vec::new(),
            sessions: Vec::new(),
            ended: Vec::new(),
            used_links: Vec::new(),
            open_links: Vec::new(),
            seen: [0; 3],
        }
    }

    /// Does something; nothing where the gateway no longer answers.
    pub fn act(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        self.turns += 1;
        match (self.role, self.turns % 4) {
            (Role::Codes, 0) => self.sign_out(gateway, acks),
            (Role::Codes, _) => match self.members.iter().position(|m| !m.unused.is_empty()) {
                Some(at) => self.sign_in_by_recovery_code(at, gateway, acks),
                None => self.add(gateway, acks),
            },
            (Role::Links, 0) => self.invite(gateway, acks).map(|link| self.open_links.push(link)),
            (Role::Links, _) => self.enrol(gateway, acks),
            (Role::Commands, _) => self.administer(gateway, acks),
            (Role::Guesses, _) => match self.members.iter().rposition(|m| !m.is_locked) {
                Some(at) => self.guess(at, gateway, acks),
                None => self.add(gateway, acks),
            },
        }
    }

    fn administer(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        match self.turns % 8 {
            1 => self.add(gateway, acks),
            2 => self.set_email(gateway, acks),
            3 => self.end_sessions(gateway, acks),
            4 => self.make_token(gateway, acks),
            5 => self.revoke_token(gateway, acks),
            6 => self.remove(gateway, acks),
            7 => self.end_session(gateway, acks),
            _ => match self.members.iter().rposition(Member::has_fresh_step) {
                Some(at) => self.sign_in_by_totp(at, gateway, acks),
                None => Some(()),
            },
        }
    }

    /// What the names of its people begin with.
    pub fn prefix(&self) -> String {
        format!("p{}-", self.number)
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("{}{}", self.prefix(), self.made)
    }

    /// By command, enrolled at once.
    fn add(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let name = self.name();
        let args = ["user", "add", &name, "--password-stdin", "--totp"];
        let added = command(gateway, &args, ADMIN_PASSWORD)?;
        let codes = added["recovery_codes"].as_array().unwrap();
        self.added.push(name.clone());
        self.members.push(Member {
            name,
            secret: Some(added["totp"]["secret"].as_str().unwrap().to_owned()),
            unused: codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(),
            emails: vec![None],
            ..Member::default()
        });
        acknowledge(acks, "added by command");
        Some(())
    }

    fn set_email(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let Some(member) = self.members.last_mut() else { return Some(()) };
        let email = format!("{}-{}@example.com", member.name, self.turns);
        member.emails.push(Some(email.clone()));
        command(gateway, &["user", "set", &member.name, "--email", &email], "")?;
        member.emails = vec![Some(email)];
        acknowledge(acks, "changed by command");
        Some(())
    }

    /// Takes the sessions of somebody out of the notes: what is asked next may end them.
    fn forget_sessions_of(&mut self, name: &str) -> Vec<Cookies> {
        self.seen[0] = 0;
        let theirs = self.sessions.extract_if(.., |(owner, _)| owner == name);
        theirs.map(|(_, cookies)| cookies).collect()
    }

    /// All of one person's, by command.
    fn end_sessions(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let Some((name, _)) = self.sessions.last().cloned() else { return Some(()) };
        let theirs = self.forget_sessions_of(&name);
        command(gateway, &["session", "revoke", "--user", &name], "")?;
        self.ended.extend(theirs);
        acknowledge(acks, "changed by command");
        Some(())
    }

    /// One by its name, where it is a person's only one.
    fn end_session(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let Some((name, _)) = self.sessions.last().cloned() else { return Some(()) };
        let listed = command(gateway, &["session", "list", "--user", &name], "")?;
        let [only] = listed.as_array().unwrap().as_slice() else { return Some(()) };
        let theirs = self.forget_sessions_of(&name);
        command(gateway, &["session", "revoke", only["id"].as_str().unwrap()], "")?;
        self.ended.extend(theirs);
        acknowledge(acks, "changed by command");
        Some(())
    }

    /// The one who was there longest, where there are enough.
    fn remove(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        if self.members.len() < 3 {
            return Some(());
        }
        let name = self.members.remove(0).name;
        self.added.retain(|added| *added != name);
        self.tokens.retain(|(owner, _)| *owner != name);
        let theirs = self.forget_sessions_of(&name);
        command(gateway, &["user", "remove", &name], "")?;
        self.removed.push(name);
        self.ended.extend(theirs);
        acknowledge(acks, "removed by command");
        Some(())
    }

    /// For the one who will be there longest.
    fn make_token(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let Some(member) = self.members.last() else { return Some(()) };
        let name = format!("token {}", self.turns);
        let made = command(gateway, &["token", "add", &name, "--user", &member.name], "")?;
        self.tokens.push((member.name.clone(), made["id"].as_str().unwrap().to_owned()));
        acknowledge(acks, "token made");
        Some(())
    }

    fn revoke_token(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let Some((_, id)) = self.tokens.pop() else { return Some(()) };
        command(gateway, &["token", "revoke", &id], "")?;
        self.revoked_tokens.push(id);
        acknowledge(acks, "token revoked");
        Some(())
    }

    fn sign_out(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let Some((_, cookies)) = self.sessions.pop() else { return Some(()) };
        self.seen[0] = self.seen[0].min(self.sessions.len());
        let mut browser = Browser::new(gateway.address);
        browser.cookies = cookies.clone();
        let page = whole(browser.open("/_vestibule/logout"))?;
        let answer = whole(browser.submit(&page, &[]))?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.ended.push(cookies);
        acknowledge(acks, "signed out");
        Some(())
    }

    pub fn sign_in_by_recovery_code(
        &mut self,
        at: usize,
        gateway: &Gateway,
        acks: &Acks,
    ) -> Option<()> {
        let member = &mut self.members[at];
        let mut browser = Browser::new(gateway.address);
        let page = give_password(&member.name, &mut browser)?;
        // From here on it may be used up.
        let code = member.unused.pop().unwrap();
        let answer = whole(browser.submit(&page, &[("recovery_code", &code)]))?;
        assert_eq!(answer.status, 303, "{}: {}", member.name, answer.text());
        member.used.push(code);
        self.sessions.push((member.name.clone(), browser.cookies));
        acknowledge(acks, "signed in by recovery code");
        Some(())
    }

    fn guess(&mut self, at: usize, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let member = &mut self.members[at];
        let mut browser = Browser::new(gateway.address);
        let page = whole(browser.open("/"))?;
        let wrong = [("username", member.name.as_str()), ("password", "a wrong password indeed")];
        match whole(browser.submit(&page, &wrong))?.status {
            401 => member.refused += 1,
            423 => member.is_locked = true,
            other => panic!("{}: {other}", member.name),
        }
        // Were one forgotten, there would be one more before the lock.
        assert!(member.refused <= LOCKOUT, "{}: a failure was forgotten", member.name);
        acknowledge(acks, "refused a wrong password");
        Some(())
    }

    pub fn sign_in_by_totp(&mut self, at: usize, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let member = &mut self.members[at];
        let mut browser = Browser::new(gateway.address);
        let page = give_password(&member.name, &mut browser)?;
        member.used_step = None;
        member.last_step = member.fresh_step();
        let code = code_at(member.secret.as_ref().unwrap(), member.last_step * 30);
        let answer = whole(browser.submit(&page, &[("code", &code)]))?;
        assert_eq!(answer.status, 303, "{}: {}", member.name, answer.text());
        member.used_step = Some(member.last_step);
        self.sessions.push((member.name.clone(), browser.cookies));
        acknowledge(acks, "signed in by TOTP");
        Some(())
    }

    /// By command; the link.
    fn invite(&mut self, gateway: &Gateway, acks: &Acks) -> Option<String> {
        let name = self.name();
        let added = command(gateway, &["user", "add", &name], "")?;
        self.added.push(name);
        acknowledge(acks, "invited");
        // The port changes with each start.
        let url = added["invite_url"].as_str().unwrap();
        Some(url[url.find("/_vestibule").unwrap()..].to_owned())
    }

    /// From the invitation to the recovery codes, page by page.
    fn enrol(&mut self, gateway: &Gateway, acks: &Acks) -> Option<()> {
        let link = self.invite(gateway, acks)?;
        let name = self.added.last().cloned().unwrap();
        let mut browser = Browser::new(gateway.address);
        let page = whole(browser.open(&link))?;
        let twice = [("password", ADMIN_PASSWORD), ("password_again", ADMIN_PASSWORD)];
        let answer = whole(browser.submit(&page, &twice))?;
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.used_links.push(link);
        self.members.push(Member { name, emails: vec![None], ..Member::default() });
        acknowledge(acks, "used a link");

        let page = whole(browser.follow(answer))?;
        let text = page.text();
        let secret = text.split("<code").nth(1).expect("a key to type in");
        let secret = secret.split(['>', '<']).nth(1).unwrap().to_owned();
        // If this is not answered, nobody knows whether they have a second factor.
        let mut member = self.members.pop().unwrap();
        let step = step_now();
        let answer = whole(browser.submit(&page, &[("code", &code_at(&secret, step * 30))]))?;
        assert_eq!(answer.status, 303, "{}", answer.text());
        (member.secret, member.last_step, member.used_step) = (Some(secret), step, Some(step));
        self.sessions.push((member.name.clone(), browser.cookies.clone()));
        self.members.push(member);
        acknowledge(acks, "enrolled");

        let text = whole(browser.follow(answer))?.text();
        let codes = text.split("<li>").skip(1).map(|rest| rest.split('<').next().unwrap());
        let member = self.members.last_mut().unwrap();
        member.unused = codes.map(str::to_owned).collect();
        assert_eq!(member.unused.len(), 10, "{text}");
        Some(())
    }
}

impl Member {
    /// The first step that may still work: one early, now, or one late.
    pub fn fresh_step(&self) -> u64 {
        (self.last_step + 1).max(step_now() - 1)
    }

    /// Whether there is one that stays good while it is on its way.
    pub fn has_fresh_step(&self) -> bool {
        self.secret.is_some() && self.last_step < step_now()
    }
}

/// Gives the password; the page of the next step.
pub fn give_password(name: &str, browser: &mut Browser) -> Option<Reply> {
    let page = whole(browser.open("/"))?;
    let fields = [("username", name), ("password", ADMIN_PASSWORD)];
    let answer = whole(browser.submit(&page, &fields))?;
    assert_eq!(answer.status, 303, "{name}: {}", answer.text());
    whole(browser.follow(answer))
}

/// A command that works, or else finds no gateway or loses it on the way.
fn command(gateway: &Gateway, args: &[&str], stdin: &str) -> Option<serde_json::Value> {
    let output = gateway.command_with(&[args, &["--json"]].concat(), stdin);
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// An answer that is there to its end.
fn whole(reply: Reply) -> Option<Reply> {
    (reply.status != 0).then_some(reply)
}

fn acknowledge(acks: &Acks, what: &'static str) {
    // Nobody counts while it is checked.
    let _ = acks.send(what);
}
