package dev.sluice.llm.protocol;

import java.util.List;
import java.util.Locale;

/** Whose models are called. */
public enum Provider {

    OPENAI("https://api.openai.com", "/v1"), ANTHROPIC("https://api.anthropic.com", "/v1"),
    /** Its SDKs for Java and JavaScript speak v1beta, that for Python v1. */
    GEMINI("https://generativelanguage.googleapis.com", "/v1beta", "/v1", "/v1alpha");

    /** What is allowed where a provider is named, for error messages. */
    public static final String ALLOWED_IDS = "openai, anthropic or gemini";

    private final String defaultBaseUrl;
    private final List<String> versions;

    Provider(String defaultBaseUrl, String... versions) {
        this.defaultBaseUrl = defaultBaseUrl;
        this.versions = List.of(versions);
    }

    /** As it stands in settings, paths, resources and metrics. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The provider's own address, without the version. */
    public String defaultBaseUrl() {
        return defaultBaseUrl;
    }

    /** What the paths of its API begin with, where nobody asks for another version: {@code /v1} or {@code /v1beta}. */
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

    /** A base URL's path without the version that it may end with, and without a slash at its end. */
    public String withoutVersion(String basePath) {
        var path = basePath.endsWith("/") ? basePath.substring(0, basePath.length() - 1) : basePath;
        for (var version : versions) {
            if (path.endsWith(version)) {
                return path.substring(0, path.length() - version.length());
            }
        }
        return path;
    }

    /** The provider of this id; null where there is none. */
    public static Provider of(String id) {
        for (var provider : values()) {
            if (provider.id().equals(id)) {
                return provider;
            }
        }
        return null;
    }
}
