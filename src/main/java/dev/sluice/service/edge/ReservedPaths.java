package dev.sluice.service.edge;

import java.util.List;

/** Paths of Sluice's own endpoints, which are never forwarded to the upstream. */
public final class ReservedPaths {

    private static final List<String> PREFIXES = List.of("/v1/check", "/v1/usage", "/v1/limits", "/v1/llm", "/openai",
            "/anthropic",
            "/gemini", "/q");

    private ReservedPaths() {
    }

    public static boolean contains(String path) {
        for (var prefix : PREFIXES) {
            if (path.startsWith(prefix) && (path.length() == prefix.length() || path.charAt(prefix.length()) == '/')) {
                return true;
            }
        }
        return false;
    }
}
