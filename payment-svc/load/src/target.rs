//! Where traffic may go: this machine and the benchmark network, nothing else.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use hyper::Uri;
use serde::{Deserialize, Serialize};

/// An address that load may be sent to: loopback or 198.18.0.0/15.
///
/// Invariant: no value of this type names an address outside those two ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target(SocketAddr);

/// Why a target is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not a plain `http://address:port`.
    #[error(
        "target `{0}` must be http://ADDRESS:PORT with a literal address, like http://127.0.0.1:8080"
    )]
    Shape(String),
    /// The address belongs to somebody else.
    #[error(
        "target `{0}` must be a loopback address or inside 198.18.0.0/15: load is sent nowhere else"
    )]
    Foreign(String),
}

impl Target {
    /// The socket address to connect to.
    pub const fn address(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let shape = || TargetError::Shape(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| shape())?;
        let authority = uri.authority().ok_or_else(shape)?;
        if uri.scheme_str() != Some("http")
            || !matches!(uri.path(), "" | "/")
            || uri.query().is_some()
            || authority.as_str().contains('@')
        {
            return Err(shape());
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            host => host.parse().map_err(|_| shape())?,
        };
        if !is_ours(ip) {
            return Err(TargetError::Foreign(text.to_owned()));
        }
        Ok(Self(SocketAddr::new(
            ip,
            authority.port_u16().unwrap_or(80),
        )))
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}", self.0)
    }
}

/// 198.18.0.0/15 is set aside for benchmarks of devices (RFC 2544) and is routed nowhere.
fn is_ours(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            v4.is_loopback() || (v4.octets()[0] == 198 && v4.octets()[1] & 0xfe == 18)
        }
        IpAddr::V6(v6) => v6.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_taken() {
        for text in [
            "http://127.0.0.1:8080",
            "http://127.9.9.9/",
            "http://localhost:80",
            "http://[::1]:81",
            "http://198.18.0.1:80",
            "http://198.19.255.254:8080/",
        ] {
            assert!(text.parse::<Target>().is_ok(), "{text}");
        }
    }

    #[test]
    fn other_addresses_are_refused_in_one_line() {
        for text in [
            "http://198.20.0.1:80",
            "http://198.17.255.255:80",
            "http://10.0.0.1:80",
            "http://0.0.0.0:80",
            "http://169.254.169.254/",
            "http://[2001:db8::1]:80",
            "http://[::ffff:10.0.0.1]:80",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(matches!(error, TargetError::Foreign(_)), "{text}: {error}");
            assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in [
            "",
            "127.0.0.1:8080",
            "https://127.0.0.1:8080",
            "http://payments.example:80",
            "http://user@127.0.0.1:80",
            "http://127.0.0.1:80/v1",
            "http://127.0.0.1:80/?x=1",
            "file:///etc/passwd",
        ] {
            assert!(
                matches!(text.parse::<Target>(), Err(TargetError::Shape(_))),
                "{text}"
            );
        }
    }
}
