//! The page of the built-in demo app: what an app behind the gateway receives.

use http::{HeaderMap, Method, Uri};
use maud::{DOCTYPE, html};

/// Shows a request as the app received it.
pub fn demo_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let told =
        |name: &str| headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let user = told("remote-user");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "The demo app" }
            }
            body {
                h1 { "The demo app" }
                @match user {
                    Some(user) => p { "The gateway says you are " strong { (user) } "." },
                    None => p { "The gateway did not say who you are." },
                }
                p { "This page stands where your own app will. It received:" }
                pre {
                    (method) " " (uri) "\n"
                    @for (name, value) in headers {
                        (name) ": " (String::from_utf8_lossy(value.as_bytes())) "\n"
                    }
                }
                p { "Protect your own app: " code { "vestibule --upstream http://127.0.0.1:3000" } }
                p { a href="/_vestibule/account" { "Your account" } }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_app_received_is_shown_and_cannot_run() {
        let mut headers = HeaderMap::new();
        headers.insert("remote-user", "ann".parse().unwrap());
        headers.insert("x-test", "<script>".parse().unwrap());
        let page = demo_page(&Method::GET, &Uri::from_static("/x"), &headers);
        assert!(page.contains("<strong>ann</strong>") && !page.contains("<script>"));
    }
}
