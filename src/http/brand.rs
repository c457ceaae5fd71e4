//! Whose pages they are: a name, a picture, a colour, a line and links.

use super::html::STYLE;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A file of ours. Its name is made of its content, so that it may be kept for ever.
#[derive(Clone)]
pub struct Asset {
    /// Where it is, below the prefix.
    pub path: String,
    /// What it is.
    pub kind: &'static str,
    /// What is in it.
    pub body: Bytes,
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl Asset {
    fn new(kind: &'static str, extension: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let hash = Sha256::digest(&body);
        let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { path: format!("/assets/{hash}.{extension}"), kind, body }
    }

    /// A picture, if it is of a kind that every browser shows. Told by its content: what a file is
    /// called says little.
    pub fn picture(body: Vec<u8>) -> Option<Self> {
        let has = |at: usize, mark: &[u8]| body.get(at..).is_some_and(|b| b.starts_with(mark));
        let text = std::str::from_utf8(&body).unwrap_or_default().trim_start();
        let (kind, extension) = if has(0, b"\x89PNG\r\n\x1a\n") {
            ("image/png", "png")
        } else if has(0, b"RIFF") && has(8, b"WEBP") {
            ("image/webp", "webp")
        } else if has(0, b"\xff\xd8\xff") {
            ("image/jpeg", "jpg")
        } else if text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg") {
            ("image/svg+xml", "svg")
        } else {
            return None;
        };
        Some(Self::new(kind, extension, body))
    }
}

/// Whose pages they are.
#[derive(Clone, Debug)]
pub struct Brand {
    /// What this is called: in every title, and above every page where there is no picture.
    pub name: String,
    /// A picture in place of the name.
    pub logo: Option<Asset>,
    /// A line below every page.
    pub text: String,
    /// Links below every page: what they say and where they lead.
    pub links: Vec<(String, String)>,
    /// The style sheet, in the colour chosen.
    pub style: Asset,
    /// Files of pages that were shown before a reload: a browser may be about to ask for them.
    pub former: Vec<Asset>,
}

impl Brand {
    /// One by this name and in this colour.
    pub fn new(name: String, accent: Option<Colour>) -> Self {
        let style = match accent {
            None => STYLE.to_owned(),
            Some(accent) => format!("{STYLE}{}", accent.rules()),
        };
        let style = Asset::new("text/css; charset=utf-8", "css", style);
        let (text, links, former) = (String::new(), Vec::new(), Vec::new());
        Self { name, logo: None, text, links, style, former }
    }

    /// All files of ours that its pages need, and those of the pages before them.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.own().chain(&self.former)
    }

    fn own(&self) -> impl Iterator<Item = &Asset> {
        [Some(&self.style), self.logo.as_ref()].into_iter().flatten()
    }

    /// Takes the place of another.
    pub fn succeed(&mut self, before: &Self) {
        let is_gone = |asset: &&Asset| self.own().all(|own| own.path != asset.path);
        self.former = before.own().filter(is_gone).cloned().collect();
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self::new(String::from("vestibule"), None)
    }
}

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// What cards are painted with in the light and in the dark; see the style sheet.
const LIGHT: Colour = Colour([0xff, 0xff, 0xff]);
const DARK: Colour = Colour([0x1b, 0x1e, 0x23]);
/// What is written on a button.
const INKS: [Colour; 2] = [Colour([0xff, 0xff, 0xff]), Colour([0x10, 0x13, 0x1a])];

/// How much text must stand out from its ground (WCAG 2.2, 1.4.3), in hundredths.
const READABLE: u32 = 450;

impl Colour {
    /// Reads `#1a56b0`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        digits.bytes().all(|c| c.is_ascii_hexdigit()).then_some(())?;
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// Light as eyes see it, from 0 to 1 (WCAG 2.2, relative luminance).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
    }

    /// How much it stands out from another, in hundredths, rounded down.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 100 and 2100"
    )]
    fn contrast(self, other: Self) -> u32 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        (a.max(b) / a.min(b) * 100.0) as u32
    }

    /// Some steps of sixteen on the way to another colour.
    fn towards(self, other: Self, steps: u16) -> Self {
        let mut mixed = self.0;
        for (part, goal) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*part) * (16 - steps) + u16::from(goal) * steps;
            *part = u8::try_from(sum / 16).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The nearest to it that can be read on this ground.
    fn readable_on(self, ground: Self) -> Self {
        let far = if ground.luminance() > 0.5 { Self([0; 3]) } else { Self([255; 3]) };
        let shades = (0..=16).map(|steps| self.towards(far, steps));
        { shades }.find(|shade| shade.contrast(ground) >= READABLE).unwrap_or(far)
    }

    /// What is written on it.
    fn ink(self) -> Self {
        let [light, dark] = INKS;
        if self.contrast(light) >= self.contrast(dark) { light } else { dark }
    }

    /// The style sheet's last word. A colour that nobody could read is told apart enough first.
    fn rules(self) -> String {
        let set = |ground: Self| {
            let shade = self.readable_on(ground);
            format!(":root{{--link:{shade};--accent:{shade};--on-accent:{}}}", shade.ink())
        };
        format!("{}@media(prefers-color-scheme:dark){{{}}}", set(LIGHT), set(DARK))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_colour_is_chosen_can_be_read_in_the_light_and_in_the_dark() {
        for part in 0..=5_u8 {
            for (green, blue) in (0..=5_u8).flat_map(|green| (0..=5).map(move |blue| (green, blue)))
            {
                let colour = Colour([part * 51, green * 51, blue * 51]);
                for ground in [LIGHT, DARK] {
                    let shade = colour.readable_on(ground);
                    assert!(shade.contrast(ground) >= READABLE, "{colour} on {ground}: {shade}");
                    assert!(shade.ink().contrast(shade) >= READABLE, "{shade}");
                }
            }
        }
    }

    #[test]
    fn contrast_is_what_the_guidelines_say() {
        let of = |a: &str, b: &str| Colour::parse(a).unwrap().contrast(Colour::parse(b).unwrap());
        assert_eq!(of("#000000", "#ffffff"), 2100);
        assert_eq!(of("#777777", "#ffffff"), 447);
        assert_eq!(of("#767676", "#ffffff"), 454);
        for wrong in ["", "1a56b0", "#1a56b", "#1a56b00", "#1a56bg", "#+a56b0", "red"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_picture_is_known_by_what_is_in_it() {
        let kind = |body: &[u8]| Asset::picture(body.to_vec()).map(|asset| asset.kind);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(kind(b"<?xml version=\"1.0\"?>\n<svg/>"), Some("image/svg+xml"));
        assert_eq!(kind(b"\n<svg viewBox='0 0 1 1'/>"), Some("image/svg+xml"));
        assert_eq!(kind(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind(b"<html><svg/></html>"), None);
        assert_eq!(kind(b""), None);
    }

    #[test]
    fn another_colour_is_another_style_sheet() {
        let styled = Brand::new("x".into(), Colour::parse("#b01a56"));
        assert_ne!(styled.style.path, Brand::default().style.path);
        assert!(std::str::from_utf8(&styled.style.body).unwrap().contains("--accent:#b01a56"));
    }
}
