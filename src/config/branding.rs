//! `[branding]`: whose pages they are.

use super::Config;
use super::fault::{Fault, Wrong};
use super::kinds::{optional, path};
use super::reader::Section;
use crate::http::{Asset, Brand, Colour};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const TABLE: &str = "branding";
const LOGO: &str = "logo";

/// A picture on a page that people wait for.
const LOGO_MAX: u64 = 64 * 1024;

/// What it says, and where the picture is: that is read by whoever serves.
pub(super) fn read(s: &mut Section<'_>) -> Option<(Brand, Option<PathBuf>)> {
    let name = s.read("name", "vestibule", name);
    let logo = s.read(LOGO, "", optional(path));
    let accent = s.read("accent", "", optional(accent));
    let text = s.read("text", "", line);
    let links = s.list("links", "", link);
    let brand = Brand::new(name?, accent?);
    Some((Brand { text: text?, links: links?, ..brand }, logo?))
}

fn name(text: String) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new("is empty").advise("write what people call this service"));
    }
    line(text)
}

/// A line, not an essay.
fn line(text: String) -> Result<String, Wrong> {
    if text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(Wrong::new("is longer than a line").advise("write 200 letters at most"));
    }
    Ok(text)
}

fn accent(text: String) -> Result<Colour, Wrong> {
    Colour::parse(&text).ok_or_else(|| {
        Wrong::new(format!("{text:?} is not a colour")).advise("write red, green and blue: #1f5fbf")
    })
}

/// `Help https://intranet.example.com/help`: the last word is the address.
fn link(text: &str) -> Result<(String, String), Wrong> {
    let wrong = || {
        Wrong::new(format!("{text:?} is not a link"))
            .advise("write what it says and where it leads: \"Help https://help.example.com\"")
    };
    let (says, to) = text.trim().rsplit_once(' ').ok_or_else(wrong)?;
    let url = url::Url::parse(to).map_err(|_| wrong())?;
    // Anything else, as `javascript:`, would be more than a way somewhere.
    if !matches!(url.scheme(), "https" | "http" | "mailto" | "tel") {
        return Err(wrong());
    }
    Ok((line(says.trim().to_owned())?, url.into()))
}

/// Takes the picture in.
pub(super) fn with_logo(mut config: Config) -> (Config, Option<Fault>) {
    let Some(path) = config.logo.clone() else { return (config, None) };
    let problem = match picture(&path) {
        Ok(logo) => {
            config.site.brand.logo = Some(logo);
            return (config, None);
        }
        Err(problem) => problem,
    };
    let wrong = Wrong::new(format!("{} cannot be shown: {problem}", path.display()))
        .advise("name a readable SVG, PNG, WebP or JPEG picture of 64 KiB at most");
    let fault = config.fault((TABLE, 0), LOGO, wrong);
    (config, Some(fault))
}

fn picture(path: &Path) -> Result<Asset, String> {
    let mut body = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LOGO_MAX + 1).read_to_end(&mut body).map_err(|error| error.to_string())?;
    if body.len() as u64 > LOGO_MAX {
        return Err(String::from("it is too large"));
    }
    Asset::picture(body).ok_or_else(|| String::from("it is no picture that browsers show"))
}
