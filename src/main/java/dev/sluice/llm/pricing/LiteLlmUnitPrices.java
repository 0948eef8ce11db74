package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Prices of characters, seconds of audio and images, from a row of LiteLLM's price list. A row of images names one size and quality
 * of its model: {@code hd/1024-x-1792/dall-e-3}.
 */
final class LiteLlmUnitPrices {

    private static final Pattern IMAGE_NAME = Pattern.compile("(?:([a-z]{1,16})/)?([0-9]{1,5})-x-([0-9]{1,5})/(.+)");
    /** Prices of pixels are rounded there; those of images are thousandths of a dollar. */
    private static final int IMAGE_PRICE_DIGITS = 3;
    private static final int IMAGE_SCALE = 6;

    private LiteLlmUnitPrices() {
    }

    /** Returns the name of the model of a row. */
    static String model(String name) {
        var matcher = IMAGE_NAME.matcher(name);
        return matcher.matches() ? matcher.group(4) : name;
    }

    /**
     * Returns the prices of a row.
     *
     * @param mode the model's mode in the list
     * @return empty if the model is not billed by units, or only by others
     */
    static UnitPrices read(String name, String mode, LiteLlmFields fields) {
        return switch (mode) {
            case "audio_speech" -> isTokenPriced(fields)
                    ? UnitPrices.NONE
                    : new UnitPrices(fields.perMillion("input_cost_per_character"), null, UnitPrices.NONE.images());
            case "audio_transcription" -> isTokenPriced(fields)
                    ? UnitPrices.NONE
                    : new UnitPrices(null, max(fields.perMillion("input_cost_per_second"),
                            fields.perMillion("output_cost_per_second")), UnitPrices.NONE.images());
            case "image_generation" -> isTokenPriced(fields) ? UnitPrices.NONE : image(IMAGE_NAME.matcher(name), fields);
            default -> UnitPrices.NONE;
        };
    }

    private static UnitPrices image(Matcher name, LiteLlmFields fields) {
        var price = max(fields.price("input_cost_per_image"), fields.price("output_cost_per_image"));
        var variant = "";
        if (name.matches()) {
            var width = name.group(2);
            var height = name.group(3);
            variant = (name.group(1) == null ? "" : name.group(1) + '/') + width + 'x' + height;
            var perPixel = max(fields.price("input_cost_per_pixel"), fields.price("output_cost_per_pixel"));
            if (price == null && perPixel != null) {
                price = perPixel.multiply(new BigDecimal(width)).multiply(new BigDecimal(height)).setScale(IMAGE_PRICE_DIGITS,
                        RoundingMode.CEILING);
            }
        }
        if (price == null || price.signum() == 0 || price.compareTo(UnitPrices.MAX_IMAGE_PRICE) > 0) {
            return UnitPrices.NONE;
        }
        return new UnitPrices(null, null,
                new TreeMap<>(Map.of(variant, price.setScale(IMAGE_SCALE, RoundingMode.CEILING).stripTrailingZeros())));
    }

    private static boolean isTokenPriced(LiteLlmFields fields) {
        return fields.amounts().containsKey("input_cost_per_token");
    }

    private static BigDecimal max(BigDecimal one, BigDecimal other) {
        return one == null ? other : other == null ? one : one.max(other);
    }
}
