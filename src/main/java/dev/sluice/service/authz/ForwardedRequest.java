package dev.sluice.service.authz;

import dev.sluice.policy.LimitRule;
import io.vertx.core.MultiMap;
import io.vertx.core.net.SocketAddress;

/**
 * Request that a proxy has received and asks about. Sluice decides on it as if its own gateway had received it.
 *
 * @param method method of the request
 * @param path path as the client has sent it, without the query
 * @param query query as the client has sent it; null if there is none
 * @param headers headers of the request; {@code X-Forwarded-For} and {@code Forwarded} count if the peer is a trusted proxy
 * @param peer the last hop that is known: the remote end of the connection on which the proxy has received the request, or the
 *        proxy itself if it does not report that; null if it is not known
 * @param proxy remote end of the connection to Sluice: the proxy that asks; null if it is not known
 * @param rule the rule that applies instead of those of method and path; null for those
 */
public record ForwardedRequest(String method, String path, String query, MultiMap headers, SocketAddress peer,
        SocketAddress proxy,
        LimitRule rule) {
}
