package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;

/** Reads and validates one provider's configured prices. */
final class PriceConfigReader {

    static final int MAX_NAME_LENGTH = 128;
    /** Price of a cache write at OpenAI and Anthropic, in percent of the input's price. */
    private static final int CACHE_WRITE_PERCENT = 125;
    /** Price of a cache write for one hour at Anthropic, in percent of the input's price. */
    private static final int LONG_CACHE_WRITE_PERCENT = 200;

    private final Provider provider;
    private final ConfigProblems problems;
    private final UnaryOperator<String> sources;

    /** @param sources returns where a property is set */
    PriceConfigReader(Provider provider, ConfigProblems problems, UnaryOperator<String> sources) {
        this.provider = provider;
        this.problems = problems;
        this.sources = sources;
    }

    /** Returns the entry of a model; empty if the configuration is invalid. */
    Optional<PriceEntry> read(String model, PriceConfig config) {
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
            var units = UnitPrices.of(characters, minute, image);
            var calls = CallPrices.usual(provider, units);
            return Optional.of(
                    new PriceEntry(
                            new PriceRow(provider, name, null, null, Map.of(), Collections.emptySortedMap(), calls, null),
                            ModelPrice.configured(name, null, calls), source(property)));
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
                .orElse(provider.is(ProviderType.GEMINI) ? inputPrice : Money.percent(inputPrice, CACHE_WRITE_PERCENT));
        var prices = new TokenPrices(inputPrice, cached.orElse(inputPrice), shortWrite,
                longWrite.orElse(
                        provider.is(ProviderType.ANTHROPIC) ? Money.percent(inputPrice, LONG_CACHE_WRITE_PERCENT) : shortWrite),
                output.get());
        var calls = prices.isFree() ? CallPrices.FREE : CallPrices.usual(provider, UnitPrices.NONE);
        return Optional
                .of(new PriceEntry(row(name, prices, calls), ModelPrice.configured(name, prices, calls), source(property)));
    }

    private String source(String property) {
        return sources.apply(property.substring(0, property.length() - 1));
    }

    private PriceRow row(String name, TokenPrices prices, CallPrices calls) {
        var amounts = new EnumMap<TokenKind, BigDecimal>(TokenKind.class);
        amounts.put(TokenKind.INPUT, Money.perMillion(prices.input()));
        amounts.put(TokenKind.CACHED_INPUT, Money.perMillion(prices.cachedInput()));
        amounts.put(TokenKind.CACHE_WRITE, Money.perMillion(prices.cacheWrite()));
        amounts.put(TokenKind.CACHE_WRITE_1H, Money.perMillion(prices.longCacheWrite()));
        amounts.put(TokenKind.OUTPUT, Money.perMillion(prices.output()));
        return new PriceRow(provider, name, null, null, amounts, Collections.emptySortedMap(), calls, null);
    }

    /** Returns whether a text can be the name of a model in a price table. */
    static boolean isModelName(String model) {
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
