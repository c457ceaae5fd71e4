//! `[traces]`: which requests are told of, and to whom.

use super::Config;
use super::fault::{Fault, Wrong};
use super::kinds::{optional, part, path};
use super::load;
use super::reader::Section;
use crate::observe::traces::TraceSettings;
use crate::types::Host;
use http::{HeaderName, HeaderValue, Uri};
use std::path::{Path, PathBuf};
use url::Url;

const ENDPOINT: &str = "endpoint";
const HEADERS_FILE: &str = "headers_file";

/// What is said, and the file with the fields that the collector asks for.
pub(super) struct Traces {
    pub settings: TraceSettings,
    pub headers_file: Option<PathBuf>,
}

/// Inside: nothing where no requests are told of.
pub(super) fn read(s: &mut Section<'_>) -> Option<Option<Traces>> {
    let endpoint = s.read(ENDPOINT, "", optional(endpoint));
    let sample = s.read("sample", "1.0", part);
    let service = s.read("service", "vestibule", service);
    let headers_file = s.read(HEADERS_FILE, "", optional(path));
    let (endpoint, headers_file) = (endpoint?, headers_file?);
    if endpoint.is_some()
        && let Err(wrong) = built(cfg!(feature = "otlp"))
    {
        s.blame(&[ENDPOINT], wrong);
    }
    if endpoint.as_ref().is_some_and(|uri| !is_private(uri)) && headers_file.is_some() {
        let wrong = Wrong::new("would send what is in headers_file in the clear")
            .advise("write https://, or leave headers_file out");
        s.blame(&[ENDPOINT], wrong);
    }
    let (sample, service) = (sample?, service?);
    Some(endpoint.map(|endpoint| {
        let settings = TraceSettings { endpoint, sample, service, headers: Vec::new() };
        Traces { settings, headers_file }
    }))
}

/// Whether this binary can do it at all.
pub(super) fn built(is_built: bool) -> Result<(), Wrong> {
    let wrong = || {
        Wrong::new("this binary was built without traces")
            .advise("build it with `cargo build --release --features otlp`, or leave [traces] out")
    };
    if is_built { Ok(()) } else { Err(wrong()) }
}

/// Reads the address of a collector; traces have their usual path below it. A wrong one is not
/// repeated: there may be a password in it.
fn endpoint(text: String) -> Result<Uri, Wrong> {
    let wrong =
        |why| Wrong::new(why).advise("write http://127.0.0.1:4318, as your collector has it");
    let url = Url::parse(&text).map_err(|_| wrong("is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not carry a name or password: headers_file is for those"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have nothing behind its path"));
    }
    let base = url.as_str().trim_end_matches('/');
    format!("{base}/v1/traces").parse().map_err(|_| wrong("is not an address"))
}

/// Whether nobody on the way reads along.
fn is_private(uri: &Uri) -> bool {
    let is_here = |host: &str| Host::parse(host).is_ok_and(|host| host.is_loopback());
    uri.scheme_str() == Some("https") || uri.host().is_some_and(is_here)
}

fn service(text: String) -> Result<String, Wrong> {
    if text.trim().is_empty() || text.len() > 128 || text.contains(char::is_control) {
        return Err(Wrong::new(format!("{text:?} is not a name")).advise("write vestibule"));
    }
    Ok(text)
}

/// Reads the fields that the collector asks for.
pub(super) fn with_headers(mut config: Config) -> (Config, Option<Fault>) {
    let Some((traces, file)) = config.traces.as_mut().zip(config.traces_headers.as_ref()) else {
        return (config, None);
    };
    match headers(file) {
        Ok(headers) => {
            traces.headers = headers;
            (config, None)
        }
        Err(why) => {
            let wrong = Wrong::new(format!("{} cannot be used: {why}", file.display())).advise(
                "name a readable file with a field in each line, as Authorization: Bearer …",
            );
            let fault = config.fault(("traces", 0), HEADERS_FILE, wrong);
            (config, Some(fault))
        }
    }
}

/// What is wrong with a line does not repeat it: it is a secret.
fn headers(file: &Path) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let text = load::text(file).map_err(|error| error.to_string())?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let field = |(number, line): (usize, &str)| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        let name = HeaderName::try_from(name.trim());
        let value = HeaderValue::try_from(value.trim());
        let mut field = name.ok().zip(value.ok());
        if let Some((_, value)) = &mut field {
            value.set_sensitive(true);
        }
        field.ok_or_else(|| format!("line {number} is not a field and its value"))
    };
    lines.map(field).collect()
}
