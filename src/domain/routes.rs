//! Which app a request is for: the most specific host, then the longest path.

use crate::types::{Host, HostPattern, PathView};

/// What a route answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteKey {
    /// Which hosts.
    pub host: HostPattern,
    /// Which paths: this one and all below it.
    pub path: String,
}

/// Where a route is in the table it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// Routes in the order in which they are tried.
#[derive(Debug)]
pub struct RouteTable<T> {
    routes: Vec<(RouteKey, T)>,
}

impl<T> RouteTable<T> {
    /// Sorts routes so that the first match is the best one.
    pub fn new(mut routes: Vec<(RouteKey, T)>) -> Self {
        let rank = |key: &RouteKey| {
            let specific = match &key.host {
                HostPattern::Exact(_) => usize::MAX,
                HostPattern::Below(parent) => parent.as_str().len(),
                HostPattern::Any => 0,
            };
            (specific, key.path.trim_end_matches('/').len())
        };
        routes.sort_by_key(|(key, _)| std::cmp::Reverse(rank(key)));
        Self { routes }
    }

    /// The route for a request. The path is judged in its canonical form, so that no spelling
    /// reaches another app than the plain one does.
    pub fn find(&self, host: &Host, path: &PathView<'_>) -> Option<(Place, &T)> {
        let is_for = |key: &RouteKey| key.host.matches(host) && path.is_below(&key.path);
        let mut routes = self.routes.iter().enumerate();
        routes.find(|(_, (key, _))| is_for(key)).map(|(at, (_, found))| (Place(at), found))
    }

    /// What is at a place that was found here.
    pub fn at(&self, Place(at): Place) -> Option<&T> {
        self.routes.get(at).map(|(_, found)| found)
    }

    /// The route for a request, in words.
    pub fn name(&self, host: &Host, path: &PathView<'_>) -> Option<String> {
        let (Place(at), _) = self.find(host, path)?;
        self.routes.get(at).map(|(key, _)| format!("{}{}", key.host, key.path))
    }

    /// Whether any route is for this host.
    pub fn knows_host(&self, host: &Host) -> bool {
        self.routes.iter().any(|(key, _)| key.host.matches(host))
    }

    /// Every route.
    pub fn iter(&self) -> impl Iterator<Item = &(RouteKey, T)> {
        self.routes.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(keys: &[(&str, &str)]) -> RouteTable<usize> {
        let key = |(host, path): &(&str, &str)| RouteKey {
            host: HostPattern::parse(host).unwrap(),
            path: (*path).to_owned(),
        };
        RouteTable::new(keys.iter().map(key).zip(0..).collect())
    }

    fn found(table: &RouteTable<usize>, host: &str, path: &str) -> Option<usize> {
        table.find(&Host::parse(host).unwrap(), &PathView::of(path)).map(|(_, n)| *n)
    }

    #[test]
    fn the_most_specific_host_wins_then_the_longest_path() {
        let routes = table(&[
            ("*", "/"),
            ("*.example.com", "/"),
            ("*.a.example.com", "/"),
            ("x.example.com", "/"),
            ("x.example.com", "/api/"),
        ]);
        assert_eq!(found(&routes, "x.example.com", "/api/v1"), Some(4));
        assert_eq!(found(&routes, "x.example.com", "/apis"), Some(3));
        assert_eq!(found(&routes, "y.a.example.com", "/"), Some(2));
        assert_eq!(found(&routes, "y.example.com", "/api"), Some(1));
        assert_eq!(found(&routes, "elsewhere.net", "/api"), Some(0));
    }

    #[test]
    fn no_spelling_of_a_path_reaches_another_app() {
        let routes = table(&[("*", "/"), ("*", "/admin")]);
        for path in ["/admin", "/%61dmin", "/x/../admin/", "//admin", "/x/%2e%2e/admin"] {
            assert_eq!(found(&routes, "a.test", path), Some(1), "{path}");
        }
    }

    #[test]
    fn a_host_without_a_route_reaches_nothing() {
        assert_eq!(found(&table(&[("a.test", "/")]), "b.test", "/"), None);
    }
}
