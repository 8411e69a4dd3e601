//! A stage, seen with the rights of somebody else.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::{Api, Client, api::PostParams};

use crate::stage::Stage;

impl Stage {
    /// The same namespace, seen with the rights of somebody else.
    pub fn acting_as(&self, user: &str) -> Self {
        let mut config = self.config.clone();
        config.auth_info.impersonate = Some(user.to_owned());
        Self {
            client: Client::try_from(config.clone()).unwrap(),
            config,
            namespace: self.namespace.clone(),
        }
    }

    /// The same namespace, seen with the rights that the manifests give the operator; once for an
    /// apiserver.
    pub async fn as_installed(&self) -> Self {
        let text = include_str!("../../../manifests/operator/base/cluster-role.yaml");
        let mut documents = text.split("\n---\n");
        let role: ClusterRole = serde_saphyr::from_str(documents.next().unwrap()).unwrap();
        let binding: ClusterRoleBinding =
            serde_saphyr::from_str(documents.next().unwrap()).unwrap();
        let roles: Api<ClusterRole> = Api::all(self.client.clone());
        roles.create(&PostParams::default(), &role).await.unwrap();
        let bindings: Api<ClusterRoleBinding> = Api::all(self.client.clone());
        bindings
            .create(&PostParams::default(), &binding)
            .await
            .unwrap();
        self.acting_as("system:serviceaccount:floodgate-system:floodgate-operator")
    }
}
