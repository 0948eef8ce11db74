package dev.sluice.policy;

import java.util.List;
import java.util.function.Supplier;

import dev.sluice.identity.Identity;
import io.vertx.core.MultiMap;

/**
 * API request that rules apply to. Each character of its texts stands for one byte, as Netty delivers them.
 *
 * @param method HTTP method
 * @param furtherMethods methods whose rules hold too
 * @param authority returns the host that the request is for, with or without a port; null if it is not known
 * @param path path as it was sent, without the query
 * @param query query as it was sent; null if there is none
 * @param headers headers
 * @param address returns the identity of the client's address
 * @param answered whether the answer will be known; otherwise, what depends on it is only asked for
 */
public record ApiRequest(String method, List<String> furtherMethods, Supplier<String> authority, String path, String query,
        MultiMap headers, Supplier<Identity> address, boolean answered) {
}
