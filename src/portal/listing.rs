//! Long lists, a page at a time.

use crate::http::{Fields, Location, Words};
use maud::{Markup, html};

/// How much is on a page of a long list, where nothing else is on it.
pub(super) const A_PAGE: usize = 50;

/// One page of a list.
pub(super) struct Sheet<'l, T> {
    /// What is on it.
    pub rows: &'l [T],
    number: usize,
    pages: usize,
    /// The field of the query that says which.
    field: &'static str,
}

impl<'l, T> Sheet<'l, T> {
    /// The page that `fields` ask for in this field, or the nearest there is, of so much each.
    pub fn of(all: &'l [T], fields: &Fields, field: &'static str, each: usize) -> Self {
        Self::at(all, fields.get(field), field, each)
    }

    fn at(all: &'l [T], asked: &str, field: &'static str, each: usize) -> Self {
        let pages = all.len().div_ceil(each).max(1);
        let number = asked.parse::<usize>().unwrap_or(1).clamp(1, pages);
        let from = (number - 1) * each;
        let rows = all.get(from..all.len().min(from + each)).unwrap_or_default();
        Self { rows, number, pages, field }
    }

    /// The links to the others. `list` is the address of the list, with what was searched for, and
    /// `about` what it is a list of.
    pub fn links(&self, words: &Words, list: &Location, about: &str) -> Markup {
        let label = (words.frame.labelled)(words.paging.label, about);
        let words = &words.paging;
        let to = |number: usize| list.clone().with(self.field, &number.to_string());
        html! {
            @if self.pages > 1 {
                nav .pages aria-label=(label) {
                    @if self.number > 1 {
                        a href=(to(1).as_str()) { (words.first) } " "
                        a rel="prev" href=(to(self.number - 1).as_str()) { (words.previous) } " "
                    }
                    span aria-current="page" { ((words.page_of)(self.number, self.pages)) } " "
                    @if self.number < self.pages {
                        a rel="next" href=(to(self.number + 1).as_str()) { (words.next) } " "
                        a href=(to(self.pages).as_str()) { (words.last) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_there_is_the_nearest_that_is() {
        let all: Vec<usize> = (0..120).collect();
        for (asked, first, many) in
            [("", 0, 50), ("1", 0, 50), ("0", 0, 50), ("-1", 0, 50), ("2", 50, 50), ("3", 100, 20)]
        {
            let sheet = Sheet::at(&all, asked, "page", A_PAGE);
            assert_eq!((sheet.rows[0], sheet.rows.len(), sheet.pages), (first, many, 3), "{asked}");
        }
        assert_eq!(Sheet::at(&all, "99", "page", A_PAGE).rows[0], 100);
        let none: [usize; 0] = [];
        let empty = Sheet::at(&none, "7", "page", A_PAGE);
        assert_eq!((empty.rows.len(), empty.pages), (0, 1));
        assert_eq!(Sheet::at(&all[..50], "2", "page", A_PAGE).pages, 1);
        assert_eq!(Sheet::at(&all, "", "page", 7).rows.len(), 7);
    }
}
