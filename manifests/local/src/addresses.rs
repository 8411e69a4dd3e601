//! The addresses and ports of the local cluster.
//!
//! All of them lie in the benchmarking ranges of RFC 2544 or on loopback, so no packet leaves the
//! machine, and none is a port that a distribution's service takes by default.

/// The bridge that pods hang on and that the servers for pods listen on.
pub const BRIDGE: &str = "fg0";
/// The machine as pods see it.
pub const HOST: &str = "198.18.0.1";
/// The machine as pods see it, with the prefix length of the pod range.
pub const HOST_WITH_PREFIX: &str = "198.18.0.1/24";
/// Where pods get their addresses from.
pub const POD_RANGE: &str = "198.18.0.0/24";
/// Where Services get their addresses from.
pub const SERVICE_RANGE: &str = "198.19.0.0/16";
/// The first address of the service range: the `kubernetes` Service.
pub const KUBERNETES_SERVICE: &str = "198.19.0.1";
/// The name of the one node.
pub const NODE: &str = "floodgate-local";

/// kube-apiserver, HTTPS on [`HOST`].
pub const APISERVER_PORT: u16 = 16443;
/// etcd for clients, on loopback: whoever reaches it rules the cluster.
pub const ETCD_CLIENT_PORT: u16 = 12379;
/// etcd for its peers, on loopback.
pub const ETCD_PEER_PORT: u16 = 12380;
/// kube-controller-manager, on loopback.
pub const CONTROLLER_MANAGER_PORT: u16 = 20257;
/// kube-scheduler, on loopback.
pub const SCHEDULER_PORT: u16 = 20259;
/// kubelet, HTTPS on [`HOST`]: logs, exec and metrics.
pub const KUBELET_PORT: u16 = 20250;
/// kubelet's health, on loopback.
pub const KUBELET_HEALTH_PORT: u16 = 20248;
/// kube-proxy's health, on loopback.
pub const PROXY_HEALTH_PORT: u16 = 20256;
/// kube-proxy's metrics, on loopback.
pub const PROXY_METRICS_PORT: u16 = 20249;
/// Prometheus, on [`HOST`].
pub const PROMETHEUS_PORT: u16 = 19090;
/// The PostgreSQL primaries in shard order, on [`HOST`].
pub const SHARD_PORTS: [u16; 2] = [15432, 15433];
/// The streaming replica of shard 0, on [`HOST`].
pub const REPLICA_PORT: u16 = 15434;
/// Redis, on [`HOST`].
pub const CACHE_PORT: u16 = 16379;
/// NATS for clients, on [`HOST`].
pub const EVENTS_PORT: u16 = 14222;
/// NATS's monitoring pages, on [`HOST`].
pub const EVENTS_MONITOR_PORT: u16 = 18222;
