use super::{faults, meaning, parse, parse_with};
use crate::config::{Config, MasterKeySource, Overrides, load};
use std::path::Path;

const KEY: &str = "correct horse battery staple, and more";

#[test]
fn a_variable_wins_over_the_file_and_an_argument_over_both() {
    let file = "data_dir = \"a\"\n[server]\nlisten = [\"127.0.0.1:1\"]\nworkers = 1\n\
                [[route]]\nhost = \"old.test\"\nupstream = \"http://old\"";
    let environment = [
        ("VESTIBULE_DATA_DIR", "b"),
        ("VESTIBULE_SERVER__LISTEN", "127.0.0.1:2, unix:/v.sock"),
        ("VESTIBULE_SERVER__WORKERS", "2"),
        ("VESTIBULE_CONFIG", "no key"),
        ("HOME", "/"),
    ];
    let config = parse_with(file, &environment, &Overrides::default()).unwrap();
    assert_eq!((config.data_dir.to_str(), config.proxy.workers), (Some("b"), 2));
    assert_eq!(config.proxy.listen.len(), 2);
    assert_eq!(config.site.public_url.to_string(), "http://127.0.0.1:2");

    let overrides = Overrides {
        config: None,
        data: Some(String::from("c")),
        listen: vec![String::from("127.0.0.1:3")],
        public_url: None,
        upstream: Some(String::from("http://app:5")),
    };
    let config = parse_with(file, &environment, &overrides).unwrap();
    assert_eq!(config.store_path, Path::new("c/store"));
    assert_eq!(config.admin_socket, Path::new("c/admin.sock"));
    assert_eq!(config.site.public_url.to_string(), "http://127.0.0.1:3");
    let [route] = config.proxy.routes.as_slice() else { panic!("one route") };
    assert_eq!(route.key.host.to_string() + &route.key.path, "*/");
    assert!(config.show().contains("listen = [\"127.0.0.1:3\"] # --listen"));
    assert!(config.show().contains("workers = 2 # VESTIBULE_SERVER__WORKERS"));
}

