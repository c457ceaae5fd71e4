//! The page of the built-in demo app: what an app behind the gateway receives.

use crate::http::Language;
use http::{HeaderMap, HeaderName, Method, Uri};
use maud::{DOCTYPE, PreEscaped, html};

/// The page is an app's own, so it brings its own few lines of style.
const STYLE: &str = ":root{color-scheme:light dark;font-family:system-ui,sans-serif;line-height:1.5}\
    body{max-width:44rem;margin:2rem auto;padding:0 1rem}\
    pre{overflow-wrap:anywhere;white-space:pre-wrap;padding:1rem;border:1px solid;border-radius:.25rem}";

/// What the page needs to know of the gateway in front of it.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Under which name the gateway tells the username.
    pub user: Option<HeaderName>,
    /// Where the gateway's own pages are.
    pub prefix: String,
}

/// Shows a request as the app received it.
pub fn demo_page(demo: &Demo, method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let user = demo.user.as_ref().and_then(|name| headers.get(name));
    let user = user.map(|user| String::from_utf8_lossy(user.as_bytes()));
    let language = Language::of(headers);
    let (account, words) = (language.words().inputs.your_account, &language.words().demo);
    let [you_are, end] = words.user;
    let page = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (words.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (words.title) }
                @match user {
                    Some(user) => p { (you_are) strong { (user) } (end) },
                    None => p { (words.nobody) },
                }
                p { (words.received) }
                pre {
                    (method) " " (uri) "\n"
                    @for (name, value) in headers {
                        (name) ": " (String::from_utf8_lossy(value.as_bytes())) "\n"
                    }
                }
                p { (words.protect) code { "vestibule --upstream http://127.0.0.1:3000" } }
                p { a href=(format!("{}/account", demo.prefix)) { (account) } }
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
        let user = Some(HeaderName::from_static("remote-user"));
        let demo = Demo { user, prefix: String::from("/_vestibule") };
        let page = demo_page(&demo, &Method::GET, &Uri::from_static("/x"), &headers);
        assert!(page.contains("<strong>ann</strong>") && !page.contains("<script>"));
        headers.insert("accept-language", "de".parse().unwrap());
        let page = demo_page(&demo, &Method::GET, &Uri::from_static("/x"), &headers);
        assert!(page.contains("lang=\"de\"") && page.contains("Das Gateway sagt"));
    }
}
