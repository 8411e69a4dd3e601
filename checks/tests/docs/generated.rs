//! Tables of the documentation that repeat the code: between `<!-- generated:NAME -->` and
//! `<!-- end -->` a page holds what NAME generates. `UPDATE_GOLDEN=1` rewrites it.

use std::fmt::Write as _;

use floodgate_api::annotation::ALL;
use floodgate_words::{ConditionType, Reason};
use serde_json::Value;
use syn::{Expr, Item, Lit, Meta};

use crate::pages::{assert_golden, pages, root};

const BEGIN: &str = "<!-- generated:";
const END: &str = "<!-- end -->";

#[test]
fn generated_tables_are_what_the_code_generates() {
    for page in pages() {
        let filled =
            filled(&page.text).unwrap_or_else(|error| panic!("{}: {error}", page.path.display()));
        assert_golden(&page.path, &filled);
    }
}

/// The content behind a name; what follows a blank in the name is the file it is read from.
fn content(name: &str) -> Result<String, String> {
    let (generator, source) = name.split_once(' ').unwrap_or((name, ""));
    match generator {
        "fields" => Ok(fields(&read(source)?)),
        "constants" => Ok(constants(&read(source)?, |_| true)),
        "overrides" => Ok(constants(&read(source)?, |name| ALL.contains(&name))),
        "screen" => Ok(format!("```text\n{}```\n", read(source)?)),
        "conditions" => Ok(conditions()),
        "reasons" => Ok(reasons()),
        _ => Err(format!(
            "nothing generates `{name}`, must be `fields crds/FILE`, `constants FILE.rs`, `overrides FILE.rs`, \
             `screen FILE.txt`, `conditions` or `reasons`"
        )),
    }
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("`{path}`: {error}"))
}

/// The page with everything between its markers made anew.
fn filled(page: &str) -> Result<String, String> {
    let mut parts = page.split(BEGIN);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part
            .split_once(" -->")
            .ok_or_else(|| format!("`{BEGIN}` without `-->`"))?;
        let (_, rest) = rest
            .split_once(END)
            .ok_or_else(|| format!("no `{END}` behind `{name}`"))?;
        write!(filled, "{BEGIN}{name} -->\n{}{END}{rest}", content(name)?).unwrap();
    }
    Ok(filled)
}

/// Every field below `spec` of a CRD: what it takes, its default, what it does.
fn fields(crd: &str) -> String {
    let crd: Value = serde_saphyr::from_str(crd).unwrap();
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut table = "| Field | Takes | Default | |\n|---|---|---|---|\n".to_owned();
    field_rows("", spec, &Value::Null, &mut table);
    table
}

fn field_rows(path: &str, schema: &Value, default: &Value, table: &mut String) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let default = field.get("default").unwrap_or(&default[name]);
        let items = &field["items"];
        if items["properties"].is_object() {
            field_row(
                &format!("{path}[]"),
                field,
                default,
                required.contains(&name.as_str()),
                table,
            );
            field_rows(&format!("{path}[]"), items, &Value::Null, table);
        } else if field["properties"].is_object() && !is_reference(field) {
            field_rows(&path, field, default, table);
        } else {
            field_row(
                &path,
                field,
                default,
                required.contains(&name.as_str()),
                table,
            );
        }
    }
}

/// A Secret reference is one field to a reader.
fn is_reference(field: &Value) -> bool {
    let properties = field["properties"].as_object();
    properties
        .is_some_and(|all| all.len() == 2 && all.contains_key("name") && all.contains_key("key"))
}

fn field_row(path: &str, field: &Value, default: &Value, required: bool, table: &mut String) {
    let default = match default {
        Value::Null if required => "required".to_owned(),
        Value::Null => String::new(),
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    };
    let description = cell(field["description"].as_str().unwrap_or_default());
    writeln!(
        table,
        "| `{path}` | {} | {default} | {description} |",
        takes(field)
    )
    .unwrap();
}

