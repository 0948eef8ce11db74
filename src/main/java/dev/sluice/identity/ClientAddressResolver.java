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

import org.jspecify.annotations.Nullable;

import dev.sluice.config.ConfigProblems;
import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;

/**
 * Resolves the address of the client: the peer's address, or, if the peer is a trusted proxy, the nearest untrusted address in
 * {@code X-Forwarded-For} or {@code Forwarded} (RFC 7239). Thread-safe.
 */
@ApplicationScoped
public class ClientAddressResolver {

    private static final int NETWORK_BYTES = 8;
    private static final int MAX_CACHED_PEERS = 1000;

    /**
     * Remote end of a connection.
     *
     * @param address address; null if it has none, as on a Unix domain socket
     * @param trusted whether it is a trusted proxy
     * @param identity identity of the address itself
     */
    private record Peer(@Nullable InetAddress address, boolean trusted, Identity identity) {
    }

    private final IdentityConfig config;
    private final List<IpSubnetFilterRule> trustedProxies = new ArrayList<>();
    /** Cache by the text of the address: saves parsing and matching for each request of a peer. */
    private final Map<String, Peer> peers = new ConcurrentHashMap<>();

    ClientAddressResolver(IdentityConfig config) {
        this.config = config;
        for (var block : config.trustedProxies().orElse(List.of())) {
            var rule = parseBlock(block.strip());
            if (rule != null) {
                trustedProxies.add(rule);
            }
        }
    }

    void validate(@Observes ConfigProblems problems) {
        for (var block : config.trustedProxies().orElse(List.of())) {
            if (parseBlock(block.strip()) == null) {
                problems.add("rate-limit.trusted-proxies", block,
                        "must be addresses or CIDR blocks such as 10.0.0.0/8 or fd00::/8");
            }
        }
    }

    private static @Nullable IpSubnetFilterRule parseBlock(String block) {
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

    /** Returns whether the peer of a request is a trusted proxy. */
    public boolean isFromTrustedProxy(HttpServerRequest request) {
        return peer(request).trusted();
    }

    /**
     * Returns the identity of the client's address: {@code ip:<address>}, for IPv6 {@code ip:<address>} of the /64 network, since
     * one client usually controls all of it.
     */
    public Identity identity(HttpServerRequest request) {
        var peer = peer(request);
        return peer.trusted() ? identityOf(clientAddress(peer.address(), request)) : peer.identity();
    }

    private static Identity identityOf(@Nullable InetAddress address) {
        return Identity.address(address == null ? "unknown" : text(address));
    }

    private @Nullable InetAddress clientAddress(@Nullable InetAddress proxy, HttpServerRequest request) {
        var client = proxy;
        for (var hop : hops(request)) {
            var address = parse(hop);
            if (address == null) {
                break;
            }
            client = address;
            if (!isTrusted(address)) {
                break;
            }
        }
        return client;
    }

    /** Returns the hops that the proxies report, the nearest first. */
    private List<String> hops(HttpServerRequest request) {
        var forwarding = config.forwardedHeader();
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

    /** Returns the {@code for} parameter of one element of {@code Forwarded}; empty if it has none. */
    private static String forwardedFor(String element) {
        for (var pair : element.split(";")) {
            int equals = pair.indexOf('=');
            if (equals > 0 && "for".equalsIgnoreCase(pair.substring(0, equals).strip())) {
                return pair.substring(equals + 1).strip().replace("\"", "");
            }
        }
        return "";
    }

    private boolean isTrusted(@Nullable InetAddress address) {
        if (address == null || trustedProxies.isEmpty()) {
            return false;
        }
        var socket = new InetSocketAddress(address, 0);
        for (var rule : trustedProxies) {
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
            peer = new Peer(address, isTrusted(address), identityOf(address));
            if (peers.size() >= MAX_CACHED_PEERS) {
                peers.clear();
            }
            peers.put(text, peer);
        }
        return peer;
    }

    /** Parses an address, with or without brackets, port and zone; null if it is not an address. Never resolves a host name. */
    private static @Nullable InetAddress parse(String text) {
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
