package dev.sluice.llm.protocol;

import java.util.List;
import java.util.Locale;

/** API that a provider has: its paths, the format of its requests and responses, and what it bills by. */
public enum ProviderType {

    OPENAI("https://api.openai.com", "Authorization", "/v1"), ANTHROPIC("https://api.anthropic.com", "x-api-key", "/v1"),
    /** Google Gemini. Its SDKs for Java and JavaScript use v1beta, the one for Python v1. */
    GEMINI("https://generativelanguage.googleapis.com", "x-goog-api-key", "/v1beta", "/v1", "/v1alpha");

    private final String defaultBaseUrl;
    private final String authHeader;
    private final List<String> versions;

    ProviderType(String defaultBaseUrl, String authHeader, String... versions) {
        this.defaultBaseUrl = defaultBaseUrl;
        this.authHeader = authHeader;
        this.versions = List.of(versions);
    }

    /**
     * Returns the type's name in settings.
     *
     * @return {@code openai}, {@code anthropic} or {@code gemini}
     */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the URL of the public API of the company that has defined it.
     *
     * @return the URL without the version
     */
    public String defaultBaseUrl() {
        return defaultBaseUrl;
    }

    /**
     * Returns the header in which the API expects the key.
     *
     * @return the header's name
     */
    public String authHeader() {
        return authHeader;
    }

    /**
     * Returns the API version that is used without another one.
     *
     * @return the version, such as {@code /v1}
     */
    public String version() {
        return versions.get(0);
    }

    /**
     * Returns the API version that a path begins with.
     *
     * @param path a path with a leading slash
     * @return the version, such as {@code /v1}; null if the path does not begin with one
     */
    public String version(String path) {
        for (var version : versions) {
            if (path.startsWith(version) && path.length() > version.length() && path.charAt(version.length()) == '/') {
                return version;
            }
        }
        return null;
    }

    /** Removes the API version and the trailing slash from the end of a path. */
    String withoutVersion(String path) {
        var trimmed = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        for (var version : versions) {
            if (trimmed.endsWith(version)) {
                return trimmed.substring(0, trimmed.length() - version.length());
            }
        }
        return trimmed;
    }
}
