//! The description of the calls: `OpenAPI` 3.1, written from the table and from the types that
//! serve it.

use super::call::{Anyone, Call, Reply, Who};
use super::records::Nothing;
use super::table::{Line, Problem};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::http::{Cookies, ProblemDetails, Site};
use async_trait::async_trait;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where named schemas are.
const SCHEMAS: &str = "/components/schemas";

/// Asks for this description.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Describe(Nothing);

/// An `OpenAPI` document.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Description(Value);

impl JsonSchema for Description {
    fn schema_name() -> Cow<'static, str> {
        "Description".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "description": "An OpenAPI 3.1 document." })
    }
}

#[async_trait]
impl Call<Anyone> for Describe {
    type Answer = Description;

    async fn act(self, visit: &Visit<'_>, _: Anyone) -> Result<Reply<Description>, Trouble> {
        Ok(Reply::new(Description(visit.openapi().clone())))
    }
}

/// Describes the calls.
pub(super) fn describe(lines: &[Line], site: &Site, cookies: &Cookies) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for line in lines {
        let method = line.method.as_str().to_ascii_lowercase();
        let operation = operation(line, &mut schemas);
        paths.entry(line.path).or_default().insert(method, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "vestibule",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Signing in, for programs.",
        },
        "servers": [{ "url": format!("{}/api/v1", site.prefix) }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "session": cookie(cookies.session_name(), "The session."),
                "step": cookie(cookies.step_name(), "A sign-in under way."),
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The access token of a program.",
                },
            },
        },
    })
}

fn cookie(name: &str, what: &str) -> Value {
    json!({ "type": "apiKey", "in": "cookie", "name": name, "description": what })
}

fn operation(line: &Line, schemas: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(line),
        "summary": line.summary,
        "tags": [line.path.split('/').nth(1).unwrap_or_default()],
        "security": security(line.who),
    });
    let body = body(line, schemas);
    let responses = responses(line, body.is_some(), schemas);
    let parameters = parameters(line);
    if let Some(fields) = operation.as_object_mut() {
        fields.insert("responses".into(), responses);
        fields.extend(body.map(|body| ("requestBody".into(), body)));
        if !parameters.is_empty() {
            fields.insert("parameters".into(), parameters.into());
        }
    }
    operation
}

/// `POST /auth/totp/verify` is `post_auth_totp_verify`.
fn operation_id(line: &Line) -> String {
    let words = line.path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let method = line.method.as_str().to_ascii_lowercase();
    words.fold(method, |id, word| id + "_" + word)
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone => json!([]),
        Who::Underway => json!([{}, { "step": [] }, { "session": [] }, { "bearer": [] }]),
        Who::Person | Who::Owner | Who::Administrator => {
            json!([{ "session": [] }, { "bearer": [] }])
        }
    }
}

fn parameters(line: &Line) -> Vec<Value> {
    let word = |segment: &'static str| segment.strip_prefix('{')?.strip_suffix('}');
    let words = line.path.split('/').filter_map(word).map(|word| (word, "path"));
    let fields = line.query.iter().map(|field| (*field, "query"));
    let parameter = |(name, place)| {
        json!({
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": { "type": "string", "minLength": 1 },
        })
    };
    words.chain(fields).map(parameter).collect()
}

/// The body, where the call has fields.
fn body(line: &Line, schemas: &mut SchemaGenerator) -> Option<Value> {
    let (whole, reference) = line.body;
    let whole = whole(schemas);
    let whole = resolved(&whole, schemas);
    let has = |list: &str| match whole.get(list) {
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::Array(names)) => !names.is_empty(),
        _ => false,
    };
    has("properties").then(|| {
        json!({
            "required": has("required"),
            "content": { "application/json": { "schema": reference(schemas) } },
        })
    })
}

/// What a schema refers to, where it is a reference and nothing more.
fn resolved(schema: &Schema, schemas: &SchemaGenerator) -> Value {
    let named = schema.get("$ref").and_then(|reference| reference.as_str()?.rsplit('/').next());
    let found = named.and_then(|name| schemas.definitions().get(name));
    found.unwrap_or_else(|| schema.as_value()).clone()
}

fn responses(line: &Line, has_body: bool, schemas: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let answer = (line.answer)(schemas);
    responses.insert(
        line.status.as_str().into(),
        json!({
            "description": "Done, or on the way.",
            "content": { "application/json": { "schema": answer } },
        }),
    );
    let problem = schemas.subschema_for::<ProblemDetails<'_>>();
    for (status, codes) in problems(line, has_body) {
        responses.insert(status.to_string(), refusal(status, &codes, &problem));
    }
    responses.into()
}

