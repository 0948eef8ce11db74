package dev.sluice.identity;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import dev.sluice.config.ConfigProblems;
import dev.sluice.identity.IdentityConfig.Forwarding;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;

/**
 * Resolves the address of the client: the peer's address, or, if the peer is a trusted proxy, the nearest untrusted address in
 * {@code X-Forwarded-For} or {@code Forwarded} (RFC 7239). Knows which peers may name the caller. Thread-safe.
 */
@ApplicationScoped
public class ClientAddressResolver {

    private static final Logger LOG = Logger.getLogger(ClientAddressResolver.class);
    private static final int MAX_CACHED_PEERS = 1000;

    /**
     * Remote end of a connection.
     *
     * @param address address; null if it has none, as on a Unix domain socket
     * @param trusted whether it is a trusted proxy
     * @param identifies whether it may name the caller
     * @param identity identity of the address itself
     */
    private record Peer(@Nullable InetAddress address, boolean trusted, boolean identifies, Identity identity) {
    }

    private final IdentityConfig config;
    private final AddressBlocks trustedProxies;
    private final AddressBlocks identityProxies;
    /** Cache by the text of the address: saves parsing and matching for each request of a peer. */
    private final Map<String, Peer> peers = new ConcurrentHashMap<>();
    private final AtomicBoolean warnedOfDifference = new AtomicBoolean();
    private final AtomicBoolean warnedOfIdentity = new AtomicBoolean();

    ClientAddressResolver(IdentityConfig config) {
        this.config = config;
        trustedProxies = new AddressBlocks(config.trustedProxies());
        identityProxies = new AddressBlocks(config.identityProxies());
    }

    void validate(@Observes ConfigProblems problems) {
        AddressBlocks.validate(problems, "rate-limit.trusted-proxies", config.trustedProxies());
        AddressBlocks.validate(problems, "rate-limit.identity-proxies", config.identityProxies());
    }

    /** Returns whether a text is an IP address. */
    public static boolean isAddress(String text) {
        return IpAddresses.parse(text) != null;
    }

    /** Returns whether an address is that of a proxy that may report addresses or name callers. */
    public boolean isProxy(java.net.SocketAddress address) {
        return address instanceof InetSocketAddress socket
                && (trustedProxies.contains(socket.getAddress()) || identityProxies.contains(socket.getAddress()));
    }

    /** Returns whether the peer of a request is a trusted proxy, whose report of the client's address counts. */
    public boolean isFromTrustedProxy(HttpServerRequest request) {
        return peer(request.remoteAddress()).trusted();
    }

    /**
     * Returns whether a peer may report addresses or name callers.
     *
     * @param remote remote end of the connection; null if it is not known
     */
    public boolean isProxyPeer(@Nullable SocketAddress remote) {
        var peer = peer(remote);
        return peer.trusted() || peer.identifies();
    }

    /**
     * Returns whether a peer may name the caller, by {@link IdentityHeaders}.
     *
     * @param remote remote end of the connection; null if it is not known
     */
    public boolean isIdentityProxy(@Nullable SocketAddress remote) {
        return peer(remote).identifies();
    }

    /**
     * Returns whether the peer of a request may name the caller, by {@link IdentityHeaders}. Called for requests that have them:
     * logs once that those of a trusted proxy are ignored.
     */
    boolean isFromIdentityProxy(HttpServerRequest request) {
        var peer = peer(request.remoteAddress());
        if (!peer.identifies() && peer.trusted() && warnedOfIdentity.compareAndSet(false, true)) {
            LOG.warnf("X-User-Id of the trusted proxy is ignored: proxy=%s; if it names your callers and removes the field from"
                    + " their requests, add it to rate-limit.identity-proxies", request.remoteAddress().hostAddress());
        }
        return peer.identifies();
    }

    /**
     * Returns the identity of the client's address: {@code ip:<address>}, for IPv6 {@code ip:<address>} of the /64 network, since
     * one client usually controls all of it.
     */
    public Identity identity(HttpServerRequest request) {
        return identity(request.remoteAddress(), request.headers());
    }

    /**
     * Returns the identity of the client's address, as {@link #identity(HttpServerRequest)} does.
     *
     * @param remote remote end of the connection; null if it is not known
     * @param headers headers of the request
     */
    public Identity identity(@Nullable SocketAddress remote, MultiMap headers) {
        var peer = peer(remote);
        return peer.trusted() ? identityOf(clientAddress(peer.address(), headers)) : peer.identity();
    }

    private static Identity identityOf(@Nullable InetAddress address) {
        return Identity.address(address == null ? "unknown" : IpAddresses.network(address));
    }

    /**
     * Returns the address that the proxies report. A proxy that sets one of the two fields passes the client's own in the other:
     * if it is not configured which of them counts and they differ, the address is the proxy's.
     */
    private InetAddress clientAddress(InetAddress proxy, MultiMap headers) {
        var field = config.forwardedHeader();
        var forwardedFor = field == Forwarding.FORWARDED
                ? List.<String>of()
                : elements(headers.getAll("X-Forwarded-For"));
        var forwarded = field == Forwarding.X_FORWARDED_FOR ? List.<String>of() : forwardedFor(headers);
        var client = nearestUntrusted(proxy, forwardedFor.isEmpty() ? forwarded : forwardedFor);
        if (forwardedFor.isEmpty() || forwarded.isEmpty() || nearestUntrusted(proxy, forwarded).equals(client)) {
            return client;
        }
        if (warnedOfDifference.compareAndSet(false, true)) {
            LOG.warnf("X-Forwarded-For and Forwarded differ, so the proxy's address counts as the client's: proxy=%s; set"
                    + " rate-limit.forwarded-header to x-forwarded-for or forwarded, whichever the proxy sets",
                    proxy.getHostAddress());
        }
        return proxy;
    }

    /** @param hops in the order of the field, the nearest last */
    private InetAddress nearestUntrusted(InetAddress proxy, List<String> hops) {
        var client = proxy;
        for (int i = hops.size() - 1; i >= 0; i--) {
            var address = IpAddresses.parse(hops.get(i));
            if (address == null) {
                break;
            }
            client = address;
            if (!trustedProxies.contains(address)) {
                break;
            }
        }
        return client;
    }

    private static List<String> elements(List<String> lines) {
        return lines.stream().flatMap(line -> Arrays.stream(line.split(","))).map(String::strip).toList();
    }

    /** Returns the {@code for} parameters in {@code Forwarded}, empty for an element without one; none if no element has one. */
    private static List<String> forwardedFor(MultiMap headers) {
        var hops = elements(headers.getAll("Forwarded")).stream().map(ClientAddressResolver::forwardedFor).toList();
        return hops.stream().allMatch(String::isEmpty) ? List.of() : hops;
    }

    private static String forwardedFor(String element) {
        for (var pair : element.split(";")) {
            int equals = pair.indexOf('=');
            if (equals > 0 && "for".equalsIgnoreCase(pair.substring(0, equals).strip())) {
                return pair.substring(equals + 1).strip().replace("\"", "");
            }
        }
        return "";
    }

    private Peer peer(@Nullable SocketAddress remote) {
        var text = remote == null ? null : remote.hostAddress();
        if (text == null) {
            return new Peer(null, false, false, identityOf(null));
        }
        var peer = peers.get(text);
        if (peer == null) {
            var address = IpAddresses.parse(text);
            peer = new Peer(address, trustedProxies.contains(address), identityProxies.contains(address), identityOf(address));
            if (peers.size() >= MAX_CACHED_PEERS) {
                peers.clear();
            }
            peers.put(text, peer);
        }
        return peer;
    }
}
