//! One line of log: JSON for machines, words for a terminal.

use std::fmt::Write as _;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Human,
    /// For everything else.
    Json,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Somebody should look at it some time.
    Warn,
    /// Somebody should look at it now.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// A line being written, behind those that wait. Text from outside is escaped in both forms, so
/// that nobody can forge a line or a field.
pub struct Line<'a> {
    format: Format,
    text: &'a mut String,
}

impl<'a> Line<'a> {
    /// Begins a line.
    pub(super) fn begin(
        format: Format,
        text: &'a mut String,
        time: &str,
        level: Level,
        kind: &str,
    ) -> Self {
        match format {
            Format::Json => {
                let level = level.name();
                push_all(text, &["{\"time\":\"", time, "\",\"level\":\"", level]);
                push_all(text, &["\",\"kind\":\"", kind, "\""]);
            }
            // Writing to a String does not fail, here and below.
            Format::Human => drop(write!(text, "{time} {:5} {kind}", level.name())),
        }
        Self { format, text }
    }

    /// A text field.
    pub fn text(&mut self, key: &str, value: &str) {
        match self.format {
            Format::Json => {
                push_all(self.text, &[",\"", key, "\":\""]);
                escape_json(self.text, value);
                self.text.push('"');
            }
            Format::Human => {
                push_all(self.text, &[" ", key, "="]);
                escape_human(self.text, value);
            }
        }
    }

    /// A text field whose value is a word of ours, or was read as one of a kind that has nothing to
    /// escape: a method, a host, an address.
    pub fn word(&mut self, key: &str, value: &str) {
        debug_assert!(value.bytes().all(|c| c.is_ascii_graphic() && !b"\"\\=".contains(&c)));
        match self.format {
            Format::Json => push_all(self.text, &[",\"", key, "\":\"", value, "\""]),
            Format::Human => push_all(self.text, &[" ", key, "=", value]),
        }
    }

    /// A text field, where there is something to say.
    pub fn maybe(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A number.
    pub fn number(&mut self, key: &str, value: u64) {
        match self.format {
            Format::Json => push_all(self.text, &[",\"", key, "\":"]),
            Format::Human => push_all(self.text, &[" ", key, "="]),
        }
        push_number(self.text, value);
    }

    /// Ends the line.
    pub(super) fn finish(self) {
        self.text.push_str(match self.format {
            Format::Json => "}\n",
            Format::Human => "\n",
        });
    }
}

#[inline]
fn push_all(out: &mut String, pieces: &[&str]) {
    out.reserve(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        out.push_str(piece);
    }
}

/// By hand, since every line of a request ends with two.
fn push_number(out: &mut String, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        first -= 1;
        if number == 0 {
            break;
        }
    }
    out.push_str(digits.get(first..).and_then(|d| std::str::from_utf8(d).ok()).unwrap_or("0"));
}

fn escape_json(out: &mut String, value: &str) {
    // A line is written for every request, and nearly none has anything to escape.
    let is_plain = |c: u8| (b' '..0x7f).contains(&c) & (c != b'"') & (c != b'\\');
    if value.bytes().fold(true, |plain, c| plain & is_plain(c)) {
        out.push_str(value);
        return;
    }
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Quotes only what would otherwise run into the next field; control characters, which could
/// steer a terminal, are spelled out.
fn escape_human(out: &mut String, value: &str) {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '"' && c != '=';
    if !value.is_empty() && value.chars().all(plain) {
        out.push_str(value);
        return;
    }
    out.push('"');
    value.chars().for_each(|c| match c {
        ' ' => out.push(' '),
        c => out.extend(c.escape_debug()),
    });
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: Format, value: &str) -> String {
        let mut text = String::new();
        let mut line = Line::begin(format, &mut text, "1970-01-01T00:00:00Z", Level::Info, "test");
        line.text("a", value);
        line.number("n", 7);
        line.finish();
        text
    }

    #[test]
    fn nobody_can_forge_a_line_or_a_field() {
        for value in
            ["x\n{\"level\":\"error\"}", "\",\"user\":\"root", "\u{1b}[2J", "a b=c", "\u{2028}"]
        {
            let json = line(Format::Json, value);
            assert_eq!(json.lines().count(), 1);
            let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(parsed["a"], value);
            assert_eq!(parsed.as_object().unwrap().len(), 5);
            let human = line(Format::Human, value);
            assert_eq!(human.lines().count(), 1);
            assert!(!human.contains('\u{1b}'));
        }
        assert_eq!(line(Format::Human, "ann"), "1970-01-01T00:00:00Z info  test a=ann n=7\n");
    }
}
