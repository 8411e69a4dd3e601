//! A small apiserver in this process: it keeps objects, merges patches, and lacks rights on request.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::run::{Ran, Watch, fixture, run};

/// End and reason of every override that is set.
const FOR: [&str; 4] = ["--for", "45m", "--reason", "INC-7 bank is slow"];

/// A cluster `till` in `shop` that carries `annotations`.
pub fn till(annotations: Value) -> String {
    let mut till: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(fixture("till.yaml")).unwrap()).unwrap();
    till["metadata"]["annotations"] = annotations;
    till["status"]["overrides"] = json!([]);
    till.to_string()
}

/// `override set till` with what is set.
pub fn set<'a>(what: &[&'a str]) -> Vec<&'a str> {
    [&["override", "set", "till"], what, &FOR[..]].concat()
}

#[derive(Default)]
struct Kept {
    /// Objects by their path.
    objects: Vec<(String, Value)>,
    /// `verb plural` that answer 403.
    forbidden: BTreeSet<String>,
    /// Bodies of patches that were kept.
    patches: Vec<Value>,
    /// Code that every request is answered with, when set.
    always: Option<u16>,
}

/// A running server with its kubeconfig; it ends with the value.
pub struct Server {
    kept: Arc<Mutex<Kept>>,
    folder: TempDir,
    _runtime: Runtime,
}

impl Server {
    /// Starts a server that holds the objects of `yaml` (several documents).
    pub fn holding(yaml: &str) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        for object in serde_saphyr::from_multiple::<Value>(yaml).unwrap() {
            kept.lock()
                .unwrap()
                .objects
                .push((path_of(&object), object));
        }
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        runtime.spawn(async move { axum::serve(listener, app).await });
        let folder = tempfile::tempdir().unwrap();
        write_kubeconfig(&folder, &format!("http://{address}"));
        Self {
            kept,
            folder,
            _runtime: runtime,
        }
    }

    /// Takes a right away from the user.
    pub fn forbid(&self, verb_and_plural: &str) {
        let mut kept = self.kept.lock().unwrap();
        kept.forbidden.insert(verb_and_plural.to_owned());
    }

    /// Answers everything with a code.
    pub fn answer_always(&self, code: u16) {
        self.kept.lock().unwrap().always = Some(code);
    }

    /// Answers again as it should.
    pub fn answer_as_usual(&self) {
        self.kept.lock().unwrap().always = None;
    }

    /// Starts the plugin against this server and lets it run.
    pub fn watch(&self, args: &[&str]) -> Watch {
        let kubeconfig = self.kubeconfig();
        let access = ["--kubeconfig", kubeconfig.to_str().unwrap()];
        Watch::start(&[args, &access].concat())
    }

    /// Runs the plugin against this server.
    pub fn run(&self, args: &[&str]) -> Ran {
        let kubeconfig = self.kubeconfig();
        let access = ["--kubeconfig", kubeconfig.to_str().unwrap()];
        run(&[args, &access].concat())
    }

    /// The kubeconfig, with a context in namespace `shop` and one of name `elsewhere`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Annotations of a cluster in `shop`, as they stand.
    pub fn annotations(&self, name: &str) -> Value {
        let kept = self.kept.lock().unwrap();
        let path = format!("/apis/floodgate.dev/v1alpha1/namespaces/shop/paymentclusters/{name}");
        let object = kept.objects.iter().find(|(at, _)| *at == path).unwrap();
        object.1["metadata"]["annotations"].clone()
    }

    /// Patches that were kept.
    pub fn patches(&self) -> Vec<Value> {
        self.kept.lock().unwrap().patches.clone()
    }
}

fn write_kubeconfig(folder: &TempDir, url: &str) {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{ "name": "fake", "cluster": { "server": url } }],
        "users": [{ "name": "sre", "user": {} }],
        "contexts": [
            { "name": "here", "context": { "cluster": "fake", "user": "sre", "namespace": "shop" } },
            { "name": "elsewhere", "context": { "cluster": "fake", "user": "sre", "namespace": "attic" } },
        ],
    });
    std::fs::write(folder.path().join("config"), config.to_string()).unwrap();
}

