use super::*;
use crate::domain::access::{AccessRules, Verdict};
use crate::types::Timestamp;
use std::hint::black_box;
use std::net::IpAddr;
use std::time::Instant;

fn rule(policy: Policy) -> Rule {
    Rule {
        host: HostPattern::Any,
        path: String::from("/"),
        methods: Vec::new(),
        networks: Vec::new(),
        users: Vec::new(),
        groups: Vec::new(),
        policy,
        fresh: None,
    }
}

fn at(host: &str, path: &str, policy: Policy) -> Rule {
    Rule { host: HostPattern::parse(host).unwrap(), path: path.to_owned(), ..rule(policy) }
}

fn client() -> ClientAddr {
    ClientAddr::from(IpAddr::from([192, 0, 2, 7]))
}

/// What becomes of a request of nobody known.
fn verdict(rules: &AccessRules, method: &str, host: &str, path: &str) -> Verdict {
    let (host, path) = (Host::parse(host).unwrap(), PathView::of(path));
    let asked = Asked { host: &host, path: &path, method, client: client() };
    rules.decide(&asked, Known::Nobody, Timestamp::from_secs(0))
}

#[test]
fn the_first_rule_that_fits_decides_and_else_the_default() {
    let rules = AccessRules::new(
        vec![
            at("a.test", "/api/secret", Policy::Deny),
            at("a.test", "/api", Policy::Bypass),
            Rule { methods: vec!["GET".into()], ..at("*.b.test", "/", Policy::Bypass) },
        ],
        Policy::TwoFactor,
    );
    for (method, host, path, expected) in [
        ("GET", "a.test", "/api", Verdict::Allow),
        ("GET", "a.test", "/api/x", Verdict::Allow),
        ("GET", "a.test", "/apis", Verdict::SignIn),
        ("GET", "a.test", "/api/secret", Verdict::Forbid),
        ("GET", "a.test", "/api/secret/x", Verdict::Forbid),
        ("GET", "x.b.test", "/", Verdict::Allow),
        ("HEAD", "x.b.test", "/", Verdict::Allow),
        ("POST", "x.b.test", "/", Verdict::SignIn),
        ("OPTIONS", "x.b.test", "/", Verdict::SignIn),
        ("GET", "b.test", "/", Verdict::SignIn),
        ("GET", "xb.test", "/", Verdict::SignIn),
    ] {
        assert_eq!(verdict(&rules, method, host, path), expected, "{method} {host}{path}");
    }
}

#[test]
fn a_rule_that_loosens_never_fits_a_path_with_two_readings() {
    let open = at("*", "/public", Policy::Bypass);
    let rules = AccessRules::new(vec![open], Policy::TwoFactor);
    assert_eq!(verdict(&rules, "GET", "a.test", "/public/x"), Verdict::Allow);
    for path in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public%2fx",
        "/public//x",
        "//public",
        "/public;/../admin",
        "/public/x;y",
        "/public\\x",
        "/%70ublic",
        "/public/%00",
        "/public/./x",
        "/PUBLIC/x",
        "/public/%zz",
        "/publicx",
    ] {
        assert_eq!(verdict(&rules, "GET", "a.test", path), Verdict::SignIn, "{path}");
    }
}

#[test]
fn a_rule_that_tightens_fits_whatever_some_server_reads_as_its_path() {
    let shut = at("*", "/admin/", Policy::Deny);
    let rules = AccessRules::new(vec![shut], Policy::Bypass);
    assert_eq!(verdict(&rules, "GET", "a.test", "/"), Verdict::Allow);
    for path in [
        "/admin",
        "/admin/x",
        "/x/../admin",
        "/%61dmin",
        "//admin",
        "/ADMIN/x",
        "/admin;x=1/y",
        "/x/%2e%2e/admin",
        "/x/..%2fadmin",
        "/x/..\\admin",
        "/%2561dmin",
    ] {
        assert_eq!(verdict(&rules, "GET", "a.test", path), Verdict::Forbid, "{path}");
    }
}

