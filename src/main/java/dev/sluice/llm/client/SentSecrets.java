package dev.sluice.llm.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import dev.sluice.llm.config.LlmConfig;

/** Secrets in the requests to one provider, which its error responses may repeat. Immutable. */
final class SentSecrets {

    private static final String REPLACEMENT = "***";
    /** Names of headers and query parameters whose values are secrets. */
    private static final Pattern SECRET_NAME = Pattern.compile("key|token|secret|auth|passw|credential|sig",
            Pattern.CASE_INSENSITIVE);

    private final List<String> values = new ArrayList<>();

    SentSecrets(LlmConfig.ProviderConfig provider) {
        provider.apiKey().map(String::strip).ifPresent(this::add);
        addSecrets(provider.headers());
        addSecrets(provider.query());
    }

    private void addSecrets(Map<String, String> parameters) {
        parameters.forEach((name, value) -> {
            if (SECRET_NAME.matcher(name).find()) {
                add(value.strip());
            }
        });
    }

    private void add(String value) {
        if (!value.isEmpty()) {
            values.add(value);
        }
    }

    /** Returns a text without the secrets. */
    String redact(String text) {
        var redacted = text;
        for (var value : values) {
            redacted = redacted.replace(value, REPLACEMENT);
        }
        return redacted;
    }
}
