package dev.sluice.testing.llm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;

/** Limits input and output tokens of the user {@code wealthy} separately, also by a rules file. */
public class LlmDirectionsProfile extends LlmProfile {

    public static final String RULES = "llm: {gemini: {output-tokens: {wealthy: 200/hour}}}\n";

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        for (var provider : new String[]{"openai", "anthropic"}) {
            settings.put("rate-limit.llm." + provider + ".input-tokens.wealthy", "1000/hour");
            settings.put("rate-limit.llm." + provider + ".output-tokens.wealthy", "300/hour");
        }
        settings.put("rate-limit.llm.openai.models.\"gpt-4o-mini\".output-tokens.wealthy", "50/hour");
        try {
            settings.put("rate-limit.file",
                    Files.writeString(Files.createTempDirectory("sluice-directions").resolve("rules.yaml"), RULES).toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return settings;
    }
}
