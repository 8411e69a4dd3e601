//! What a client reads to find the apiserver and prove who it is.

use crate::addresses::NODE;
use crate::paths::Paths;

/// A kubeconfig for one client. JSON is YAML too, and needs no template.
pub fn render(paths: &Paths, client: &str, server: &str) -> String {
    let config = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": NODE,
            "cluster": { "server": server, "certificate-authority": paths.pki("ca.crt") },
        }],
        "users": [{
            "name": client,
            "user": {
                "client-certificate": paths.pki(&format!("{client}.crt")),
                "client-key": paths.pki(&format!("{client}.key")),
            },
        }],
        "contexts": [{ "name": NODE, "context": { "cluster": NODE, "user": client } }],
        "current-context": NODE,
    });
    format!("{config:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_names_its_server_and_its_own_key() {
        let paths = Paths::at("/cluster".into());
        let text = render(&paths, "admin", "https://198.18.0.1:16443");
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            config["clusters"][0]["cluster"]["server"],
            "https://198.18.0.1:16443"
        );
        assert_eq!(
            config["users"][0]["user"]["client-key"],
            "/cluster/pki/admin.key"
        );
    }
}
