//! What an app is told as its host.

use super::route;
use crate::harness::{App, H2App, House, h2_connect, h2_exchange};
use http::Request;

#[test]
fn the_host_is_kept_or_told_anew_and_the_original_is_told_in_any_case() {
    for (value, told) in
        [("keep", "app.test"), ("upstream", ""), ("other.test:8443", "other.test:8443")]
    {
        let app = App::start();
        let (url, address) = (app.url(), app.address.to_string());
        let house = House::with(app, route(&[url], &format!("upstream_host = \"{value}\"\n")));
        assert_eq!(house.get("/x", "X-Forwarded-Host: evil.test\r\n").text(), "hello");
        let seen = house.app.received().to_lowercase();
        let told = if told.is_empty() { address.as_str() } else { told };
        assert!(seen.contains(&format!("\r\nhost: {told}\r\n")), "{seen}");
        assert_eq!(seen.matches("\r\nhost: ").count(), 1, "{seen}");
        assert!(seen.contains("\r\nx-forwarded-host: app.test\r\n"), "{seen}");
        assert!(!seen.contains("evil"), "{seen}");
    }
}

#[test]
fn each_of_several_upstreams_is_told_its_own_name() {
    let [one, two] = [App::start(), App::start()];
    let options = route(&[one.url(), two.url()], "upstream_host = \"upstream\"\n");
    let house = House::with(App::start(), options);
    for _ in 0..4 {
        assert_eq!(house.get("/x", "").text(), "hello");
    }
    for app in [one, two] {
        let seen = app.received().to_lowercase();
        let told = format!("\r\nhost: {}\r\n", app.address);
        assert_eq!(
            (seen.matches("\r\nhost: ").count(), seen.matches(&told).count()),
            (2, 2),
            "{seen}"
        );
    }
}

#[test]
fn an_app_that_speaks_http2_is_told_so_as_well() {
    let h2 = H2App::start();
    let options = route(&[format!("h2c://{}", h2.address)], "upstream_host = \"other.test\"\n");
    let house = House::with(App::start(), options);
    assert_eq!(house.get("/x", "").status, 200);
    let (_, uri, headers) = h2.received().remove(0);
    assert_eq!(uri.authority().unwrap(), "other.test");
    assert_eq!(headers["x-forwarded-host"], "app.test");
}

#[tokio::test]
async fn a_client_that_speaks_http2_names_the_host_once_and_not_to_the_app() {
    let house = tokio::task::spawn_blocking(|| {
        let app = App::start();
        let options = route(&[app.url()], "upstream_host = \"other.test\"\n");
        House::with(app, options)
    })
    .await
    .unwrap();
    let client = h2_connect(house.gateway.address).await;
    let request = Request::get("http://app.test/x").header("cookie", &house.cookie);
    let request = request.header("host", "app.test").body(()).unwrap();
    assert_eq!(h2_exchange(&client, request, b"").await.unwrap().text(), "hello");
    let seen = house.app.received().to_lowercase();
    assert!(seen.contains("\r\nhost: other.test\r\n"), "{seen}");
    assert_eq!(seen.matches("\r\nhost: ").count(), 1, "{seen}");
    assert!(seen.contains("\r\nx-forwarded-host: app.test\r\n"), "{seen}");
}
