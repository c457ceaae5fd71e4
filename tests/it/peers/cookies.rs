//! Which cookies the app receives: its own, as they are, and none of the gateway's.

use super::{Scene, http2};

/// What a client sends, field by field, and what the app receives of it.
const TABLE: [(&[&str], &str); 26] = [
    (&["a=1; b=2"], "a=1; b=2"),
    // In every place.
    (&["vestibule=x"], ""),
    (&["vestibule=x; a=1; b=2"], "a=1; b=2"),
    (&["a=1; vestibule=x; b=2"], "a=1; b=2"),
    (&["a=1; b=2; vestibule=x"], "a=1; b=2"),
    // All of them, by all their names.
    (&["vestibule=x; vestibule-known=k; vestibule-step=s; vestibule-form=f"], ""),
    (&["vestibule-known=k; a=1; vestibule-step=s; vestibule-form=f; b=2; vestibule=x"], "a=1; b=2"),
    (
        &["a=1; vestibule=x; b=2; vestibule-known=k; c=3; vestibule-step=s; d=4; vestibule-form=f"],
        "a=1; b=2; c=3; d=4",
    ),
    (&["__Host-vestibule=x; a=1; __Host-vestibule-known=k"], "a=1"),
    (
        &["a=1; __Secure-vestibule=x; __Host-vestibule-step=s; b=2; __Secure-vestibule-known=k"],
        "a=1; b=2",
    ),
    // Twice, as when an app plants another.
    (&["vestibule=planted; a=1; vestibule=x; vestibule=planted; b=2"], "a=1; b=2"),
    (&["a=1; vestibule-known=k; b=2; vestibule-known=planted; vestibule-form=planted"], "a=1; b=2"),
    // In any case, and with any suffix.
    (&["VESTIBULE=x; a=1; __host-Vestibule-Step=s"], "a=1"),
    (&["a=1; vestibule-other=x; vestibule2=y"], "a=1"),
    // What only looks like ours.
    (
        &["xvestibule=1; a-vestibule=2; _vestibule=3; __Host-a-vestibule=4; vestibul=5"],
        "xvestibule=1; a-vestibule=2; _vestibule=3; __Host-a-vestibule=4; vestibul=5",
    ),
    (&["a=1; xvestibule=1; sid=2; vestibule=x"], "a=1; xvestibule=1; sid=2"),
    (&["a=vestibule=1; vestibule=a=1; b=\"vestibule\""], "a=vestibule=1; b=\"vestibule\""),
    // As no browser writes them.
    (&["vestibule =x; a=1; vestibule\t=x"], "a=1"),
    (&["a=1;\tvestibule=x; b=2;\t vestibule-known=k"], "a=1; b=2"),
    (&["vestibule=x;a=1;vestibule-known=k;b=2"], "a=1; b=2"),
    (&["a=1; vestibule; vestibule=; b=2"], "a=1; b=2"),
    // In several fields.
    (&["vestibule=x", "a=1", "b=2"], "a=1; b=2"),
    (&["a=1", "vestibule=x", "b=2; vestibule-known=k"], "a=1; b=2"),
    (&["a=1; vestibule=x", "vestibule=planted; b=2"], "a=1; b=2"),
    (&["vestibule=x", "vestibule-step=s; vestibule-form=f"], ""),
    // More often than anybody counts.
    (
        &["vestibule=1; a=1; vestibule=2; b=2; vestibule=3; c=3; vestibule=4; d=4; vestibule=5"],
        "a=1; b=2; c=3; d=4",
    ),
];

pub fn none_of_ours_reaches_the_app(scene: &Scene, cookie: &str) {
    let cookie = cookie.trim().trim_start_matches("Cookie: ");
    let signed_in = format!("{cookie}; vestibule-known=k; vestibule-step=s; vestibule-form=f");
    assert_eq!(received(scene, "/x", &[&signed_in]), ["theirs=1", "more=2"]);
    for (sent, expected) in TABLE {
        assert_eq!(received(scene, "/public", sent), pairs(expected), "{sent:?}");
        if http2::speaks(scene.proxy) {
            // Browsers send each cookie in a field of its own.
            let crumbs: Vec<&str> = sent.iter().flat_map(|field| field.split("; ")).collect();
            assert_eq!(received_by_http_2(scene, sent), pairs(expected), "{sent:?}");
            assert_eq!(received_by_http_2(scene, &crumbs), pairs(expected), "{crumbs:?}");
        }
    }
}

/// The cookies that arrive at the app of those that are sent.
fn received(scene: &Scene, target: &str, sent: &[&str]) -> Vec<String> {
    let fields: String = sent.iter().map(|field| format!("Cookie: {field}\r\n")).collect();
    let reply = scene.ask("GET", target, &fields, "");
    assert_eq!(reply.status, 200, "{sent:?}");
    arrived(scene)
}

fn received_by_http_2(scene: &Scene, sent: &[&str]) -> Vec<String> {
    let fields: Vec<_> = sent.iter().map(|field| ("cookie", *field)).collect();
    let reply = http2::ask(scene.running.address(), &scene.host(), "/public", &fields);
    assert_eq!(reply.status, 200, "{sent:?}");
    arrived(scene)
}

/// Of all fields that have something in them.
fn arrived(scene: &Scene) -> Vec<String> {
    let received = scene.app.take_received();
    let (head, _) = received.split_once("\r\n\r\n").expect("a request");
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let cookies = fields.filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    cookies.flat_map(|(_, value)| pairs(value)).collect()
}

/// One by one. A separator that separates nothing leaves an empty one.
fn pairs(field: &str) -> Vec<String> {
    match field.trim() {
        "" => Vec::new(),
        field => field.split(';').map(|pair| pair.trim().to_owned()).collect(),
    }
}
