//! Fields of a saved object that its kind does not know. Pure.
//!
//! An apiserver refuses a misspelt field or drops it with a warning; the plugin would pass it over in
//! silence and plan with a default in its place.
//! A status is not checked: no person writes one, and a newer operator may write more than this
//! plugin knows.

use std::collections::BTreeMap;

use floodgate_api::{API_VERSION, GROUP, crds::crds, spelling};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

/// Kinds of this group.
const KINDS: [&str; 2] = ["PaymentCluster", "SaleEvent"];
/// Fields every object has beside its spec.
const TOP: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
/// Fields of `metadata`, as Kubernetes has them.
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Schemas of the specs, as the CRDs carry them; made once for all objects of all files.
pub struct Schemas(BTreeMap<String, JSONSchemaProps>);

impl Schemas {
    /// Those of every kind of this group.
    pub fn new() -> Self {
        let of_spec = |crd: CustomResourceDefinition| {
            let schema = crd.spec.versions.into_iter().next()?.schema?;
            let mut properties = schema.open_api_v3_schema?.properties?;
            Some((crd.spec.names.kind, properties.remove("spec")?))
        };
        Self(
            crds()
                .into_iter()
                .filter_map(|(_, crd)| of_spec(crd))
                .collect(),
        )
    }
}

/// Everything in an object that an apiserver would not know, in order; empty for an
/// object of somebody else.
pub fn unknown(document: &Value, schemas: &Schemas) -> Vec<String> {
    let kind = document["kind"].as_str().unwrap_or_default();
    let version = document["apiVersion"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    if KINDS.contains(&kind) {
        if version != API_VERSION {
            found.push(format!(
                "`apiVersion` is `{version}`; must be `{API_VERSION}`"
            ));
        }
        known(document, "", &TOP, &mut found);
        known(&document["metadata"], "metadata.", &METADATA, &mut found);
        if document["metadata"]["name"]
            .as_str()
            .is_none_or(str::is_empty)
        {
            found.push("`metadata.name` is not set; must name the object".to_owned());
        }
        if let Some(schema) = schemas.0.get(kind) {
            walk(&document["spec"], schema, "spec", &mut found);
        }
        return found;
    }
    let hint = spelling::hint(kind, &KINDS);
    let ours = version.split('/').next() == Some(GROUP);
    if kind.is_empty() {
        found.push("`kind` is not set; must be that of a Kubernetes object".to_owned());
    } else if ours || !hint.is_empty() {
        let kinds = KINDS.join(" or ");
        found.push(format!("`kind` is `{kind}`; must be {kinds}{hint}"));
    }
    found
}

/// Says which fields of an object are none of `names`.
fn known(object: &Value, path: &str, names: &[&str], found: &mut Vec<String>) {
    let fields = object.as_object().into_iter().flatten();
    for (field, _) in fields.filter(|(field, _)| !names.contains(&field.as_str())) {
        found.push(no_field(&format!("{path}{field}"), field, names));
    }
}

fn no_field(path: &str, field: &str, names: &[&str]) -> String {
    let hint = spelling::hint(field, names);
    let hint = if hint.is_empty() {
        format!("; must be one of {}", names.join(", "))
    } else {
        hint
    };
    format!("`{path}` is not a field{hint}")
}

fn walk(value: &Value, schema: &JSONSchemaProps, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            if let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    walk(item, schema, &format!("{path}[{index}]"), found);
                }
            }
        }
        Value::Object(fields) => {
            let Some(properties) = &schema.properties else {
                // A map, such as `matchLabels`, has any keys.
                if let Some(JSONSchemaPropsOrBool::Schema(schema)) = &schema.additional_properties {
                    for (key, value) in fields {
                        walk(value, schema, &format!("{path}.{key}"), found);
                    }
                }
                return;
            };
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            for (field, value) in fields {
                let path = format!("{path}.{field}");
                match properties.get(field) {
                    Some(schema) => walk(value, schema, &path, found),
                    None => found.push(no_field(&path, field, &names)),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_misspelling_is_named_with_its_path_and_the_nearest_field() {
        let document = json!({
            "apiVersion": "floodgate.dev/v1", "kind": "SaleEvent",
            "metadata": { "name": "autumn", "namspace": "shop" },
            "spec": {
                "upliftPercnt": 900,
                "clusterSelector": { "matchLabels": { "any": "key", "is": "fine" } },
                "phases": [{ "name": "a" }, { "name": "b", "quantilPercent": 99 }],
                "colour": "red",
            },
            "status": { "of": "a newer operator" },
        });
        let mut found = unknown(&document, &Schemas::new());
        found.sort();
        assert_eq!(found.len(), 5, "{found:#?}");
        for (line, said) in found.iter().zip([
            "`apiVersion` is `floodgate.dev/v1`; must be `floodgate.dev/v1alpha1`",
            "`metadata.namspace` is not a field; did you mean `namespace`?",
            "`spec.colour` is not a field; must be one of clusterSelector, end, hotKeys",
            "`spec.phases[1].quantilPercent` is not a field; did you mean `quantilePercent`?",
            "`spec.upliftPercnt` is not a field; did you mean `upliftPercent`?",
        ]) {
            assert!(line.starts_with(said), "{line}");
        }
    }

    #[test]
    fn a_kind_that_is_nearly_ours_is_refused_and_one_of_others_passes() {
        let of = |version: &str, kind: &str| {
            unknown(
                &json!({"apiVersion": version, "kind": kind}),
                &Schemas::new(),
            )
        };
        assert!(of("v1", "Secret").is_empty());
        assert!(of("v1", "Event").is_empty());
        let near = of("floodgate.dev/v1alpha1", "PaymentClutser");
        assert_eq!(
            near,
            [
                "`kind` is `PaymentClutser`; must be PaymentCluster or SaleEvent; did you mean `PaymentCluster`?"
            ]
        );
        assert_eq!(of("floodgate.dev/v1alpha1", "Flood").len(), 1);
        assert_eq!(of("", "").len(), 1);
    }
}