#[test]
fn a_fault_names_the_variable_or_the_argument() {
    let environment = [
        ("VESTIBULE_SESSION__IDLE", "5x"),
        ("VESTIBULE_SERVER__PUBIC_URL", "https://x"),
        ("VESTIBULE_SESION__PENDING", "5m"),
        ("VESTIBULE_LIFETIME", "5m"),
        ("VESTIBULE_ROUTE__HOST", "*"),
        ("VESTIBULE_TOTP", "6"),
        ("VESTIBULE_TOTP__DIGITS", "six"),
        ("VESTIBULE_SERVICE_PORT", "8080"),
        ("VESTIBULE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
    ];
    let overrides = Overrides { public_url: Some(String::from("nowhere")), ..Overrides::default() };
    let faults = parse_with("[totp]\nskew = 1", &environment, &overrides).unwrap_err().to_string();
    assert_eq!(
        faults.lines().collect::<Vec<_>>(),
        [
            "VESTIBULE_LIFETIME: lifetime: unknown key (did you mean VESTIBULE_SESSION__LIFETIME?)",
            "VESTIBULE_ROUTE__HOST: route: must be a list of tables (write [[route]] in the file)",
            "VESTIBULE_SERVER__PUBIC_URL: server.pubic_url: unknown key \
             (did you mean VESTIBULE_SERVER__PUBLIC_URL?)",
            "VESTIBULE_SESION__PENDING: sesion.pending: unknown key \
             (did you mean VESTIBULE_SESSION__PENDING?)",
            "VESTIBULE_SESSION__IDLE: session.idle: \"5x\" is not a duration \
             (write 30s, 15m, 12h or 30d)",
            "VESTIBULE_TOTP: totp: totp is a table \
             (set its keys one by one, as VESTIBULE_TOTP__KEY)",
            "VESTIBULE_TOTP__DIGITS: totp.digits: \"six\" is not an integer",
            "--public-url: server.public_url: must begin with https:// or http:// \
             (write https://portal.example.com or http://127.0.0.1:8080)",
        ]
    );
}

#[test]
fn the_master_key_is_given_or_in_a_file_but_not_both() {
    let source = |text: &str, environment: &[(&str, &str)]| {
        parse_with(text, environment, &Overrides::default()).unwrap().master_key
    };
    let is_file = |source: &MasterKeySource, wanted: &str, made: bool| match source {
        MasterKeySource::File { path, make } => path == Path::new(wanted) && *make == made,
        MasterKeySource::Inline(_) => false,
    };
    assert!(is_file(&source("", &[]), "vestibule-data/master.key", true));
    assert!(is_file(&source("data_dir = \"x\"", &[]), "x/master.key", true));
    assert!(is_file(&source("[secrets]\nmaster_key_file = \"/run/k\"", &[]), "/run/k", false));
    let by_variable = [("VESTIBULE_SECRETS__MASTER_KEY_FILE", "/run/k")];
    assert!(is_file(&source("", &by_variable), "/run/k", false));
    let inline = source("", &[("VESTIBULE_SECRETS__MASTER_KEY", KEY)]);
    assert!(matches!(inline, MasterKeySource::Inline(key) if key.reveal() == KEY.as_bytes()));
    let both = faults(&format!("[secrets]\nmaster_key = {KEY:?}\nmaster_key_file = \"/run/k\""));
    assert_eq!(
        both,
        "config.toml:3: secrets.master_key_file: is given beside secrets.master_key \
         (keep one of the two)"
    );
}

#[test]
fn the_public_address_follows_the_first_listener() {
    for (listen, url) in [
        ("\"127.0.0.1:80\"", "http://127.0.0.1"),
        ("\"unix:/v.sock\", \"[::1]:81\"", "http://[::1]:81"),
    ] {
        let config = parse(&format!("[server]\nlisten = [{listen}]")).unwrap();
        assert_eq!(config.site.public_url.to_string(), url);
    }
    for everywhere in ["0.0.0.0:8080", "[::]:8080"] {
        let faults = parse(&format!("[server]\nlisten = [{everywhere:?}]")).unwrap_err();
        assert!(faults.to_string().contains("server.public_url: must be set"), "{faults}");
    }
}

#[test]
fn what_is_shown_makes_the_same_configuration_again() {
    let text = "data_dir = 'a \"quoted\" \\ path'\n\
        [server]\nlisten = [\"[::]:81\", \"unix:/v.sock\"]\n\
        trusted_proxies = [\"10.0.0.0/8\"]\npublic_url = \"https://a.example.com\"\n\
        [session]\ncookie_domain = \"example.com\"\n[limits]\nbody_max = 4096\n\
        [identity]\nname = \"\"\n[totp]\nissuer = \"Zoë’s\"\n\
        [[route]]\nhost = \"a.example.com\"\npath = \"/x\"\nupstream = \"http://a\"\n\
        [[route]]\nhost = \"*.example.com\"\nupstream = [\"http://a\", \"unix:/b.sock\"]";
    for text in [text, ""] {
        let config = parse(text).unwrap();
        let shown = config.show();
        let again = parse(&shown).unwrap_or_else(|faults| panic!("{shown}\n{faults}"));
        assert_eq!(meaning(&again), meaning(&config));
    }
    let shown = parse(text).unwrap().show();
    assert!(shown.contains("cookie_domain = \"example.com\" # config.toml:7\n"), "{shown}");
    assert!(shown.contains("idle = \"1h\" # default\n"), "{shown}");
}

#[test]
fn a_secret_is_masked_and_the_mask_is_not_a_secret() {
    let config = parse(&format!("[secrets]\nmaster_key = {KEY:?}")).unwrap();
    let shown = config.show();
    assert!(shown.contains("master_key = \"********\" # config.toml:2\n"), "{shown}");
    assert!(!format!("{shown}{config:?}").contains("horse"));
    assert!(faults(&shown).contains("mask"));
}

#[test]
fn redirects_may_lead_to_hosts_that_routes_name() {
    let route = |host: &str| format!("[[route]]\nhost = \"{host}\"\nupstream = \"http://a\"\n");
    let text =
        route("*") + &route("a.test") + &route("*.b.test") + "path = \"/x\"\n" + &route("*.b.test");
    let origins = parse(&text).unwrap().site.origins;
    let hosts: Vec<String> = origins.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["*.b.test", "a.test"]);
    assert_eq!(origins.public_url.to_string(), "http://127.0.0.1:8080");
}

#[test]
fn nothing_said_is_the_documented_defaults() {
    let config = Config::parse(None, [], &Overrides::default()).unwrap();
    let defaults = crate::service::Settings::default();
    assert_eq!(format!("{:?}", config.service), format!("{defaults:?}"));
    let identity = crate::http::IdentityNames::default();
    assert_eq!(format!("{:?}", config.proxy.identity), format!("{identity:?}"));
    assert_eq!(config.site.body_max, 65_536);
    assert_eq!(config.admin_listen, "127.0.0.1:9180".parse().ok());
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let named = |path: &str| Overrides { config: Some(path.into()), ..Overrides::default() };
    let told = load([], &named("/nowhere/v.toml")).unwrap_err().to_string();
    assert!(told.starts_with("/nowhere/v.toml: cannot be read: "), "{told}");
    let variable = [("VESTIBULE_CONFIG", "/nowhere/e.toml")];
    let told = load(variable, &Overrides::default()).unwrap_err().to_string();
    assert!(told.starts_with("/nowhere/e.toml: "), "{told}");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml.example");
    let config = load(variable, &named(example)).unwrap();
    assert_eq!(config.file.as_deref(), Some(Path::new(example)));
}
