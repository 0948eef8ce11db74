package dev.sluice.identity;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import io.netty.util.NetUtil;

/** Reads and writes IP addresses without resolving host names. */
final class IpAddresses {

    private static final int NETWORK_BYTES = 8;

    private IpAddresses() {
    }

    /** Parses an address, with or without brackets, port and zone; null if it is not an address. */
    static @Nullable InetAddress parse(String text) {
        var host = text;
        if (host.startsWith("[")) {
            int end = host.indexOf(']');
            host = end < 0 ? host : host.substring(1, end);
        } else if (host.indexOf(':') > 0 && host.indexOf(':') == host.lastIndexOf(':')) {
            host = host.substring(0, host.indexOf(':'));
        }
        int zone = host.indexOf('%');
        var bytes = NetUtil.createByteArrayFromIpAddressString(zone < 0 ? host : host.substring(0, zone));
        try {
            return bytes == null ? null : InetAddress.getByAddress(bytes); // converts IPv4-mapped IPv6 addresses to IPv4
        } catch (UnknownHostException e) {
            return null;
        }
    }

    /** Returns the text of an address; for IPv6 that of its /64 network, since one client usually controls all of it. */
    static String network(InetAddress address) {
        if (address instanceof Inet6Address) {
            try {
                return NetUtil.toAddressString(InetAddress.getByAddress(
                        Arrays.copyOf(Arrays.copyOf(address.getAddress(), NETWORK_BYTES), 2 * NETWORK_BYTES)));
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e);
            }
        }
        return NetUtil.toAddressString(address);
    }
}
