//! Floor 5: the vocabulary of our own pages and calls.
//!
//! A [`Request`] comes in, a [`Response`] goes out, and neither knows a socket or an engine: what
//! is built from them is tested without one. Here is what every page shares: the names of our
//! cookies, the words in each language, the defence of forms against other sites, the table of pages and calls, the strict
//! reading of forms and of JSON, the one place where cookies follow from a sign-in, the one where a
//! [`crate::service::Denied`] becomes an answer, the headers that every response of ours carries,
//! and the frame of the HTML.
//!
//! Nothing here may decide who is let in, name the cause of a failure to a visitor, send a browser
//! to an address that is not a [`Location`], or show a body or a cookie in `Debug`.

mod answer;
mod brand;
mod cookies;
mod credential;
mod csrf;
mod device;
mod fields;
mod headers;
pub(crate) mod html;
mod identity;
mod json;
mod language;
mod location;
mod message;
mod navigation;
mod progress;
mod qr;
mod refusal;
mod router;
mod site;
pub(crate) mod words;

pub use answer::{Answer, Says, Trouble};
pub use brand::{Asset, Brand, Colour};
pub use cookies::Cookies;
pub use credential::{credential, is_our_authorization, shows_token};
pub use csrf::{form_token, is_from_elsewhere, is_own_document, token_fits};
pub use device::Device;
pub use fields::{BadFields, Fields};
pub use identity::IdentityNames;
pub use json::{BadJson, read_json};
pub use language::Language;
pub use location::Location;
pub use message::{Request, Response};
pub use navigation::{
    Challenge, challenge, is_page_navigation, referring_page, say_token_is_bad, unauthorised,
};
pub use progress::cookies_after;
pub use qr::{qr_png, qr_svg};
pub use refusal::{ProblemDetails, error_page, maintenance, problem, problem_of, refusal};
pub use router::{Csrf, Entry, Found, Parameters, Router};
pub use site::Site;
pub(crate) use words::Words;
