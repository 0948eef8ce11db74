package dev.sluice.service.edge;

import java.util.List;

/** Which paths are Sluice's own and never an upstream's. */
public final class ReservedPaths {

    private static final List<String> DOORS = List.of("/v1/check", "/v1/usage", "/v1/limits", "/v1/llm", "/openai",
            "/anthropic",
            "/gemini", "/q");

    private ReservedPaths() {
    }

    public static boolean covers(String path) {
        for (var door : DOORS) {
            if (path.startsWith(door) && (path.length() == door.length() || path.charAt(door.length()) == '/')) {
                return true;
            }
        }
        return false;
    }
}
