package dev.sluice.llm.client;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import dev.sluice.llm.config.LlmConfig;

/** Secrets in the requests to one provider, which its error responses may repeat. Immutable. */
final class SentSecrets {

    private static final String REPLACEMENT = "***";
    /** A shorter value is no secret, and may be a part of any text. */
    private static final int MIN_LENGTH = 4;
    /** Names of headers and query parameters whose values are secrets. */
    private static final Pattern SECRET_NAME = Pattern.compile("key|token|secret|auth|passw|credential|sig",
            Pattern.CASE_INSENSITIVE);

    private final List<String> values = new ArrayList<>();

    SentSecrets(LlmConfig.ProviderConfig provider) {
        provider.apiKey().map(String::strip).ifPresent(this::add);
        addSecrets(provider.headers());
        addSecrets(provider.query());
        values.sort(Comparator.comparing(String::length).reversed()); // one may begin with another
    }

    private void addSecrets(Map<String, String> parameters) {
        parameters.forEach((name, value) -> {
            if (SECRET_NAME.matcher(name).find()) {
                add(value.strip());
            }
        });
    }

    private void add(String value) {
        if (value.length() >= MIN_LENGTH) {
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