/// A server address where nobody listens, and its kubeconfig.
pub fn nobody() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    write_kubeconfig(&folder, &format!("http://{address}"));
    folder
}

fn path_of(object: &Value) -> String {
    let (api, plural) = match object["kind"].as_str().unwrap() {
        "PaymentCluster" => ("apis/floodgate.dev/v1alpha1", "paymentclusters"),
        "SaleEvent" => ("apis/floodgate.dev/v1alpha1", "saleevents"),
        "Event" => ("api/v1", "events"),
        other => panic!("no path for {other}"),
    };
    let meta = &object["metadata"];
    let (namespace, name) = (
        meta["namespace"].as_str().unwrap(),
        meta["name"].as_str().unwrap(),
    );
    format!("/{api}/namespaces/{namespace}/{plural}/{name}")
}

async fn answer(State(kept): State<Arc<Mutex<Kept>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let mut kept = kept.lock().unwrap();
    if let Some(code) = kept.always {
        return status(code, "Anything", "as the test wants it", None);
    }
    let plurals = ["paymentclusters", "saleevents", "events"];
    let plural = plurals
        .into_iter()
        .find(|one| path.split('/').any(|part| part == *one));
    let Some(plural) = plural else {
        return namespaces(&kept);
    };
    let single = !path.ends_with(plural);
    let verb = match parts.method {
        Method::PATCH => "patch",
        _ if single => "get",
        _ => "list",
    };
    if kept.forbidden.contains(&format!("{verb} {plural}")) {
        let message = format!("{plural} is forbidden: User \"sre\" cannot {verb} resource");
        return status(403, "Forbidden", &message, None);
    }
    match verb {
        "list" => list(&kept, &path, plural),
        "get" => match kept.objects.iter().find(|(at, _)| *at == path) {
            Some((_, object)) => Json(object.clone()).into_response(),
            None => status(404, "NotFound", "not found", path.rsplit('/').next()),
        },
        _ => patch(&mut kept, &path, &query, &body),
    }
}

/// The namespaces of both contexts.
fn namespaces(kept: &Kept) -> Response {
    if kept.forbidden.contains("list namespaces") {
        return status(403, "Forbidden", "namespaces is forbidden", None);
    }
    let items: Vec<Value> = ["attic", "shop"]
        .map(|name| json!({ "metadata": { "name": name } }))
        .into();
    Json(json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {}, "items": items }))
        .into_response()
}

fn list(kept: &Kept, path: &str, plural: &str) -> Response {
    let items: Vec<Value> = kept
        .objects
        .iter()
        .filter(|(at, _)| {
            if path.contains("/namespaces/") {
                at.starts_with(&format!("{path}/"))
            } else {
                at.contains(&format!("/{plural}/"))
            }
        })
        .map(|(_, object)| object.clone())
        .collect();
    Json(json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": items }))
        .into_response()
}

fn patch(kept: &mut Kept, path: &str, query: &str, body: &Bytes) -> Response {
    let change: Value = serde_json::from_slice(body).unwrap();
    let Some((_, object)) = kept.objects.iter_mut().find(|(at, _)| at == path) else {
        return status(404, "NotFound", "not found", path.rsplit('/').next());
    };
    let mut after = object.clone();
    merge(&mut after, &change);
    if !query.contains("dryRun=All") {
        *object = after.clone();
        kept.patches.push(change);
    }
    Json(after).into_response()
}

/// RFC 7386.
fn merge(target: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        *target = change.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in change {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn status(code: u16, reason: &str, message: &str, name: Option<&str>) -> Response {
    let details = name.map(|name| json!({ "name": name, "kind": "paymentclusters" }));
    let body = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "code": code, "reason": reason, "message": message, "details": details,
    });
    (StatusCode::from_u16(code).unwrap(), Json(body)).into_response()
}
