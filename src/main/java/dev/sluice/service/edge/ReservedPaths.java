package dev.sluice.service.edge;

import java.util.List;
import java.util.stream.Stream;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.llm.config.Providers;

/** Paths of Sluice's own endpoints, which are never forwarded to the upstream. */
@ApplicationScoped
public class ReservedPaths {

    private static final List<String> PREFIXES = List.of("/v1/check", "/v1/usage", "/v1/limits", "/v1/rules", "/v1/prices",
            "/v1/llm", "/q");

    /** Further endpoints, below these. */
    private static final List<String> ENDPOINTS = List.of("/v1/llm/check", "/v1/llm/usage", "/q/openapi");
    private static final List<List<String>> ALL = List.of(PREFIXES, ENDPOINTS);

    /** With those of the LLM gateway. */
    private final List<String> prefixes;

    ReservedPaths(Providers providers) {
        prefixes = Stream.concat(PREFIXES.stream(), providers.all().stream().map(provider -> '/' + provider.id())).toList();
    }

    /** Returns the endpoint that a path names exactly; null if it names none. */
    public static String endpoint(String path) {
        for (var endpoints : ALL) {
            for (var endpoint : endpoints) {
                if (endpoint.equals(path)) {
                    return endpoint;
                }
            }
        }
        return null;
    }

    /** Returns whether a path is one of an endpoint, or below one. */
    public boolean contains(String path) {
        for (var prefix : prefixes) {
            if (path.startsWith(prefix) && (path.length() == prefix.length() || path.charAt(prefix.length()) == '/')) {
                return true;
            }
        }
        return false;
    }
}
