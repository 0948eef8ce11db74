package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.Optional;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;

/** Reads and validates one provider's configured prices. */
final class PriceConfigReader {

    private static final int MAX_NAME_LENGTH = 128;
    /** Price of a cache write at OpenAI and Anthropic, in percent of the input's price. */
    private static final int CACHE_WRITE_PERCENT = 125;
    /** Price of a cache write for one hour at Anthropic, in percent of the input's price. */
    private static final int LONG_CACHE_WRITE_PERCENT = 200;

    private final Provider provider;
    private final ConfigProblems problems;

    PriceConfigReader(Provider provider, ConfigProblems problems) {
        this.provider = provider;
        this.problems = problems;
    }

    /** Returns the price of a model; empty if the configuration is invalid. */
    Optional<ModelPrice> read(String model, PriceConfig config) {
        var property = "rate-limit.llm." + provider.id() + ".prices.\"" + model + "\".";
        var name = ModelNames.withoutModelsPrefix(model);
        if (!isModelName(name)) {
            problems.add(property + "*", "(a price)",
                    "the model's name is 1 to " + MAX_NAME_LENGTH + " visible ASCII characters");
            return Optional.empty();
        }
        var image = unit(property + "per-image", config.perImage(), "1000");
        var characters = unit(property + "per-million-characters", config.perMillionCharacters(), "10000");
        var minute = unit(property + "per-audio-minute", config.perAudioMinute(), "0.6");
        if (config.perImage().isPresent() || config.perMillionCharacters().isPresent() || config.perAudioMinute().isPresent()) {
            config.input().or(config::output).or(config::cachedInput).or(config::cacheWrite).or(config::longCacheWrite)
                    .ifPresent(text -> problems.add(property + "*", text,
                            "a price is of tokens (input, output), or of images, characters or minutes of audio, not of both"));
            return Optional.of(new ModelPrice(name, UnitPrices.of(characters, minute, image)));
        }
        var input = required(property + "input", config.input());
        var output = required(property + "output", config.output());
        var cached = price(property + "cached-input", config.cachedInput());
        var write = price(property + "cache-write", config.cacheWrite());
        var longWrite = price(property + "cache-write-1h", config.longCacheWrite());
        if (input.isEmpty() || output.isEmpty()) {
            return Optional.empty();
        }
        long inputPrice = input.get();
        long shortWrite = write
                .orElse(provider == Provider.GEMINI ? inputPrice : Money.percent(inputPrice, CACHE_WRITE_PERCENT));
        return Optional.of(new ModelPrice(name, new TokenPrices(inputPrice, cached.orElse(inputPrice), shortWrite,
                longWrite.orElse(
                        provider == Provider.ANTHROPIC ? Money.percent(inputPrice, LONG_CACHE_WRITE_PERCENT) : shortWrite),
                output.get())));
    }

    private static boolean isModelName(String model) {
        return !model.isEmpty() && model.length() <= MAX_NAME_LENGTH && model.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    /** @return null if the price is missing or invalid */
    private BigDecimal unit(String property, Optional<String> text, String max) {
        try {
            var price = text.map(Money::decimal).orElse(null);
            if (price == null || price.compareTo(new BigDecimal(max)) <= 0) {
                return price;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        problems.add(property, text.get(), "US dollars, a decimal from 0 to " + max + " with at most 6 digits after the point");
        return null;
    }

    private Optional<Long> required(String property, Optional<String> text) {
        if (text.isEmpty()) {
            problems.add(property, "", "missing; a price has an input and an output: " + Money.PRICE_SYNTAX);
        }
        return price(property, text);
    }

    private Optional<Long> price(String property, Optional<String> text) {
        try {
            return text.map(Money::picodollarsPerToken);
        } catch (IllegalArgumentException e) {
            problems.add(property, text.get(), e.getMessage());
            return Optional.empty();
        }
    }
}
