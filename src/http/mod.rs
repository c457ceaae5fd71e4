//! Floor 5: the vocabulary of our own pages.

mod site;

pub use site::Site;
