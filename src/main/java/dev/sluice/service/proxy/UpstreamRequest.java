package dev.sluice.service.proxy;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;

/**
 * Request as the upstream receives it.
 *
 * @param method method
 * @param target request target, each character one byte as in {@link HttpServerRequest#uri()}
 * @param headers header fields without those of the connection; Host included
 * @param webSocket whether the request asks for an upgrade to WebSocket
 */
public record UpstreamRequest(HttpMethod method, String target, MultiMap headers, boolean webSocket) {
}
