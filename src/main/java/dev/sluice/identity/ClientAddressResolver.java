package dev.sluice.identity;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;

/** The client's address: the peer's, or where the peer is a trusted proxy the one that it names. */
@ApplicationScoped
public class ClientAddressResolver {

    private static final int NETWORK_BYTES = 8;
    private static final int MOST_PEERS = 1000;

    /**
     * The other end of a connection.
     *
     * @param address null where it has none
     * @param identity what it is counted as where nobody stands behind it
     */
    private record Peer(InetAddress address, boolean trusted, Identity identity) {
    }

    private final IdentityConfig settings;
    private final List<IpSubnetFilterRule> trusted = new ArrayList<>();
    /** By their addresses as Vert.x writes them: a peer sends many requests. */
    private final Map<String, Peer> peers = new ConcurrentHashMap<>();

    ClientAddressResolver(IdentityConfig settings) {
        this.settings = settings;
        for (var block : settings.trustedProxies().orElse(List.of())) {
            var rule = rule(block.strip());
            if (rule != null) {
                trusted.add(rule);
            }
        }
    }

    void validate(@Observes ConfigProblems problems) {
        for (var block : settings.trustedProxies().orElse(List.of())) {
            if (rule(block.strip()) == null) {
                problems.add("rate-limit.trusted-proxies", block, "addresses or CIDR blocks such as 10.0.0.0/8 or fd00::/8");
            }
        }
    }

    private static IpSubnetFilterRule rule(String block) {
        int slash = block.indexOf('/');
        var address = parse(slash < 0 ? block : block.substring(0, slash));
        if (address == null) {
            return null;
        }
        int bits = address.getAddress().length * 8;
        try {
            int prefix = slash < 0 ? bits : Integer.parseInt(block.substring(slash + 1));
            return prefix < 0 || prefix > bits ? null : new IpSubnetFilterRule(address, prefix, IpFilterRuleType.ACCEPT);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Whether the peer of this request is a trusted proxy. */
    public boolean isFromTrustedProxy(HttpServerRequest request) {
        return peer(request).trusted();
    }

    /** The client's identity: {@code ip:<address>}, an IPv6 address without its lower 64 bits. */
    public Identity identity(HttpServerRequest request) {
        var peer = peer(request);
        return peer.trusted() ? identityOf(client(peer.address(), request)) : peer.identity();
    }

    private static Identity identityOf(InetAddress address) {
        return Identity.address(address == null ? "unknown" : text(address));
    }

    private InetAddress client(InetAddress proxy, HttpServerRequest request) {
        var client = proxy;
        for (var hop : hops(request)) {
            var address = parse(hop);
            if (address == null) {
                break;
            }
            client = address;
            if (!trusted(address)) {
                break;
            }
        }
        return client;
    }

    /** What the proxies named, the nearest first. */
    private List<String> hops(HttpServerRequest request) {
        var forwarding = settings.forwardedHeader();
        var hops = forwarding == IdentityConfig.Forwarding.FORWARDED
                ? List.<String>of()
                : elements(request.headers().getAll("X-Forwarded-For"));
        if (hops.isEmpty() && forwarding != IdentityConfig.Forwarding.X_FORWARDED_FOR) {
            hops = elements(request.headers().getAll("Forwarded")).stream().map(ClientAddressResolver::forwardedFor).toList();
        }
        var nearestFirst = new ArrayList<>(hops);
        Collections.reverse(nearestFirst);
        return nearestFirst;
    }

    private static List<String> elements(List<String> lines) {
        return lines.stream().flatMap(line -> Arrays.stream(line.split(","))).map(String::strip).toList();
    }

    /** The {@code for} parameter of one element of Forwarded; empty where it has none. */
    private static String forwardedFor(String element) {
        for (var pair : element.split(";")) {
            int equals = pair.indexOf('=');
            if (equals > 0 && "for".equalsIgnoreCase(pair.substring(0, equals).strip())) {
                return pair.substring(equals + 1).strip().replace("\"", "");
            }
        }
        return "";
    }

    private boolean trusted(InetAddress address) {
        if (address == null || trusted.isEmpty()) {
            return false;
        }
        var socket = new InetSocketAddress(address, 0);
        for (var rule : trusted) {
            if (rule.matches(socket)) {
                return true;
            }
        }
        return false;
    }

    private Peer peer(HttpServerRequest request) {
        var remote = request.remoteAddress();
        var text = remote == null ? null : remote.hostAddress();
        if (text == null) {
            return new Peer(null, false, identityOf(null));
        }
        var peer = peers.get(text);
        if (peer == null) {
            var address = parse(text);
            peer = new Peer(address, trusted(address), identityOf(address));
            if (peers.size() >= MOST_PEERS) {
                peers.clear();
            }
            peers.put(text, peer);
        }
        return peer;
    }

    /** Reads an address, with or without brackets, port and zone; null where it is none. Never asks a name server. */
    private static InetAddress parse(String text) {
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
            return bytes == null ? null : InetAddress.getByAddress(bytes); // an IPv4 address in IPv6's clothes becomes itself
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private static String text(InetAddress address) {
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
