//! What commands write for programs is what `docs/json.md` and `docs/filters.md` say.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::{CAPTURES, capture, objects, offline};
use handclasp_explain::filter::field::FIELDS;
use handclasp_explain::filter::value::Kind;
use serde_json::Value;

fn doc(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// By section, the keys and what the table says that they are.
fn schema() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(doc("json.md")).unwrap();
    let mut schema: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for section in text.split("\n## ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        let rows = rest.lines().filter_map(|line| line.strip_prefix("| `"));
        let keys = rows.filter_map(|row| row.split_once("` | "));
        let keys = keys.map(|(key, is)| (key.to_owned(), is.to_owned()));
        schema.insert(name.to_owned(), keys.collect());
    }
    schema
}

/// Whether a value is of a kind that the table's words begin with.
fn fits(is: &str, value: &Value) -> bool {
    let kinds = is.split(':').next().unwrap().trim_end_matches(" |");
    kinds.split(" or ").any(|kind| match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(_) => kind == "number",
        Value::String(_) => kind == "string",
        Value::Array(_) => kind.starts_with("list of"),
        Value::Object(_) => kind == "object",
    })
}

fn check(
    section: &str,
    keys: &BTreeMap<String, String>,
    object: &Value,
    used: &mut BTreeSet<String>,
) {
    for (key, value) in object.as_object().unwrap() {
        let mark = key.starts_with("tcp.analysis.").then_some("tcp.analysis.*");
        let name = mark.filter(|_| !keys.contains_key(key)).unwrap_or(key);
        let Some(is) = keys.get(name) else { panic!("{section}: {key} is not in docs/json.md") };
        assert!(fits(is, value), "{section}: {key} is {value}, docs/json.md says {is}");
        used.insert(format!("{section} {name}"));
    }
}

#[test]
fn every_key_is_documented_and_every_documented_one_is_written() {
    let schema = schema();
    let mut used = BTreeSet::new();
    for name in CAPTURES {
        for command in ["explain", "flows"] {
            let run = offline(&[command, "--json", &capture(name)]);
            assert_eq!(run.code, 0, "{run}");
            for object in objects(&run) {
                let section = object["type"].as_str().unwrap();
                check(section, &schema[section], &object, &mut used);
                if section == "connection" {
                    for end in ["client", "server"] {
                        check("sent", &schema["sent"], &object[end], &mut used);
                    }
                }
            }
        }
    }
    for section in ["packet", "connection", "sent", "finding"] {
        for key in schema[section].keys() {
            assert!(used.contains(&format!("{section} {key}")), "{section} {key} is never written");
        }
    }
}

#[test]
fn packets_of_show_have_the_fields_by_their_names() {
    let keys = &schema()["packet"];
    for name in CAPTURES {
        let run = offline(&["show", "--json", &capture(name)]);
        for object in objects(&run) {
            for key in object.as_object().unwrap().keys() {
                let is_field = FIELDS.iter().any(|field| field.name == key);
                assert!(is_field || keys.contains_key(key), "{key} is in no table");
            }
        }
    }
}

/// The table of fields at the end of `docs/filters.md`.
fn fields_table() -> String {
    let mut table = "| field | is |\n| --- | --- |\n".to_owned();
    for field in FIELDS {
        let is = match field.kind {
            Kind::Protocol => "a protocol: there or not; its bytes can be cut and searched",
            Kind::Number => "a number",
            Kind::Hex => "a number, printed as `0x0012`",
            Kind::Flag => "a bit",
            Kind::Mark => "a mark: there or not",
            Kind::Address => "an address",
            Kind::Time => "a time in seconds",
            Kind::Date => "a point in time",
            Kind::Bytes => "bytes",
            Kind::Mac => "an Ethernet address",
            _ => "something else",
        };
        table.push_str(&format!("| `{}` | {is} |\n", field.name));
    }
    table
}

#[test]
fn every_field_is_documented() {
    let path = doc("filters.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, table) = text.split_once("## Fields\n\n").expect("a section of fields");
    if std::env::var_os("HANDCLASP_BLESS").is_some() {
        fs::write(&path, format!("{before}## Fields\n\n{}", fields_table())).unwrap();
        return;
    }
    let wanted = fields_table();
    assert!(table == wanted, "HANDCLASP_BLESS=1 cargo test -p handclasp-cli --test json");
}
