//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;

/// Where a value comes from. Ordered as faults are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    File,
    /// This line of the file, counted from one.
    Line(usize),
    /// This environment variable.
    Variable(String),
    /// This argument of the command.
    Flag(&'static str),
    /// Nobody said anything.
    Default,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it was said.
    pub place: Place,
    /// The key, as `session.idle`; empty where no key is to blame.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: Option<String>,
}

/// What a check says about a value whose place and key it does not know.
#[derive(Debug)]
pub(super) struct Wrong {
    problem: String,
    advice: Option<String>,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: None }
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// What is wrong and what to do, where there is no place to name.
    pub(super) fn sentence(self) -> String {
        let advice = self.advice.map(|advice| format!(" ({advice})")).unwrap_or_default();
        format!("{}{advice}", self.problem)
    }

    /// Nobody is to blame for a default by itself: then it is the file that lacks something.
    pub(super) fn at(self, place: Place, key: impl Into<String>) -> Fault {
        let place = if place == Place::Default { Place::File } else { place };
        Fault { place, key: key.into(), problem: self.problem, advice: self.advice }
    }
}

/// Everything that is wrong, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    file: String,
    list: Vec<Fault>,
}

impl Faults {
    pub(super) fn new(file: &str, mut list: Vec<Fault>) -> Self {
        list.sort_by(|a, b| a.place.cmp(&b.place));
        Self { file: file.to_owned(), list }
    }

    /// One by one.
    pub fn list(&self) -> &[Fault] {
        &self.list
    }
}

/// How a place is named to people.
pub(super) struct Named<'a>(pub &'a Place, pub &'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(place, file) = self;
        match place {
            Place::File => f.write_str(file),
            Place::Line(line) => write!(f, "{file}:{line}"),
            Place::Variable(name) => f.write_str(name),
            Place::Flag(name) => f.write_str(name),
            Place::Default => f.write_str("default"),
        }
    }
}

/// `config.toml:12: session.idle: "5x" is not a duration (write 30s, 15m, 12h or 30d)`
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.list.iter().enumerate() {
            let line_break = if n > 0 { "\n" } else { "" };
            write!(f, "{line_break}{}: ", Named(&fault.place, &self.file))?;
            if !fault.key.is_empty() {
                write!(f, "{}: ", fault.key)?;
            }
            f.write_str(&fault.problem)?;
            fault.advice.as_ref().map_or(Ok(()), |advice| write!(f, " ({advice})"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
