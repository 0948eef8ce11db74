package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;

/**
 * Prices of a model that is billed by the piece: by characters, seconds of audio or images instead of tokens. Immutable.
 *
 * @param character US dollars per million characters; null if the model is not billed by them
 * @param second US dollars per million seconds of audio; null if the model is not billed by them
 * @param images US dollars per image, by its variant: {@code hd/1024x1792}, {@code 1024x1024}, or empty for any; empty if the model is
 * not billed by images
 */
record UnitPrices(BigDecimal character, BigDecimal second, SortedMap<String, BigDecimal> images) {

    private static final int MAX_TEXT = 32;

    /** Maximum price of an image, in US dollars. */
    static final BigDecimal MAX_IMAGE_PRICE = BigDecimal.valueOf(1000);

    static final UnitPrices NONE = new UnitPrices(null, null, new TreeMap<>());

    private static final BigDecimal SECONDS_PER_MINUTE = BigDecimal.valueOf(60);
    private static final int MAX_SCALE = 6;
    private static final String CHARACTER = "per_million_characters";
    private static final String SECOND = "per_million_seconds";
    private static final String IMAGE = "per_image";
    private static final String VARIANT = IMAGE + '_';
    private static final int PICODOLLAR_DIGITS = 12;
    private static final BigDecimal MILLISECONDS = BigDecimal.valueOf(1000);
    /** More than a call makes; keeps costs within a {@code long}. */
    private static final long MAX_IMAGES = 1000;

    /**
     * Reads the fields of a row of {@code prices.json}.
     *
     * @throws IllegalArgumentException if an amount is not a price
     */
    static UnitPrices of(Map<String, String> fields) {
        var images = new TreeMap<String, BigDecimal>();
        fields.forEach((name, value) -> {
            if (name.equals(IMAGE) || name.startsWith(VARIANT)) {
                images.put(name.equals(IMAGE) ? "" : name.substring(VARIANT.length()), imagePrice(value));
            }
        });
        return new UnitPrices(perMillion(fields.get(CHARACTER)), perMillion(fields.get(SECOND)), images);
    }

    /**
     * Creates configured prices, each of which may be null.
     *
     * @param image US dollars per image of any variant
     * @param minute US dollars per minute of audio
     */
    static UnitPrices of(BigDecimal character, BigDecimal minute, BigDecimal image) {
        var images = new TreeMap<String, BigDecimal>();
        if (image != null) {
            images.put("", image);
        }
        return new UnitPrices(character, minute == null
                ? null
                : minute.movePointRight(MAX_SCALE).divide(SECONDS_PER_MINUTE, MAX_SCALE, RoundingMode.CEILING), images);
    }

    private static BigDecimal perMillion(String text) {
        if (text == null) {
            return null;
        }
        var price = decimal(text);
        Money.picodollarsPerToken(price); // the same range and precision
        return price;
    }

    /** A long text would take long to convert. */
    private static BigDecimal decimal(String text) {
        if (text.length() > MAX_TEXT) {
            throw new IllegalArgumentException("a decimal of at most " + MAX_TEXT + " characters");
        }
        return new BigDecimal(text).stripTrailingZeros();
    }

    private static BigDecimal imagePrice(String text) {
        var price = decimal(text);
        if (price.signum() < 0 || price.compareTo(MAX_IMAGE_PRICE) > 0 || price.scale() > PICODOLLAR_DIGITS) {
            throw new IllegalArgumentException("US dollars per image, a decimal from 0 to " + MAX_IMAGE_PRICE);
        }
        return price;
    }

    /** Passes the names and values of the fields of {@code prices.json}. */
    void forEachField(BiConsumer<String, String> field) {
        if (character != null) {
            field.accept(CHARACTER, character.toPlainString());
        }
        if (second != null) {
            field.accept(SECOND, second.toPlainString());
        }
        images.forEach((variant, price) -> field.accept(variant.isEmpty() ? IMAGE : VARIANT + variant, price.toPlainString()));
    }

    boolean isEmpty() {
        return character == null && second == null && images.isEmpty();
    }

    /** Returns whether the usage has units, and each of them has a price. */
    boolean covers(UsageDetails usage) {
        var quantities = usage.quantities();
        return usage.hasUnits() && (character != null || !quantities.containsKey(UsageKind.CHARACTER))
                && (second != null || !quantities.containsKey(UsageKind.AUDIO_MILLISECOND))
                && (!images.isEmpty() || !quantities.containsKey(UsageKind.IMAGE));
    }

    /** Returns the cost, rounded up to whole picodollars; units without a price cost nothing. */
    CostParts cost(UsageDetails usage) {
        long characters = usage.quantities().getOrDefault(UsageKind.CHARACTER, 0L);
        long milliseconds = usage.quantities().getOrDefault(UsageKind.AUDIO_MILLISECOND, 0L);
        long count = usage.quantities().getOrDefault(UsageKind.IMAGE, 0L);
        var cost = new CostParts.Builder()
                .addExact(UsageKind.CHARACTER, characters, cost(character, characters, BigDecimal.ONE))
                .addExact(UsageKind.AUDIO_MILLISECOND, milliseconds, cost(second, milliseconds, MILLISECONDS));
        return cost.addExact(UsageKind.IMAGE, count, count == 0 || images.isEmpty()
                ? BigDecimal.ZERO
                : imagePrice(usage).multiply(BigDecimal.valueOf(Math.min(count, MAX_IMAGES))).movePointRight(PICODOLLAR_DIGITS))
                .build();
    }

    private static BigDecimal cost(BigDecimal perMillion, long count, BigDecimal parts) {
        return perMillion == null
                ? BigDecimal.ZERO
                : perMillion.movePointRight(PICODOLLAR_DIGITS / 2).multiply(BigDecimal.valueOf(count)).divide(parts);
    }

    /** Returns the price of exactly the variant, or else the dearest of its size, or else the dearest of all. */
    private BigDecimal imagePrice(UsageDetails usage) {
        var exact = images.get(usage.image());
        if (exact != null) {
            return exact;
        }
        var size = usage.image().substring(usage.image().indexOf('/') + 1);
        return images.entrySet().stream()
                .filter(image -> image.getKey().equals(size) || image.getKey().endsWith('/' + size))
                .map(Map.Entry::getValue).max(BigDecimal::compareTo)
                .orElseGet(() -> images.values().stream().max(BigDecimal::compareTo).orElseThrow());
    }

    /** Returns the higher one of each price. */
    UnitPrices orDearer(UnitPrices other) {
        var dearer = new TreeMap<>(images);
        other.images.forEach((variant, price) -> dearer.merge(variant, price, BigDecimal::max));
        return new UnitPrices(max(character, other.character), max(second, other.second), dearer);
    }

    private static BigDecimal max(BigDecimal one, BigDecimal other) {
        return one == null ? other : other == null ? one : one.max(other);
    }
}
