//! One function for each kind of input: it reads bytes as the gateway does and panics where what
//! must be true of them is not.

mod addresses;
mod backups;
mod bodies;
mod checks;
mod configuration;
mod credentials;
mod hashes;
mod messages;
mod paths;
mod records;
mod trail;
mod user_files;
mod words;

use http::{HeaderMap, HeaderName, HeaderValue};

pub type Target = fn(&[u8]);

/// Each has a folder of seeds, by which tests/fuzz/run knows it.
pub const ALL: [(&str, Target); 18] = [
    ("authorization", credentials::authorization),
    ("backups", backups::backups),
    ("checks", checks::checks),
    ("chunks", messages::chunks),
    ("client", addresses::client),
    ("configuration", configuration::configuration),
    ("cookies", credentials::cookies),
    ("doors", messages::doors),
    ("forms", bodies::forms),
    ("hashes", hashes::hashes),
    ("heads", messages::heads),
    ("json", bodies::json),
    ("paths", paths::paths),
    ("records", records::records),
    ("return_urls", addresses::return_urls),
    ("trail", trail::trail),
    ("user_files", user_files::user_files),
    ("words", words::words),
];

pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|(name, _)| *name).collect()
}

/// The lines of an input as text; an input that is no text says nothing.
fn lines(bytes: &[u8]) -> std::str::Lines<'_> {
    std::str::from_utf8(bytes).unwrap_or_default().lines()
}

/// Fields written as `name: value`, a line each; what is none is passed over, as the engine and
/// the HTTP/2 parser let none of it through.
fn fields(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    headers
}

/// Changes a text in ways that the input chooses: each three bytes say what, and where.
fn change(text: &mut Vec<u8>, how: &[u8]) {
    for step in how.chunks_exact(3).take(8) {
        let at = usize::from(step[1]) << 3 | usize::from(step[0] >> 5);
        let at = at % text.len().max(1);
        match step[0] % 4 {
            _ if text.is_empty() => text.push(step[2]),
            0 => text[at] ^= step[2],
            1 => drop(text.remove(at)),
            2 => text.insert(at, step[2]),
            _ => text.truncate(at),
        }
    }
}
