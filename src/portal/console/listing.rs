//! Long lists, a page at a time.

use super::Desk;
use crate::http::Location;
use maud::{Markup, html};

/// How much is on a page.
const A_PAGE: usize = 50;

/// One page of a list.
pub(super) struct Sheet<'l, T> {
    /// What is on it.
    pub rows: &'l [T],
    number: usize,
    pages: usize,
}

impl<'l, T> Sheet<'l, T> {
    /// The page that was asked for, or the nearest there is.
    pub fn of(all: &'l [T], asked: &str) -> Self {
        let pages = all.len().div_ceil(A_PAGE).max(1);
        let number = asked.parse::<usize>().unwrap_or(1).clamp(1, pages);
        let from = (number - 1) * A_PAGE;
        let rows = all.get(from..all.len().min(from + A_PAGE)).unwrap_or_default();
        Self { rows, number, pages }
    }

    /// The links to the others. `list` is the address of the list, with what was searched for.
    pub fn links(&self, desk: &Desk<'_>, list: &Location) -> Markup {
        let words = desk.words;
        let to = |number: usize| list.clone().with("page", &number.to_string());
        html! {
            @if self.pages > 1 {
                nav .pages aria-label=(words.pages_label) {
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

/// A field of a search, with what was searched for.
pub(super) fn search_field(name: &str, label: &str, value: &str) -> Markup {
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) type="search" value=(value) autocomplete="off"
            autocapitalize="none" spellcheck="false";
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
            let sheet = Sheet::of(&all, asked);
            assert_eq!((sheet.rows[0], sheet.rows.len(), sheet.pages), (first, many, 3), "{asked}");
        }
        assert_eq!(Sheet::of(&all, "99").rows[0], 100);
        let none: [usize; 0] = [];
        assert_eq!((Sheet::of(&none, "7").rows.len(), Sheet::of(&none, "7").pages), (0, 1));
        assert_eq!(Sheet::of(&all[..50], "2").pages, 1);
    }
}
