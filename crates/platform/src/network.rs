//! Who an address stands for, where something is counted by address.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that its customer cannot change at will: they have at least a /64.
const CUSTOMER_BITS: u32 = 64;

/// The network of the customer who has this address: an IPv4 address is one's own, an IPv6 customer can change the lower half.
/// Always in the same form, so that it can be a key.
pub fn customer_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - CUSTOMER_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_customer_are_one() {
        let network = |text: &str| customer_network(text.parse().unwrap());
        let same = |a: &str, b: &str| network(a) == network(b);
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
    }
}
