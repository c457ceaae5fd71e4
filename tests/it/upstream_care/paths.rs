//! An app below a path may be spared to know it.

use super::route;
use crate::harness::{App, H2App, House, h2_connect, h2_exchange};
use http::Request;

fn house_below(path: &str) -> House {
    let app = App::start();
    let options = route(&[app.url()], &format!("path = \"{path}\"\nstrip_prefix = true\n"));
    House::with(app, options)
}

#[test]
fn the_app_receives_what_follows_byte_for_byte_and_is_told_the_rest() {
    for path in ["/grafana", "/grafana/"] {
        let house = house_below(path);
        for (target, received) in [
            ("/grafana", "/"),
            ("/grafana/", "/"),
            ("/grafana?a=/grafana/b", "/?a=/grafana/b"),
            ("/grafana/x", "/x"),
            ("/grafana/x/", "/x/"),
            ("/grafana/x?y=//z&%2e", "/x?y=//z&%2e"),
            ("/grafana/grafana/x", "/grafana/x"),
            ("/grafana/caf%C3%A9/%20|a", "/caf%C3%A9/%20|a"),
            ("/grafana/a/../b;c//d%2f", "/a/../b;c//d%2f"),
            ("/grafana/_vestibule/login", "/_vestibule/login"),
        ] {
            let reply =
                house.get(target, "X-Forwarded-Prefix: /evil\r\nX_Forwarded_Prefix: /e\r\n");
            assert_eq!(reply.text(), "hello", "{target}");
            let seen = house.app.take_received();
            assert!(seen.starts_with(&format!("GET {received} HTTP/1.1\r\n")), "{target}: {seen}");
            let seen = seen.to_lowercase();
            assert_eq!(seen.matches("forwarded-prefix").count(), 1, "{seen}");
            assert!(seen.contains("x-forwarded-prefix: /grafana\r\n"), "{seen}");
            assert!(!seen.contains("/e\r\n") && !seen.contains("evil"), "{seen}");
        }
    }
}

#[test]
fn what_only_some_reading_puts_below_the_prefix_is_not_found() {
    let house = house_below("/grafana");
    for target in [
        "/%67rafana/x",
        "//grafana/x",
        "/./grafana/x",
        "/x/../grafana/y",
        "/grafana%2fx",
        "/grafana//evil.test/x",
        "/grafana//",
        "/grafana/../grafana/x",
        "/grafana/x/../../grafana/y",
        "/grafana/%2e%2e/grafana/x",
        "/grafana/..;/grafana/x",
        "/grafana/..%2fgrafana/x",
        "/grafana;x/y",
        "/grafanas/x",
        "/x",
        "/",
    ] {
        assert_eq!(house.get(target, "").status, 404, "{target}");
        assert_eq!(house.app.received(), "", "{target}");
    }
}

#[tokio::test]
async fn over_http2_on_either_side_the_target_and_the_host_are_the_same() {
    let (house, h2) = tokio::task::spawn_blocking(|| {
        let (app, h2) = (App::start(), H2App::start());
        let keys = "path = \"/one\"\nstrip_prefix = true\n";
        let mut options = route(&[app.url()], keys);
        let two = route(&[format!("h2c://{}", h2.address)], &keys.replace("one", "two"));
        options = options.config(&two.config);
        (House::with(app, options), h2)
    })
    .await
    .unwrap();
    let client = h2_connect(house.gateway.address).await;
    for target in ["/one/x?y", "/two/x?y"] {
        let uri = format!("http://a.test{target}");
        let request = Request::get(uri).header("cookie", &house.cookie).body(()).unwrap();
        assert_eq!(h2_exchange(&client, request, b"").await.unwrap().status, 200, "{target}");
    }
    let seen = house.app.received().to_lowercase();
    assert!(
        seen.starts_with("get /x?y http/1.1\r\n") && seen.contains("host: a.test\r\n"),
        "{seen}"
    );
    assert_eq!(seen.matches("\r\nhost: ").count(), 1, "{seen}");
    let (_, uri, headers) = h2.received().remove(0);
    assert_eq!((uri.path_and_query().unwrap().as_str(), uri.host()), ("/x?y", Some("a.test")));
    assert_eq!(headers["x-forwarded-prefix"], "/two");
}
