use super::{faults, parse};
use crate::config::Place;

#[test]
fn every_fault_is_named_at_once_with_its_line() {
    let text = r#"
data_dir = 7
[server]
trusted_proxies = [
    "10.0.0.0/8",
    "everyone",
    "::/0",
]
prefx = "/x"
[session]
idle = "5x"
lifetime = "12h"
[password]
min_length = "12"
[[route]]
host = "a.test"
upstream = "http://a"
[[route]]
host = "b.test"
upsteam = "http://b"
"#;
    assert_eq!(
        faults(text).lines().collect::<Vec<_>>(),
        [
            "config.toml:2: data_dir: must be a string, not an integer (write it in quotes)",
            "config.toml:6: server.trusted_proxies: \"everyone\" is not a network \
             (write 10.0.0.0/8 or 192.0.2.1)",
            "config.toml:7: server.trusted_proxies: ::/0 would let anybody claim any address \
             (name the networks of your proxies)",
            "config.toml:9: server.prefx: unknown key (did you mean server.prefix?)",
            "config.toml:11: session.idle: \"5x\" is not a duration (write 30s, 15m, 12h or 30d)",
            "config.toml:14: password.min_length: must be an integer, not a string \
             (write it in digits, without quotes)",
            "config.toml:18: route.upstream: must be set",
            "config.toml:20: route.upsteam: unknown key (did you mean route.upstream?)",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_one_fault_with_its_line() {
    for text in ["data_dir = \"x\"\n[server\n", "\nworkers == 1", "[store]\n[store]\n"] {
        let faults = parse(text).unwrap_err();
        assert_eq!(faults.list().len(), 1, "{faults}");
        assert_eq!(faults.list()[0].place, Place::Line(2), "{faults}");
    }
}

#[test]
fn a_key_that_does_not_exist_is_held_against_those_that_do() {
    for (text, told) in [
        ("idle = \"1h\"", "idle: unknown key (did you mean session.idle?)"),
        ("dat_dir = \"x\"", "dat_dir: unknown key (did you mean data_dir?)"),
        ("path = \"x\"", "path: unknown key (did you mean route.path or rule.path or store.path?)"),
        ("upstream = \"x\"", "upstream: unknown key (did you mean route.upstream?)"),
        (
            "[server]\nmin_length = 9",
            "server.min_length: unknown key (did you mean password.min_length?)",
        ),
        ("[sesion]\nidle = \"1h\"", "sesion: unknown table (did you mean [session]?)"),
        ("[[routes]]\nhost = \"*\"", "routes: unknown table (did you mean [route]?)"),
        (
            "[totp]\nskew.x = 1",
            "totp.skew: must be an integer, not a table (write it in digits, without quotes)",
        ),
        ("colour = \"blue\"", "colour: unknown key"),
        (
            "[password]\nbreachd = \"api\"",
            "password.breachd: unknown key (did you mean password.breached?)",
        ),
        (
            "[password]\nbreached_api_ulr = \"https://a\"",
            "password.breached_api_ulr: unknown key (did you mean password.breached_api_url?)",
        ),
        (
            "[limits]\nbreached_unanswered = \"accept\"",
            "limits.breached_unanswered: unknown key (did you mean password.breached_unanswered?)",
        ),
        (
            "session = 5",
            "session: must be a table, not an integer (write [session] and its keys below)",
        ),
        ("[route]\nhost = \"*\"", "route: must be a list of tables (write [[route]] in the file)"),
    ] {
        let faults = faults(text);
        let line = faults.split_once(": ").unwrap().1;
        assert_eq!(line, told, "{text}");
    }
}

#[test]
fn every_limit_is_kept() {
    for (text, key, told) in [
        ("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]", "server.trusted_proxies", "anybody"),
        ("[server]\ntrusted_proxies = [1]", "server.trusted_proxies", "must be a string"),
        ("[server]\npublic_url = \"http://p.example.com\"", "server.public_url", "allow_http"),
        ("[server]\nlisten = [\"192.0.2.1:80\"]", "server.listen", "allow_http"),
        ("[server]\npublic_url = \"p.example.com\"", "server.public_url", "https://"),
        ("[server]\npublic_url = \"https://p.example.com/x\"", "server.public_url", "nothing else"),
        ("[server]\nprefix = \"/\"", "server.prefix", "not a prefix"),
        ("[server]\nprefix = \"\"", "server.prefix", "not a prefix"),
        ("[server]\nprefix = \"x\"", "server.prefix", "not a prefix"),
        ("[server]\nprefix = \"/x/\"", "server.prefix", "not a prefix"),
        ("[server]\nprefix = \"/x//y\"", "server.prefix", "not a prefix"),
        ("[server]\nprefix = \"/x/../y\"", "server.prefix", "not a prefix"),
        ("[server]\nprefix = \"/x?y\"", "server.prefix", "not a prefix"),
        ("[server]\nlisten = []", "server.listen", "empty"),
        ("[server]\nlisten = \"127.0.0.1:80\"", "server.listen", "must be a list"),
        ("[server]\nlisten = [\"localhost:80\"]", "server.listen", "not an address"),
        ("[server]\nlisten = [\"[::1]:1\", \"[::1]:1\"]", "server.listen", "twice"),
        ("[server]\nlisten = [\"127.0.0.1:9180\"]", "server.listen", "both listen and admin"),
        ("[server]\nlisten = [\"unix:/x.sock\"]", "server.public_url", "must be set"),
        ("[server]\nadmin_listen = \"unix:/x.sock\"", "server.admin_listen", "not an address"),
        ("[server]\nworkers = -1", "server.workers", "out of bounds"),
        ("[server]\nworkers = 1.5", "server.workers", "not a fraction"),
        ("[server]\nallow_http = \"true\"", "server.allow_http", "without quotes"),
        ("[store]\nkind = \"postgres\"", "store.kind", "not in this version"),
        ("[store]\nkind = \"redis\"", "store.kind", "unknown"),
        ("[store]\npath = \"\"", "store.path", "not a path"),
        ("[secrets]\nmaster_key = \"short\"", "secrets.master_key", "shorter than 32"),
        ("[secrets]\nmaster_key = \"********\"", "secrets.master_key", "mask"),
        ("[session]\nidle = \"25h\"", "session.idle", "longer than lifetime"),
        ("[session]\nlifetime = \"30m\"", "session.lifetime", "longer than lifetime"),
        ("[session]\npending = \"0s\"", "session.pending", "zero"),
        ("[session]\nidle = 3600", "session.idle", "must be a string"),
        ("[session]\nidle = \"+5m\"", "session.idle", "not a duration"),
        ("[session]\nidle = \"m\"", "session.idle", "not a duration"),
        ("[session]\nidle = \"999999999999999999d\"", "session.idle", "not a duration"),
        ("[session]\ncookie_domain = \"com\"", "session.cookie_domain", "one label"),
        ("[session]\ncookie_domain = \"127.0.0.1\"", "session.cookie_domain", "an address"),
        ("[session]\ncookie_domain = \"[::1]\"", "session.cookie_domain", "an address"),
        ("[session]\ncookie_domain = \".example.com\"", "session.cookie_domain", "not a domain"),
        ("[session]\ncookie_domain = \"example.com\"", "session.cookie_domain", "hold the portal"),
        ("[password]\nmin_length = 7", "password.min_length", "out of bounds"),
        ("[password]\nmemory_kib = 19455", "password.memory_kib", "19456"),
        ("[password]\niterations = 1", "password.iterations", "47104"),
        ("[password]\niterations = 0", "password.iterations", "out of bounds"),
        ("[password]\niterations = 9\nmemory_kib = 12287", "password.memory_kib", "12288"),
        ("[password]\nhash_queue = 0", "password.hash_queue", "out of bounds"),
        ("[totp]\ndigits = 5", "totp.digits", "write 6 to 8"),
        ("[totp]\ndigits = 9", "totp.digits", "write 6 to 8"),
        ("[totp]\nperiod = 14", "totp.period", "write 15 to 120"),
        ("[totp]\nperiod = 121", "totp.period", "write 15 to 120"),
        ("[totp]\nskew = 2", "totp.skew", "write 0 to 1"),
        ("[totp]\nalgorithm = \"sha1\"", "totp.algorithm", "SHA1, SHA256, SHA512"),
        ("[totp]\nissuer = \"a:b\"", "totp.issuer", "colon"),
        ("[totp]\nissuer = \"\"", "totp.issuer", "1 to 64"),
        ("[limits]\nlockout_after = 0", "limits.lockout_after", "write 1 to 100"),
        ("[limits]\nlockout_after = 101", "limits.lockout_after", "write 1 to 100"),
        ("[limits]\nbody_max = \"64kb\"", "limits.body_max", "not a size"),
        ("[limits]\nbody_max = \"0\"", "limits.body_max", "not from"),
        ("[limits]\nbody_max = 17000000", "limits.body_max", "not from"),
        ("[access]\ndefault_policy = \"none\"", "access.default_policy", "bypass, one_factor"),
        ("[identity]\nuser = \"Remote User\"", "identity.user", "not a header name"),
        ("[identity]\nname = \"remote_user\"", "identity.name", "both user and name"),
        ("[identity]\nuser = \"Remote-Email\"", "identity.user", "both user and email"),
    ] {
        refuses(text, key, told);
    }
}

#[test]
fn stolen_passwords_are_looked_up_nowhere_in_a_list_or_at_a_service() {
    for (text, key, told) in [
        ("breached = \"on\"", "password.breached", "\"off\", \"list:PATH\" or \"api\""),
        ("breached = \"list\"", "password.breached", "is unknown"),
        ("breached = \"list:\"", "password.breached", "not a path"),
        ("breached = true", "password.breached", "must be a string"),
        ("breached_unanswered = \"ignore\"", "password.breached_unanswered", "refuse, accept"),
        ("breached_api_url = \"a.test\"", "password.breached_api_url", "https://"),
        ("breached_api_url = \"http://a.test\"", "password.breached_api_url", "in the clear"),
        ("breached_api_url = \"https://me:hunter2@a\"", "password.breached_api_url", "password"),
    ] {
        let text = format!("[password]\n{text}");
        refuses(&text, key, told);
        assert!(!faults(&text).contains("hunter2"));
    }
    let source = |text: &str| {
        let text = format!("[password]\n{text}");
        format!("{:?}", parse(&text).unwrap().service.breached)
    };
    assert_eq!(source("breached = \"list:/a b:c\""), "List(\"/a b:c\")");
    assert_eq!(source("breached_unanswered = \"accept\""), "Off");
    let api = source("breached = \"api\"\nbreached_api_url = \"http://127.0.0.1:81/x\"");
    assert!(api.contains("base: \"/x\"") && api.contains("accept_unanswered: false"), "{api}");
}

#[test]
fn a_header_that_means_something_else_is_not_an_identity_header() {
    for name in [
        "Host",
        "Cookie",
        "Set-Cookie",
        "Authorization",
        "Proxy-Authorization",
        "Connection",
        "content_length",
        "Transfer-Encoding",
        "X-Forwarded-For",
        "x_forwarded_host",
        "X-Request-Id",
        "X-Real-IP",
        "X-HTTP-Method-Override",
        "Sec-Fetch-Site",
        "Accept",
    ] {
        refuses(&format!("[identity]\nemail = \"{name}\""), "identity.email", "meaning of its own");
    }
    parse("[identity]\nuser = \"X-Remote-User\"\ngroups = \"\"").unwrap();
}

#[test]
fn a_route_is_one_app_in_one_place() {
    let route = |rest: &str| format!("[[route]]\n{rest}");
    for (rest, key, told) in [
        ("upstream = \"http://a\"", "route.host", "must be set"),
        ("host = \"a.test:80\"\nupstream = \"http://a\"", "route.host", "without a port"),
        ("host = \"*\"\nupstream = []", "route.upstream", "empty"),
        ("host = \"*\"\nupstream = \"http://a/x\"", "route.upstream", "http://host:port"),
        ("host = \"*\"\nupstream = \"http://me:hunter2@a\"", "route.upstream", "name or password"),
        ("host = \"*\"\npath = \"x\"\nupstream = \"http://a\"", "route.path", "one reading"),
        ("host = \"*\"\npath = \"/a/../b\"\nupstream = \"http://a\"", "route.path", "one reading"),
        ("host = \"*\"\npath = \"/é\"\nupstream = \"http://a\"", "route.path", "%C3%A9"),
        (
            "host = \"*\"\npath = \"/_vestibule\"\nupstream = \"http://a\"",
            "route.path",
            "own pages",
        ),
        (
            "host = \"*\"\npath = \"/_vestibule/x\"\nupstream = \"http://a\"",
            "route.path",
            "own pages",
        ),
        (
            "host = \"A.test\"\npath = \"/x\"\nupstream = \"http://a\"\n\
             [[route]]\nhost = \"a.test\"\npath = \"/x/\"\nupstream = \"http://b\"",
            "route.host",
            "already in line 2",
        ),
    ] {
        refuses(&route(rest), key, told);
        assert!(!faults(&route(rest)).contains("hunter2"));
    }
}

#[test]
fn what_is_allowed_is_taken() {
    for text in [
        "[server]\npublic_url = \"http://p.example.com\"\nallow_http = true",
        "[server]\npublic_url = \"http://app.localhost:81\"",
        "server.public_url = \"https://a.example.com\"\nsession.cookie_domain = \"example.com\"",
        "[server]\nadmin_listen = \"\"",
        "[password]\niterations = 1\nmemory_kib = 47_104",
        "[password]\niterations = 3\nmemory_kib = 12288",
        "[limits]\nbody_max = 65536",
        "[access]\ndefault_policy = \"bypass\"",
        "session.idle = \"24h\"",
        "route = [{ host = \"*\", upstream = \"h2c://a:1\" }]",
        "[[route]]\nhost = \"*\"\npath = \"/_vestibules\"\nupstream = \"unix:/a.sock\"",
    ] {
        parse(text).unwrap_or_else(|faults| panic!("{text}\n{faults}"));
    }
}

#[test]
fn a_secret_is_never_repeated_in_a_fault() {
    for text in [
        "master_key = \"hunter2\"",
        "[secrets]\nmaster_key = \"hunter2\"\nx = \"hunter2\"",
        "[secrets]\nmaster_key = hunter2",
        "[secrets]\nmaster_key = \"hunter2",
        "[secrets]\nmaster_key.key = \"hunter2\"",
    ] {
        assert!(!faults(text).contains("hunter2"), "{}", faults(text));
    }
}

fn refuses(text: &str, key: &str, told: &str) {
    let faults = parse(text).map(|config| config.show()).unwrap_err();
    let [fault] = faults.list() else { panic!("{text}\n{faults}") };
    assert!(fault.key == key && faults.to_string().contains(told), "{text}\n{faults}");
    assert!(matches!(fault.place, Place::Line(_)), "{text}\n{faults}");
}

#[test]
fn a_rule_that_makes_no_sense_is_a_fault() {
    for (text, told) in [
        ("host = \"a.test\"", "rule.policy: must be set"),
        ("policy = \"open\"", "\"open\" is unknown"),
        ("policy = \"deny\"\nhost = \"a b\"", "is not a host"),
        ("policy = \"deny\"\npath = \"/a/../b\"", "is not a path with only one reading"),
        ("policy = \"deny\"\npath = \"a\"", "is not a path with only one reading"),
        ("policy = \"deny\"\nmethods = [\"get\"]", "is not a method"),
        ("policy = \"deny\"\nnetworks = [\"here\"]", "is not a network"),
        ("policy = \"deny\"\nusers = [\"a b\"]", "a username"),
        ("policy = \"bypass\"\ngroups = [\"staff\"]", "bypass asks nobody who they are"),
        ("policy = \"one_factor\"\nfresh = \"10m\"", "where none is asked for"),
        ("policy = \"two_factor\"\nfresh = \"10\"", "is not a duration"),
        (
            "policy = \"deny\"\nhosts = \"a.test\"",
            "rule.hosts: unknown key (did you mean rule.host?)",
        ),
    ] {
        let faults = faults(&format!("[[rule]]\n{text}\n"));
        assert!(faults.contains(told), "{text}: {faults}");
    }
}

#[test]
fn a_brand_that_could_not_be_shown_or_would_run_is_refused() {
    for (text, key, told) in [
        ("name = \" \"", "branding.name", "is empty"),
        ("accent = \"green\"", "branding.accent", "write red, green and blue"),
        ("text = \"a\\nb\"", "branding.text", "longer than a line"),
        ("links = [\"Help javascript:alert(1)\"]", "branding.links", "is not a link"),
        ("links = [\"https://help.example.com\"]", "branding.links", "is not a link"),
    ] {
        refuses(&format!("[branding]\n{text}"), key, told);
    }
    let links = "links = [\"Ask us mailto:desk@example.com\", \"Help https://help.example.com\"]";
    let config = parse(&format!("[branding]\n{links}")).unwrap();
    let [ask, help] = &config.site.brand.links[..] else { panic!("{:?}", config.site.brand) };
    assert_eq!(*ask, ("Ask us".into(), "mailto:desk@example.com".into()));
    assert_eq!(*help, ("Help".into(), "https://help.example.com/".into()));
}

#[test]
fn a_logo_is_a_picture_that_can_be_read() {
    let folder = std::env::temp_dir();
    let at = |name: &str| folder.join(format!("vestibule-{}-{name}", std::process::id()));
    let (good, bad) = (at("logo"), at("page"));
    std::fs::write(&good, "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    std::fs::write(&bad, "<html></html>").unwrap();
    let with = |path: &std::path::Path| {
        parse(&format!("[branding]\nlogo = {:?}", path.to_str().unwrap())).unwrap().with_files()
    };
    assert_eq!(with(&good).unwrap().site.brand.logo.unwrap().kind, "image/svg+xml");
    for path in [bad.clone(), at("nothing")] {
        let faults = with(&path).map(|config| config.show()).unwrap_err().to_string();
        assert!(faults.contains("branding.logo") && faults.contains("cannot be shown"), "{faults}");
    }
    let _ = (std::fs::remove_file(good), std::fs::remove_file(bad));
}
