package dev.sluice.service.edge;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import dev.sluice.llm.config.Providers;
import dev.sluice.service.token.AdminTokens;

/** Paths of Sluice's own endpoints, which are never forwarded to the upstream. */
@ApplicationScoped
public class ReservedPaths {

    private static final List<String> PREFIXES = List.of("/v1/check", "/v1/usage", "/v1/limits", "/v1/rules", "/v1/prices",
            "/v1/leases",
            "/v1/llm", "/v1/forward-auth", "/v1/ext-authz", "/q");
    /** Endpoints that exist only with an admin token: without one, an upstream may have these paths. */
    private static final List<String> ADMINISTRATION = List.of("/v1/keys", "/v1/users", "/v1/teams", "/v1/orgs", "/v1/audit",
            "/v1/export", "/v1/import", "/v1/overview", "/v1/traffic", "/v1/events", "/v1/windows", "/v1/identifiers");
    /** Endpoints that decide on a request of another method, which a proxy describes. */
    private static final List<String> AUTHORIZATION = List.of("/v1/forward-auth", "/v1/ext-authz");

    /** Further endpoints, below these. */
    private static final List<String> ENDPOINTS = List.of("/v1/llm/check", "/v1/llm/usage", "/q/openapi");
    private static final List<List<String>> ALL = List.of(PREFIXES, ENDPOINTS);

    /** With those of the LLM gateway. */
    private final List<String> prefixes;

    @Inject
    ReservedPaths(Providers providers, AdminTokens tokens) {
        this(providers, !tokens.isEmpty());
    }

    /** @param administered whether there is an admin token */
    ReservedPaths(Providers providers, boolean administered) {
        prefixes = Stream.of(PREFIXES.stream(), administered ? ADMINISTRATION.stream() : Stream.<String>empty(),
                providers.all().stream().map(provider -> '/' + provider.id())).flatMap(Function.identity()).toList();
    }

    /** Returns whether requests with a path describe a request that a proxy has received. */
    static boolean describesOther(String path) {
        return isBelow(AUTHORIZATION, path);
    }

    /** Returns the endpoint that a path names; null if it names none. */
    public static String endpoint(String path) {
        if (path != null && path.startsWith("/v1/ext-authz/")) {
            return "/v1/ext-authz";
        }
        if (path != null && path.startsWith("/v1/leases/")) {
            return "/v1/leases";
        }
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
        return isBelow(prefixes, path);
    }

    private static boolean isBelow(List<String> prefixes, String path) {
        for (var prefix : prefixes) {
            if (path.startsWith(prefix) && (path.length() == prefix.length() || path.charAt(prefix.length()) == '/')) {
                return true;
            }
        }
        return false;
    }
}
