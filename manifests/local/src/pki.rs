//! The certificates of the cluster: one authority for everybody, one for the front proxy.
//!
//! Invariant: all files are made together or not at all, so no certificate ever outlives the
//! authority that signed it.

mod kubeconfig;

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::addresses::{HOST, KUBERNETES_SERVICE, NODE};
use crate::file::FileError;
use crate::paths::Paths;

/// Certificates that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A certificate could not be made or signed.
    #[error("cannot make the certificate of {name}")]
    Sign {
        /// Whose certificate.
        name: String,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Who holds a certificate: its file name, its name and its groups in Kubernetes.
struct Holder {
    file: &'static str,
    common_name: &'static str,
    organization: Option<&'static str>,
}

const ADMIN: &str = "admin";
/// The clients that get a kubeconfig.
const CLIENTS: [Holder; 6] = [
    Holder {
        file: ADMIN,
        common_name: "floodgate-admin",
        organization: Some("system:masters"),
    },
    Holder {
        file: "controller-manager",
        common_name: "system:kube-controller-manager",
        organization: None,
    },
    Holder {
        file: "scheduler",
        common_name: "system:kube-scheduler",
        organization: None,
    },
    Holder {
        file: "proxy",
        common_name: "system:kube-proxy",
        organization: None,
    },
    Holder {
        file: "kubelet",
        common_name: "system:node:floodgate-local",
        organization: Some("system:nodes"),
    },
    Holder {
        file: "prometheus",
        common_name: "floodgate-prometheus",
        organization: None,
    },
];

/// Makes whatever certificates, keys and kubeconfigs are missing, for an apiserver at `server`
/// (a URL). Returns true if they were made by this call.
pub fn ensure(paths: &Paths, server: &str) -> Result<bool, PkiError> {
    let complete = paths.pki("complete");
    if complete.exists() {
        return Ok(false);
    }
    let authority = Authority::new("floodgate-local")?;
    let front_proxy = Authority::new("floodgate-local-front-proxy")?;
    write(&paths.pki("ca.crt"), &authority.certificate)?;
    write(&paths.pki("front-proxy-ca.crt"), &front_proxy.certificate)?;

    let apiserver = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        KUBERNETES_SERVICE,
        HOST,
        "127.0.0.1",
    ];
    authority.issue_server(paths, "apiserver", &apiserver)?;
    authority.issue_server(paths, "kubelet-server", &[NODE, HOST])?;
    authority.issue_client(
        paths,
        &Holder {
            file: "apiserver-kubelet-client",
            common_name: "kube-apiserver-kubelet-client",
            organization: Some("system:masters"),
        },
    )?;
    let front_proxy_client = Holder {
        file: "front-proxy-client",
        common_name: "front-proxy-client",
        organization: None,
    };
    front_proxy.issue_client(paths, &front_proxy_client)?;
    for client in &CLIENTS {
        authority.issue_client(paths, client)?;
        write(
            &paths.kubeconfig(client.file),
            &kubeconfig::render(paths, client.file, server),
        )?;
    }
    let service_account = key("service-account")?;
    write(
        &paths.pki("service-account.key"),
        &service_account.serialize_pem(),
    )?;
    write(
        &paths.pki("service-account.pub"),
        &service_account.public_key_pem(),
    )?;
    write(&complete, "")?;
    Ok(true)
}

/// A certificate authority that lives as long as one call.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Result<Self, PkiError> {
        let sign = |source| PkiError::Sign {
            name: name.to_owned(),
            source,
        };
        let mut params = parameters(name, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = key(name)?;
        let certificate = params.self_signed(&key).map_err(sign)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    fn issue_server(&self, paths: &Paths, file: &str, names: &[&str]) -> Result<(), PkiError> {
        let sign = |source| PkiError::Sign {
            name: file.to_owned(),
            source,
        };
        let mut params = parameters(file, None);
        for name in names {
            let name = *name;
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => rcgen::SanType::IpAddress(address),
                Err(_) => rcgen::SanType::DnsName(name.try_into().map_err(sign)?),
            });
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(paths, file, &params)
    }

    fn issue_client(&self, paths: &Paths, holder: &Holder) -> Result<(), PkiError> {
        let mut params = parameters(holder.common_name, holder.organization);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(paths, holder.file, &params)
    }

    fn issue(&self, paths: &Paths, file: &str, params: &CertificateParams) -> Result<(), PkiError> {
        let key = key(file)?;
        let certificate =
            params
                .signed_by(&key, &self.issuer)
                .map_err(|source| PkiError::Sign {
                    name: file.to_owned(),
                    source,
                })?;
        write(&paths.pki(&format!("{file}.crt")), &certificate.pem())?;
        write(&paths.pki(&format!("{file}.key")), &key.serialize_pem())
    }
}

fn parameters(common_name: &str, organization: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    params.distinguished_name = name;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2060, 1, 1);
    params
}

fn key(name: &str) -> Result<KeyPair, PkiError> {
    KeyPair::generate().map_err(|source| PkiError::Sign {
        name: name.to_owned(),
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<(), PkiError> {
    let file = FileError::of("write", path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(file)?;
    }
    Ok(fs::write(path, text).map_err(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once_and_then_kept() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path().to_owned());
        assert!(ensure(&paths, "https://198.18.0.1:16443").unwrap());
        let before = fs::read_to_string(paths.pki("apiserver.crt")).unwrap();
        assert!(!ensure(&paths, "https://198.18.0.1:16443").unwrap());
        assert_eq!(
            fs::read_to_string(paths.pki("apiserver.crt")).unwrap(),
            before
        );
    }

    #[test]
    fn keys_are_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::at(folder.path().to_owned());
        ensure(&paths, "https://127.0.0.1:1").unwrap();
        let mode = fs::metadata(paths.root().join("pki"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
