//! Floor 2: decisions, pure. What is known comes in, what to do comes out.
//!
//! `now` is an argument, nothing here reads or writes anything, and nothing here is async. The
//! ladder from a password to a session, the life of a session, what a failure costs, which route
//! and which policy a request meets, and where a redirect may lead are each decided in one file.

mod access;
mod access_token;
mod audit;
mod browser;
mod failures;
mod ladder;
mod link;
mod password;
mod proof;
mod rate;
mod return_url;
mod routes;
mod rules;
mod session;
mod trail;
mod user;

pub use access::{AccessRules, Known, Policy, Ruling, Verdict};
pub use access_token::{AccessToken, TokenLimits};
pub use audit::{Actor, AuditEvent, Happening, Occasion, SignInFailure};
pub use browser::KnownBrowser;
pub use failures::{Charge, FailureRules, Failures};
pub use ladder::{Climbed, Next, PendingSignIn};
pub use link::{Link, LinkPurpose};
pub use password::{PasswordRules, PasswordWeakness};
pub use proof::{FullyAuthenticated, SecondFactor, Spent};
pub use rate::{Rate, Window};
pub use return_url::{PortalOrigin, ReturnOrigins, ReturnUrl};
pub use routes::{Place, RouteKey, RouteTable};
pub use rules::{Asked, Fit, Rule};
pub use session::{Program, Session, SessionRules};
pub use trail::{Broken, Entry, Filter, Line, Start, Tip, check_export};
pub use user::{TotpFactor, User, UserChange};