fn takes(field: &Value) -> String {
    if is_reference(field) {
        return "`name`, `key`".to_owned();
    }
    let values: Vec<String> = field["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|value| Some(format!("`{}`", value.as_str()?)))
        .collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    let kind = field["type"].as_str().unwrap_or("any");
    let kind = if kind == "array" { "list" } else { kind };
    // A number without its fraction: the CRD writes bounds as `50.0`.
    let bound = |name: &str| field[name].as_f64().map(|bound| bound.to_string());
    match (bound("minimum"), bound("maximum")) {
        (None, None) => kind.to_owned(),
        (None, Some(most)) => format!("at most {most}"),
        (Some(least), None) => format!("at least {least}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
    }
}

/// Every public text constant of a Rust file whose value is wanted: its value and its documentation.
fn constants(source: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut table = "| Name | |\n|---|---|\n".to_owned();
    for item in syn::parse_file(source).unwrap().items {
        let Item::Const(constant) = item else {
            continue;
        };
        if let (Expr::Lit(literal), syn::Visibility::Public(_)) = (&*constant.expr, &constant.vis)
            && let Lit::Str(value) = &literal.lit
            && wanted(&value.value())
        {
            let lines = constant
                .attrs
                .iter()
                .filter_map(|attribute| match &attribute.meta {
                    Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
                        Expr::Lit(text) => match &text.lit {
                            Lit::Str(line) => Some(line.value().trim().to_owned()),
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                });
            let doc = lines.collect::<Vec<_>>().join(" ");
            writeln!(table, "| `{}` | {} |", value.value(), cell(&doc)).unwrap();
        }
    }
    table
}

/// Every condition and what it means.
fn conditions() -> String {
    let rows = ConditionType::ALL
        .iter()
        .map(|one| format!("| `{one}` | {} |\n", cell(one.meaning())));
    "| Condition | Meaning |\n|---|---|\n".to_owned() + &rows.collect::<String>()
}

/// Every reason, what it means and what to do about it.
fn reasons() -> String {
    let row = |reason: &Reason| {
        let (meaning, remedy) = (reason.meaning(), reason.remedy().unwrap_or_default());
        format!("| `{reason}` | {} | {} |\n", cell(meaning), cell(remedy))
    };
    "| Reason | Meaning | What you do |\n|---|---|---|\n".to_owned()
        + &Reason::ALL.iter().map(row).collect::<String>()
}

/// Text of a doc comment as one cell of a table.
fn cell(text: &str) -> String {
    let text = text
        .replace("[`", "`")
        .replace("`]", "`")
        .replace('|', "\\|");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_stands_between_the_markers_is_made_anew_and_an_unknown_name_is_refused() {
    let name = "fields crds/saleevents.yaml";
    let page = format!("before\n{BEGIN}{name} -->\nold\n{END}\nafter\n");
    let table = fields(&read("crds/saleevents.yaml").unwrap());
    assert!(
        table.contains("| `phases[].t0` | string | required | "),
        "{table}"
    );
    assert_eq!(
        filled(&page),
        Ok(format!("before\n{BEGIN}{name} -->\n{table}{END}\nafter\n"))
    );
    let error = filled(&format!("{BEGIN}none -->\n{END}")).unwrap_err();
    assert!(error.contains("nothing generates `none`"), "{error}");
    let unended = filled(&format!("{BEGIN}{name} -->\n")).unwrap_err();
    assert!(unended.contains("no `<!-- end -->`"), "{unended}");
}

#[test]
fn constants_become_rows_with_their_documentation() {
    let source = "/// Requests, see\n/// [`B`].\npub const A: &str = \"a_total\";\nconst HIDDEN: &str = \"h\";\npub const N: u32 = 1;";
    assert_eq!(
        constants(source, |_| true),
        "| Name | |\n|---|---|\n| `a_total` | Requests, see `B`. |\n"
    );
}
