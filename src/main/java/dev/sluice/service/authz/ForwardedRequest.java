package dev.sluice.service.authz;

import dev.sluice.policy.LimitRule;
import io.vertx.core.MultiMap;
import io.vertx.core.net.SocketAddress;

/**
 * Request that a proxy has received and asks about. Sluice decides on it as if its own gateway had received it.
 *
 * @param method method of the request
 * @param authority host that the request is for, with or without a port; null if it is not known
 * @param path path as the client has sent it, without the query
 * @param query query as the client has sent it; null if there is none
 * @param headers headers of the request; {@code X-Forwarded-For} and {@code Forwarded} count if the peer is a trusted proxy
 * @param fields headers that the keys of rules read: where a proxy may have joined the lines of a repeated field, each of them is
 *        there too
 * @param peer the last hop that is known: the remote end of the connection on which the proxy has received the request, or the
 *        proxy itself if it does not report that; null if it is not known
 * @param proxy remote end of the connection to Sluice: the proxy that asks; null if it is not known
 * @param rule the rule that applies instead of those of method and path; null for those
 */
public record ForwardedRequest(String method, String authority, String path, String query, MultiMap headers, MultiMap fields,
        SocketAddress peer, SocketAddress proxy, LimitRule rule) {

    ForwardedRequest(String method, String authority, String path, String query, MultiMap headers, SocketAddress peer,
            SocketAddress proxy, LimitRule rule) {
        this(method, authority, path, query, headers, headers, peer, proxy, rule);
    }
}
