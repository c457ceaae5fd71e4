//! Which language a page is in: the one that the browser likes best of those we speak.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// A language that our pages are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English: also for whoever likes none of the others.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Japanese.
    Japanese,
}

impl Language {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::English, Self::German, Self::French, Self::Spanish, Self::Japanese];

    /// As `lang` in a page has it, and browsers ask for it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Japanese => "ja",
        }
    }

    /// What the browser likes best. Of two that it likes alike, the one it names first; a dialect
    /// counts as its language.
    pub fn of(headers: &HeaderMap) -> Self {
        let fields =
            headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|field| field.to_str().ok());
        let wishes = fields.flat_map(|field| field.split(',')).filter_map(wish);
        let mut best = (Self::default(), 0);
        for (language, weight) in wishes {
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }
}

/// One member of the list: a language of ours, and how much it is liked, in thousandths.
fn wish(member: &str) -> Option<(Language, u32)> {
    let mut parts = member.split(';').map(str::trim);
    let range = parts.next()?;
    let primary = range.split('-').next()?;
    let known = Language::ALL.into_iter();
    let language = { known }.find(|language| language.tag().eq_ignore_ascii_case(primary))?;
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    Some((language, weight.map_or(Some(1000), thousandths)?))
}

/// `1`, `0.8`, `0.755`.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = part.chars().chain("000".chars()).take(3).collect::<String>();
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    Some((whole * 1000 + digits.parse::<u32>().ok()?).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(field: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, field.parse().unwrap());
        Language::of(&headers)
    }

    #[test]
    fn a_page_is_in_the_language_that_is_liked_best_of_those_there_are() {
        for (field, language) in [
            ("de", Language::German),
            ("de-AT, en;q=0.8", Language::German),
            ("pl, fr;q=0.7, en;q=0.6", Language::French),
            ("en;q=0.5, es;q=0.51", Language::Spanish),
            ("JA-jp", Language::Japanese),
            ("fr;q=0, de;q=0.1", Language::German),
            ("fr, de", Language::French),
            ("pl", Language::English),
            ("*", Language::English),
            ("", Language::English),
            ("de;q=nonsense, fr;q=0.1", Language::French),
            ("de;q=99, fr;q=0.1", Language::French),
        ] {
            assert_eq!(of(field), language, "{field}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