fn refusal(status: u16, codes: &[&'static str], problem: &Schema) -> Value {
    let codes_only = json!({ "properties": { "code": { "enum": codes } } });
    let schema = json!({ "allOf": [problem, codes_only] });
    let mut refusal = json!({
        "description": codes.join(", "),
        "content": { "application/problem+json": { "schema": schema } },
    });
    if let (423 | 429 | 503, Some(fields)) = (status, refusal.as_object_mut()) {
        let seconds = json!({ "description": "In seconds.", "schema": { "type": "integer" } });
        fields.insert("headers".into(), json!({ "Retry-After": seconds }));
    }
    refusal
}

/// Everything a call can be refused with, by status.
pub(super) fn problems(line: &Line, has_body: bool) -> BTreeMap<u16, Vec<&'static str>> {
    let every: &[Problem] = &[
        (400, "malformed"),
        (403, "cross_site"),
        (413, "too_large"),
        (415, "unsupported_media_type"),
        (422, "invalid"),
        (503, "unavailable"),
    ];
    let of_bodies: &[Problem] = if has_body { &[(408, "timeout")] } else { &[] };
    let of_caller: &[Problem] = match line.who {
        Who::Anyone | Who::Underway => &[],
        Who::Person => &[(401, "unauthenticated")],
        Who::Owner => &[(401, "unauthenticated"), (403, "forbidden")],
        Who::Administrator => {
            &[(401, "unauthenticated"), (403, "forbidden"), (403, "script_refused")]
        }
    };
    let mut problems: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for (status, code) in [every, of_bodies, of_caller, line.problems].concat() {
        let codes = problems.entry(status).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::table::table;
    use super::*;
    use crate::domain::ReturnOrigins;
    use crate::types::PublicUrl;

    fn described() -> Value {
        let public_url = PublicUrl::parse("https://login.example.com").unwrap();
        let site = Site {
            public_url: public_url.clone(),
            prefix: "/_vestibule".into(),
            cookie_domain: None,
            origins: ReturnOrigins { public_url, hosts: Vec::new(), cookie_domain: None },
            body_max: 65_536,
            brand: crate::http::Brand::default(),
        };
        describe(&table(), &site, &Cookies::new(&site))
    }

    fn walk(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                visit(name, value);
                walk(value, visit);
            }),
            Value::Array(values) => values.iter().for_each(|value| walk(value, visit)),
            _ => {}
        }
    }

    #[test]
    fn no_call_is_missing_and_none_is_made_up() {
        let document = described();
        let mut count = 0;
        for line in table() {
            let method = line.method.as_str().to_ascii_lowercase();
            let operation = &document["paths"][line.path][&method];
            assert_eq!(operation["summary"], line.summary, "{method} {}", line.path);
            assert!(operation["responses"][line.status.as_str()].is_object());
            for (status, code) in line.problems {
                let said = operation["responses"][status.to_string()]["description"].as_str();
                assert!(said.unwrap().contains(code), "{method} {} {code}", line.path);
            }
            count += 1;
        }
        let paths = document["paths"].as_object().unwrap().values();
        assert_eq!(paths.map(|path| path.as_object().unwrap().len()).sum::<usize>(), count);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = described();
        let mut references = 0;
        walk(&document, &mut |name, value| {
            if name == "$ref" {
                references += 1;
                let pointer = value.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{value}");
            }
        });
        assert!(references > 50, "{references}");
    }

    #[test]
    fn every_body_refuses_fields_that_are_not_in_its_schema() {
        let document = described();
        let mut bodies = 0;
        walk(&document["paths"], &mut |name, value| {
            if name == "requestBody" {
                bodies += 1;
                let schema = &value["content"]["application/json"]["schema"];
                let pointer = schema["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
                let schema = document.pointer(pointer).unwrap();
                assert_eq!(schema["additionalProperties"], false, "{schema}");
            }
        });
        assert_eq!(bodies, 13);
    }

    #[test]
    fn operations_have_names_of_their_own_and_secrets_are_marked() {
        let document = described();
        let mut names = Vec::new();
        walk(&document["paths"], &mut |name, value| {
            if name == "operationId" {
                names.push(value.to_string());
            }
        });
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        let login = &document["components"]["schemas"]["Login"];
        assert_eq!(login["properties"]["password"]["writeOnly"], true, "{login}");
        assert_eq!(login["required"], json!(["username", "password"]));
    }
}
