//! Where a request comes from: the peer's address, or what a trusted proxy says it is.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::extract::{ConnectInfo, connect_info::MockConnectInfo};
use http::{Extensions, HeaderMap};

/// An address or a block of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u32,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, plain(address)) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - self.bits;
                shift == 32 || base.to_bits() >> shift == address.to_bits() >> shift
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - self.bits;
                shift == 128 || base.to_bits() >> shift == address.to_bits() >> shift
            }
            _ => false,
        }
    }
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (base, bits) = text
            .split_once('/')
            .map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base = plain(base.parse().map_err(|_| NotANetwork)?);
        let bits_max = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), |bits| bits.parse().map_err(|_| NotANetwork))?;
        if bits > bits_max {
            Err(NotANetwork)
        } else {
            Ok(Self { base, bits })
        }
    }
}

/// The peer of the connection itself; unspecified where nobody told us.
pub fn peer(extensions: &Extensions) -> IpAddr {
    let mocked = || extensions.get::<MockConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let connected = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    plain(connected.or_else(mocked).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

/// Who asks: the peer, or behind trusted proxies the nearest address in `X-Forwarded-For` that is not one of them. Everything
/// further left may be made up by the client.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let chain: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut nearest = peer;
    for hop in chain.iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        nearest = plain(address);
        if !is_trusted(nearest) {
            break;
        }
    }
    nearest
}

/// IPv4 in IPv6's clothes is IPv4.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        assert_eq!(from("203.0.113.9", "1.2.3.4", &[]), "203.0.113.9");
        assert_eq!(from("10.0.0.2", "1.2.3.4", &["10.0.0.0/8"]), "1.2.3.4");
        // What the client wrote itself stands to the left of what the proxy added.
        assert_eq!(
            from("10.0.0.2", "6.6.6.6, 1.2.3.4, 10.9.9.9", &["10.0.0.0/8"]),
            "1.2.3.4"
        );
        assert_eq!(from("10.0.0.2", "nonsense", &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(from("::ffff:10.0.0.2", "2001:db8::1", &["10.0.0.2"]), "2001:db8::1");
    }

    #[test]
    fn networks_are_read_or_refused() {
        for text in ["10.0.0.0/33", "x", "10.0.0.0/", "::/129", ""] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
        let everything: Network = "0.0.0.0/0".parse().unwrap();
        assert!(everything.contains("9.9.9.9".parse().unwrap()));
        assert!(!everything.contains("::1".parse().unwrap()));
    }
}
