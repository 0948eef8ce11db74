package dev.sluice.service;

import java.util.List;

/** Which paths are Sluice's own and never an upstream's. */
final class OwnDoors {

    private static final List<String> DOORS = List.of("/v1/check", "/v1/usage", "/v1/limits", "/v1/llm", "/openai",
            "/anthropic",
            "/gemini", "/q");

    private OwnDoors() {
    }

    static boolean covers(String path) {
        for (var door : DOORS) {
            if (path.startsWith(door) && (path.length() == door.length() || path.charAt(door.length()) == '/')) {
                return true;
            }
        }
        return false;
    }
}
