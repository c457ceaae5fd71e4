//! A logo and a colour of one's own, as browsers get them.

use crate::harness::{Browser, Gateway, Options, Reply, TempDir, attribute};

const SVG: &str = r#"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>"#;

fn branded(logo: &[u8]) -> (TempDir, Gateway) {
    let folder = TempDir::new();
    let file = folder.join("logo");
    std::fs::write(&file, logo).unwrap();
    let config = format!(
        "[branding]\nname = \"Example Works\"\naccent = \"#0b6e4f\"\nlogo = {:?}\n",
        file.display().to_string()
    );
    let gateway = Gateway::start(Options::default().config(&config));
    (folder, gateway)
}

/// Where the page says that its picture is.
fn logo_of(page: &Reply) -> String {
    let text = page.text();
    let tag = text.split("<img").nth(1).unwrap_or_else(|| panic!("no picture: {text}"));
    assert_eq!(attribute(tag, "alt").as_deref(), Some("Example Works"));
    attribute(tag, "src").unwrap()
}

#[test]
fn a_logo_is_served_as_what_it_is_for_ever_and_can_run_nothing() {
    let (folder, gateway) = branded(SVG.as_bytes());
    // It was read at start.
    drop(folder);
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/login");
    let at = logo_of(&page);
    let name = at.strip_prefix("/_vestibule/assets/").unwrap().strip_suffix(".svg").unwrap();
    assert!(name.len() == 16 && name.bytes().all(|c| c.is_ascii_hexdigit()), "{name}");
    let as_picture = "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    let logo = browser.request("GET", &at, as_picture, "");
    assert_eq!((logo.status, logo.body.as_slice()), (200, SVG.as_bytes()));
    for (name, value) in [
        ("content-type", "image/svg+xml"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(logo.header(name), Some(value), "{name}");
    }
    // Opened by itself, nothing in it runs: no script but the pages' own does, by its digest.
    let policy = logo.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(logo.headers_named("set-cookie").count(), 0);
    assert!(browser.request("HEAD", &at, as_picture, "").body.is_empty());
    assert_eq!(browser.request("POST", &at, "", "").status, 405);
    for other in ["/_vestibule/assets/logo.svg", "/_vestibule/assets/../assets/x.svg"] {
        assert_eq!(browser.request("GET", other, as_picture, "").status, 404, "{other}");
    }
}

#[test]
fn another_logo_is_at_another_address() {
    let png = |last: u8| [b"\x89PNG\r\n\x1a\n".as_slice(), &[last]].concat();
    let at = |logo: &[u8]| {
        let (_folder, gateway) = branded(logo);
        let mut browser = Browser::new(gateway.address);
        let at = logo_of(&browser.open("/_vestibule/login"));
        let kind = browser.request("GET", &at, "", "").header("content-type").map(str::to_owned);
        assert_eq!(kind.as_deref(), Some("image/png"));
        at
    };
    let (one, other) = (at(&png(1)), at(&png(2)));
    assert!(one.ends_with(".png"), "{one}");
    assert_ne!(one, other);
}
