package dev.sluice.llm.protocol;

import java.util.List;
import java.util.Locale;

/** LLM provider whose API is known. */
public enum Provider {

    OPENAI("https://api.openai.com", "/v1"), ANTHROPIC("https://api.anthropic.com", "/v1"),
    /** Google Gemini. Its SDKs for Java and JavaScript use v1beta, the one for Python v1. */
    GEMINI("https://generativelanguage.googleapis.com", "/v1beta", "/v1", "/v1alpha");

    /** Allowed ids, for error messages. */
    public static final String ALLOWED_IDS = "openai, anthropic or gemini";

    private final String defaultBaseUrl;
    private final List<String> versions;

    Provider(String defaultBaseUrl, String... versions) {
        this.defaultBaseUrl = defaultBaseUrl;
        this.versions = List.of(versions);
    }

    /**
     * Returns the provider's id in settings, paths, resources and metrics.
     *
     * @return {@code openai}, {@code anthropic} or {@code gemini}
     */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the URL of the provider's public API.
     *
     * @return the URL without the version
     */
    public String defaultBaseUrl() {
        return defaultBaseUrl;
    }

    /**
     * Returns the API version that a path begins with.
     *
     * @param path a path with a leading slash
     * @return the version, such as {@code /v1}; null if the path does not begin with one
     */
    public String version() {
        return versions.get(0);
    }

    /** The version that a path of its API begins with; null where it begins with none. */
    public String version(String path) {
        for (var version : versions) {
            if (path.startsWith(version) && path.length() > version.length() && path.charAt(version.length()) == '/') {
                return version;
            }
        }
        return null;
    }

    /**
     * Removes the API version and the trailing slash from the end of a base URL or path.
     *
     * @param basePath a base URL or its path
     * @return the same without them
     */
    public String withoutVersion(String basePath) {
        var path = basePath.endsWith("/") ? basePath.substring(0, basePath.length() - 1) : basePath;
        for (var version : versions) {
            if (path.endsWith(version)) {
                return path.substring(0, path.length() - version.length());
            }
        }
        return path;
    }

    /**
     * Returns the provider with an id.
     *
     * @param id the provider's id
     * @return the provider; null if there is none
     */
    public static Provider of(String id) {
        for (var provider : values()) {
            if (provider.id().equals(id)) {
                return provider;
            }
        }
        return null;
    }
}
