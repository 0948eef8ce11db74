package dev.sluice.llm.wire;

import java.util.Locale;

/** Whose models are called. */
public enum Provider {

    OPENAI("https://api.openai.com", "/v1"), ANTHROPIC("https://api.anthropic.com", "/v1"), GEMINI(
            "https://generativelanguage.googleapis.com", "/v1beta");

    /** What is allowed where a provider is named, for error messages. */
    public static final String ALLOWED = "openai, anthropic or gemini";

    private final String address;
    private final String version;

    Provider(String address, String version) {
        this.address = address;
        this.version = version;
    }

    /** As it stands in settings, paths, resources and metrics. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The provider's own address, without the version. */
    public String address() {
        return address;
    }

    /** What the paths of its API begin with: {@code /v1} or {@code /v1beta}. */
    public String version() {
        return version;
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
