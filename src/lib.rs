//! vestibule: a reverse proxy that asks for a password and a second factor.
//!
//! This page is the map for engineers; the README speaks to users.
//!
//! # One way up
//!
//! A module imports from the floors below its own and from nothing else; neighbours on one floor
//! do not know each other. `tests/architecture.rs` reads the sources and holds them to it, and
//! keeps foreign crates behind their fences and files and functions to a size. Modules called
//! `fuzzing` are doorways for the targets in tests/fuzz, behind a feature that is off by default.
//!
//! | floor | module | what it is for |
//! |---|---|---|
//! | 0 | [`types`] | the words: names, ids, secrets, hosts, paths, moments; each parsed once |
//! | 1 | [`crypto`] | Argon2id and hashes of others, TOTP, recovery codes, sealing, tokens, signed statements; mints the proofs |
//! | 2 | [`domain`] | decisions without input or output: the ladder, sessions, failures, routes, access |
//! | 3 | [`store`] | what outlives the process: atomic verbs, in memory and on sled |
//! | 3 | [`observe`] | what operators see: lines, numbers, traces, copies of the audit trail |
//! | 4 | [`service`] | the use cases, the hashing pool, the sessions in use, the gate |
//! | 5 | [`http`] | the vocabulary of both: cookies, forms, JSON, answers, languages, the frame of the HTML |
//! | 6 | [`portal`] | the pages for people |
//! | 6 | [`api`] | the same for programs, as JSON, and its description |
//! | 6 | [`forward`] | the same question asked by other proxies, about requests that they keep |
//! | 7 | [`proxy`] | the data path on pingora: TLS, guard, hygiene, apps, health, headers, waits, streams |
//! | 8 | [`config`] | from what people write to what each floor is told |
//! | 9 | [`app`] | wiring, clock, administration socket, health, background jobs, certificates that are fetched, reload, hand-over, shutdown |
//! | 10 | [`cli`] | arguments, output, exit codes |
//!
//! # One request through it
//!
//! 1. `proxy::serve` accepts, `proxy::tls` shakes hands. `proxy::guard` reads the client's bytes before the engine does, one
//!    message at a time: what is malformed or ambiguous is answered and closed there.
//! 2. `proxy::door` takes hold of what is in force, by which the request is judged to its end, and
//!    makes one `RequestCx` of it: one request, one now, one client address.
//! 3. Is the path ours? [`portal::Portal`], [`api::Api`] or [`forward::Forward`] answers; none
//!    knows engine or socket.
//! 4. Otherwise [`service::Service::ask`], the one question every door asks: token, digest,
//!    session, rule. The answer is allow, challenge, forbid or "nobody can say".
//! 5. An upstream is handed out for a [`service::Permit`] and for nothing else.
//! 6. What the client said about itself is taken out, what the gateway knows is written in.
//!
//! # What carries the security
//!
//! [`types::Secret`] cannot be printed. [`types::Bearer`] opens things, [`types::TokenDigest`] is
//! stored, [`types::SessionId`] is shown: three types. [`crypto::PasswordVerified`] and
//! [`crypto::CodeMatched`] come out of a comparison alone, [`domain::Spent`] out of a durable write
//! alone, and [`domain::FullyAuthenticated`], without which there is no session, out of
//! [`domain::PendingSignIn::climb`] alone. [`domain::ReturnUrl`] is the only address that somebody
//! wishes for and a redirect takes. [`store::SignIns::commit`] takes a step of a sign-in as a whole
//! or not at all.
//!
//! What broke gateways of this kind elsewhere, and which test would notice here, is on the page
//! [`wounds`]; what OWASP's standard asks for, and where it is met, on the page [`asvs`].
//!
//! # Where we left the sketch
//!
//! - **The engine's server is not used.** We accept connections ourselves and hand them to the
//!   engine's HTTP application: draining, deadlines for heads and a limit of connections need the
//!   accept loop, and the guard needs to stand in front of the parser.
//! - **One thread writes to the store.** Jobs are read-decide-write closures, run one after
//!   another and made durable together, so nothing needs a transaction that might tear.
//! - **The audit trail is in the store**, so that an act and its entry are one write and neither is
//!   without the other; files and syslogs get copies. Its hashes take no key: whoever has an export
//!   can check it.
//! - **A store is replaced, never rewritten**: restoring a backup and changing the master key build
//!   another one beside it and exchange the two folders at one stroke. Nobody ever opens half of
//!   either, and what the old key sealed goes with the files that held it.
//! - **Sessions in use sit in a table of slots**, read without a lock and bounded by its size.
//! - **A reload changes one pointer.** What requests are judged by is never changed: another is put
//!   together from the files, and takes its place when all of it is right.
//! - **Every worker is a thread with a runtime of its own**, and with its own connections to apps:
//!   nothing that a request does may keep a worker from its other connections.
//! - **The old process keeps no store in a hand-over**: the embedded one has a single owner. What it
//!   has let through it passes on, and asks the new one over the administration socket whose
//!   sessions go on; sockets go over a socket pair, so that no descriptor is inherited by number.
//! - **Keys that sign statements follow from the master key and the calendar**, so that none is
//!   kept, and all replicas know the next one.
//! - **The log is a bounded page for each thread**, written by one that is never woken; the engine's
//!   own messages, which may quote requests, go nowhere.
//! - **Names of fields reach apps in lower case**, as HTTP/2 has them: the engine keeps the case a
//!   client wrote in a map of its own, which costs every request and means nothing.
//! - **Lists of stolen passwords are read, not mapped**: mapping takes `unsafe`, and a mapped file
//!   that somebody shortens ends the process.
//! - **Administrators' calls are for programs.** An app on the same host has the same origin as the
//!   API, so what a page's script sends administers nothing.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::pedantic, reason = "tests are read as stories"))]

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod forward;
pub mod http;
pub mod observe;
pub mod portal;
pub mod proxy;
pub mod service;
pub mod store;
pub mod types;

#[doc = include_str!("wounds.md")]
pub mod wounds {}
#[doc = include_str!("asvs.md")]
pub mod asvs {}
