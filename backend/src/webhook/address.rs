//! Which addresses are public: whoever may name a target must not reach, by way of this server, what
//! only this server can reach.

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the open internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    NOT_PUBLIC_V4.iter().all(|net| !net.contains(&address))
}

/// All that is public of version 6 is in one range as yet, and some of that range is not. Outside of it
/// are `::` and `::1`, what is mapped to version 4 or compatible with it (RFC 4291), local translation
/// (RFC 8215), what is discarded (RFC 6666), segment routing (RFC 9602), unique local addresses
/// (RFC 4193), link-local and site-local ones (RFC 4291, RFC 3879), and multicast (RFC 4291).
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    if TRANSLATED.contains(&address) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    GLOBAL.contains(&address) && NOT_PUBLIC_V6.iter().all(|net| !net.contains(&address))
}

/// Global unicast (RFC 4291, RFC 3587).
const GLOBAL: Ipv6Net = v6(0x2000, 0, 3);

/// Version 4 behind a translator (NAT64, RFC 6052): where a network has no version 4, all of that
/// internet is here. A translator that has a prefix of its own cannot be told from other addresses.
const TRANSLATED: Ipv6Net = v6(0x64, 0xff9b, 96);

const NOT_PUBLIC_V4: [Ipv4Net; 17] = [
    v4([0, 0, 0, 0], 8),          // this network, and unspecified: RFC 1122
    v4([10, 0, 0, 0], 8),         // private: RFC 1918
    v4([100, 64, 0, 0], 10),      // shared by a carrier's customers: RFC 6598
    v4([127, 0, 0, 0], 8),        // loopback: RFC 1122
    v4([168, 63, 129, 16], 32), // what a cloud's machines are told of themselves, by a public address
    v4([169, 254, 0, 0], 16),   // link-local, and most clouds' metadata: RFC 3927
    v4([172, 16, 0, 0], 12),    // private: RFC 1918
    v4([192, 0, 0, 0], 24),     // for protocols: RFC 6890
    v4([192, 0, 2, 0], 24),     // documentation: RFC 5737
    v4([192, 88, 99, 0], 24),   // 6to4's relays: RFC 7526
    v4([192, 168, 0, 0], 16),   // private: RFC 1918
    v4([198, 18, 0, 0], 15),    // benchmarks: RFC 2544
    v4([198, 51, 100, 0], 24),  // documentation: RFC 5737
    v4([203, 0, 113, 0], 24),   // documentation: RFC 5737
    v4([224, 0, 0, 0], 4),      // multicast: RFC 5771
    v4([240, 0, 0, 0], 4),      // reserved: RFC 1112
    v4([255, 255, 255, 255], 32), // broadcast: RFC 919
];

/// Of the global range.
const NOT_PUBLIC_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 23), // for protocols: RFC 2928; so Teredo (4380), benchmarks (5180), ORCHID (7343)
    v6(0x2001, 0xdb8, 32), // documentation: RFC 3849
    v6(0x2002, 0, 16), // 6to4, which goes to the version 4 address within: RFC 3056, RFC 7526
    v6(0x3fff, 0, 20), // documentation: RFC 9637
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(first: u16, second: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_of_the_open_internet_is_not_public() {
        for text in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::a00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_neighbours_of_what_is_not_public_are() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    proptest! {
        /// The standard library's own words for some of the ranges are the second opinion.
        #[test]
        fn no_address_with_a_name_for_being_inside_is_public(bits in any::<u32>(), high in any::<u128>()) {
            let inner = Ipv4Addr::from_bits(bits);
            let inside = inner.is_private() || inner.is_loopback() || inner.is_link_local()
                || inner.is_broadcast() || inner.is_documentation() || inner.is_unspecified()
                || inner.is_multicast();
            prop_assert!(!(inside && is_public(inner.into())));
            prop_assert_eq!(is_public(inner.into()), is_public(inner.to_ipv6_mapped().into()));
            let six = Ipv6Addr::from_bits(high);
            let inside = six.is_loopback() || six.is_unspecified() || six.is_multicast()
                || six.is_unique_local() || six.is_unicast_link_local();
            prop_assert!(!(inside && is_public(six.into())));
        }
    }
}
