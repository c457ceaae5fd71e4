//! A request reaches an app once.

use super::route;
use crate::harness::{App, House, free_port};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn what_an_app_took_and_did_not_answer_is_not_sent_to_another() {
    let asked = Arc::new(AtomicUsize::new(0));
    let dropping = || {
        let asked = Arc::clone(&asked);
        App::serving(move |_, _| {
            asked.fetch_add(1, Ordering::SeqCst);
            false
        })
    };
    let [one, two] = [dropping(), dropping()];
    let options = route(&[one.url(), two.url()], "health_check = \"off\"\n");
    let house = House::with(App::start(), options);
    for (number, request) in ["GET /x", "PUT /x", "POST /x", "DELETE /x"].into_iter().enumerate() {
        let request = format!("{request} HTTP/1.1\r\nHost: a\r\n$CContent-Length: 2\r\n\r\nhi");
        assert_eq!(house.ask(&request).status, 502, "{request}");
        assert_eq!(asked.load(Ordering::SeqCst), number + 1, "{request}");
    }
}

#[test]
fn what_was_never_sent_goes_to_whoever_can_be_reached_with_its_whole_body() {
    let app = App::start();
    let upstreams =
        [format!("http://{}", free_port()), format!("http://{}", free_port()), app.url()];
    let options = route(&upstreams, "health_check = \"off\"\nbody_max = 4\n");
    let house = House::with(app, options);
    let post = "POST /x HTTP/1.1\r\nHost: a\r\n$CContent-Length: 4\r\n\r\nbody";
    for _ in 0..3 {
        assert_eq!(house.ask(post).status, 200);
    }
    assert_eq!(house.app.received().matches("\r\n\r\nbody").count(), 3);
}