#[test]
fn a_rule_for_certain_people_is_not_passed_over_before_they_sign_in() {
    let group = GroupName::parse("staff").unwrap();
    let rules = AccessRules::new(
        vec![Rule { groups: vec![group], ..rule(Policy::Deny) }, at("*", "/open", Policy::Bypass)],
        Policy::Deny,
    );
    assert_eq!(verdict(&rules, "GET", "a.test", "/open"), Verdict::SignIn);
}

/// Numbers that can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn some(&mut self, all: &[&'static str]) -> Vec<&'static str> {
        let count = self.below(3);
        (0..count).map(|_| self.of(all)).collect()
    }
}

const HOSTS: [&str; 5] = ["*", "*.test", "*.a.test", "a.test", "x.a.test"];
const PATHS: [&str; 6] = ["/", "/a", "/a/", "/a/b", "/A/c", "/b"];

fn random_rule(chance: &mut Chance) -> Rule {
    let policies = [Policy::Bypass, Policy::OneFactor, Policy::TwoFactor, Policy::Deny];
    Rule {
        methods: chance.some(&["GET", "POST"]).into_iter().map(str::to_owned).collect(),
        networks: chance
            .some(&["192.0.2.0/24", "10.0.0.0/8"])
            .into_iter()
            .map(|text| Network::parse(text).unwrap())
            .collect(),
        groups: match chance.below(4) {
            0 => vec![GroupName::parse("staff").unwrap()],
            _ => Vec::new(),
        },
        ..at(chance.of(&HOSTS), chance.of(&PATHS), chance.of(&policies))
    }
}

#[test]
fn what_is_explained_is_what_decides_and_what_refuses_never_allows() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for _ in 0..400 {
        let count = chance.below(12);
        let all: Vec<Rule> = (0..count).map(|_| random_rule(&mut chance)).collect();
        let rules = AccessRules::new(all.clone(), Policy::TwoFactor);
        for _ in 0..40 {
            let host =
                Host::parse(chance.of(&["a.test", "x.a.test", "y.x.a.test", "b.org"])).unwrap();
            let text = ["/", "/a", "/a/b/c", "/A/B", "/a/../b", "/a%2fb", "/b;x", "//a", "/ab"];
            let path = PathView::of(chance.of(&text));
            let method = chance.of(&["GET", "HEAD", "POST"]);
            let asked = Asked { host: &host, path: &path, method, client: client() };
            let ruling = rules.ruling(&asked, Known::Nobody);
            let last = rules.explain(&asked, Known::Nobody).last();
            let decided = last.filter(|(.., fit)| fit.decides()).map(|(number, ..)| number);
            assert_eq!(ruling.rule, decided, "{asked:?}");
            let verdict = ruling.verdict(Known::Nobody, Timestamp::from_secs(0));
            if verdict == Verdict::Allow {
                let rule = &all[ruling.rule.unwrap() - 1];
                assert_eq!(rule.policy, Policy::Bypass);
                assert!(path.is_canonical());
            }
        }
    }
}

#[test]
fn a_thousand_rules_cost_a_decision_about_as_much_as_ten() {
    let one = |n: usize| at(&format!("h{}.test", n % 100), &format!("/p{n}"), Policy::Bypass);
    let looked_at = |count: usize| {
        let rules = Rules::new((0..count).map(one).collect());
        let host = Host::parse("h5.test").unwrap();
        rules.candidates(&host, "/p5/x/y").count()
    };
    assert_eq!((looked_at(10), looked_at(1000)), (1, 1));

    // And in time: the fastest of many turns of each, taken in turn.
    let decide = |rules: &AccessRules| {
        let began = Instant::now();
        for _ in 0..200 {
            assert_eq!(black_box(verdict(rules, "GET", "h5.test", "/p5/x/y")), Verdict::Allow);
        }
        began.elapsed()
    };
    let of = |count: usize| AccessRules::new((0..count).map(one).collect(), Policy::Deny);
    let (few, many) = (of(10), of(1000));
    let turns = (0..100).map(|_| (decide(&few), decide(&many)));
    let (ten, thousand) =
        turns.reduce(|best, turn| (best.0.min(turn.0), best.1.min(turn.1))).unwrap();
    let ratio = thousand.as_secs_f64() / ten.as_secs_f64();
    println!("a decision by a thousand rules takes {ratio:.2} times one by ten");
    assert!(ratio < 5.0, "{ten:?} {thousand:?}");
}
