package dev.sluice.policy.key;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

import dev.sluice.identity.Identity;
import io.vertx.core.MultiMap;

/**
 * Values that the parts of a key are read from.
 *
 * @param headers headers of the request
 * @param query query as it was sent; null if there is none
 * @param caller identity of the caller
 * @param address returns the identity of the client's address, {@code ip:<address>}; null if there is no client
 * @param pathVariable returns the values that a variable of the rule's path may have; several if the path is ambiguous
 */
public record KeySource(MultiMap headers, String query, Identity caller, Supplier<Identity> address,
        Function<String, List<String>> pathVariable) {
}
