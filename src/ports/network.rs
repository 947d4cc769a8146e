//! The network: one TLS configuration, resolver and proxy for all clients.
