//! What happens at the same moment, and must not be noticed by whoever it does not concern.

use crate::harness::{App, Browser, Gateway, Options, Person};
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn somebody_whose_record_changes_all_the_time_is_never_taken_for_signed_out() {
    const CHANGES: u32 = 120;
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.sign_in(&mut browser, "/", 0).status, 200);
    let changes = AtomicU32::new(0);
    let (mut opened, mut turned_away) = (0, Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while changes.load(Ordering::SeqCst) < CHANGES {
                    let name = format!("Ann {}", changes.fetch_add(1, Ordering::SeqCst));
                    let set = json!({"do": "user_set", "name": "ann", "display_name": name});
                    let reply = gateway.ask(&set);
                    assert_eq!(reply["reply"], "done", "{reply}");
                }
            });
        }
        while changes.load(Ordering::SeqCst) < CHANGES {
            opened += 1;
            // Whoever is taken for signed out could not sign out either: the session would go on.
            let page = browser.request("GET", "/", "Sec-Fetch-Mode: cors\r\n", "");
            if page.status != 200 {
                turned_away.push(page.status);
            }
        }
    });
    assert!(opened > 20, "only {opened} requests beside {CHANGES} changes");
    assert_eq!(turned_away, [0; 0], "of {opened} requests beside {CHANGES} changes");
}
