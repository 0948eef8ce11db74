package dev.sluice.llm.pricing;

import java.util.Map;
import java.util.Optional;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;

/** Reads one provider's configured prices, and tells what is wrong with them. */
final class PriceConfigReader {

    private static final int MAX_NAME = 128;
    /** At OpenAI and Anthropic, of the input's price. */
    private static final int WRITE_PERCENT = 125;
    /** At Anthropic, of the input's price. */
    private static final int LONG_WRITE_PERCENT = 200;

    private final Provider provider;
    private final ConfigProblems problems;

    PriceConfigReader(Provider provider, ConfigProblems problems) {
        this.provider = provider;
        this.problems = problems;
    }

    /** The price of a model; none where the settings are wrong. */
    Optional<ModelPrice> read(String model, PriceConfig settings) {
        var property = "rate-limit.llm." + provider.id() + ".prices.\"" + model + "\".";
        var name = PriceTable.bare(model);
        if (!isName(name)) {
            problems.add(property + "*", "(a price)", "the model's name is 1 to " + MAX_NAME + " visible ASCII characters");
            return Optional.empty();
        }
        var input = required(property + "input", settings.input());
        var output = required(property + "output", settings.output());
        var cached = price(property + "cached-input", settings.cachedInput());
        var write = price(property + "cache-write", settings.cacheWrite());
        var longWrite = price(property + "cache-write-1h", settings.longCacheWrite());
        if (input.isEmpty() || output.isEmpty()) {
            return Optional.empty();
        }
        long in = input.get();
        long shortWrite = write.orElse(provider == Provider.GEMINI ? in : Money.percent(in, WRITE_PERCENT));
        return Optional.of(new ModelPrice(name, new TokenPrices(in, cached.orElse(in), shortWrite,
                longWrite.orElse(provider == Provider.ANTHROPIC ? Money.percent(in, LONG_WRITE_PERCENT) : shortWrite),
                output.get()), Map.of()));
    }

    private static boolean isName(String model) {
        return !model.isEmpty() && model.length() <= MAX_NAME && model.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    private Optional<Long> required(String property, Optional<String> text) {
        if (text.isEmpty()) {
            problems.add(property, "", "missing; a price has an input and an output: " + Money.ALLOWED_PRICE);
        }
        return price(property, text);
    }

    private Optional<Long> price(String property, Optional<String> text) {
        try {
            return text.map(Money::perToken);
        } catch (IllegalArgumentException e) {
            problems.add(property, text.get(), e.getMessage());
            return Optional.empty();
        }
    }
}
